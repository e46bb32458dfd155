"""Several sessions at once: a list, a pattern, or a file with many Congresses, in order of time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tallgrass.errors import DataError
from tallgrass.inputs import paths
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.sources import load_votes, simulated_careers, voteview
from tallgrass.rollcalls.sources.files import available_sessions, find_session
from tallgrass.rollcalls.votes import VoteMatrix

_YEAR = re.compile(r"(?<!\d)(1[789]\d\d|20\d\d)(?!\d)")
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?!\d)")
_YEARS_A_BIENNIUM = 2.0
_PATTERN = re.compile(r"[*?\[]")


def sessions_named(text: str, data_dir: Path | None = None) -> list[str]:
    """The sessions that a list or pattern names, each as a text that :func:`load_votes` takes.

    Parameters
    ----------
    text : str
        Sessions separated by commas. One with ``*``, ``?`` or ``[`` is a pattern: of paths where it
        has a separator, else of the names of sessions under ``data_dir``.
    data_dir : Path, optional
        Folder in which names of sessions are looked up.

    Raises
    ------
    DataError
        When a pattern fits no session, or the text names none.

    Examples
    --------
    >>> sessions_named("84th_2011-2012, 88th_2019-2020")
    ['84th_2011-2012', '88th_2019-2020']
    """
    if paths.is_database(text):
        raise DataError(
            "a database is one session", text, "the dynamic model takes folders or files"
        )
    names: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        names += _fitting(part, data_dir) if _PATTERN.search(part) else [part]
    if not names:
        raise DataError("no session named", text, "write session=A,B or a pattern as FOLDER/*")
    return list(dict.fromkeys(names))


def _fitting(pattern: str, data_dir: Path | None) -> list[str]:
    """Sessions that a pattern fits; other files and folders that it fits are left out."""
    if Path(pattern).name == pattern:
        sessions = available_sessions(data_dir or Path())
        found = [str(path) for name, path in sessions.items() if Path(name).match(pattern)]
        where = str(data_dir or Path().absolute())
    else:
        path = Path(pattern).expanduser()
        root = Path(path.anchor)
        fits = sorted(root.glob(str(path.relative_to(path.anchor))))
        # Of the files of one session each fits a pattern such as FOLDER/*: its votes stand for it.
        found = list(dict.fromkeys(str(p) for fit in fits for p in _sessions_at(fit)))
        where = str(path.parent)
    if not found:
        raise DataError(
            "no session fits the pattern",
            pattern,
            f"looked in {where}; quote the pattern, so that the shell does not expand it",
        )
    return found


def _sessions_at(path: Path) -> list[Path]:
    if path.is_dir():
        return list(available_sessions(path, depth=1).values())
    of_folder = available_sessions(path.parent, depth=0).values()
    return [found for found in of_folder if found in (path, path.parent)]


def load_sittings(
    text: str,
    chambers: Sequence[str],
    data_dir: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    left_out: Sequence[str] = (),
) -> tuple[Sitting, ...]:
    """The votes of several sessions, unfiltered, in the order of time, chamber after chamber.

    A session's time is the first year in its name; where one has none, the number in its name
    (``116``, a Congress, is one biennium after ``115``), and where one has none, the year of its
    first roll call.

    Parameters
    ----------
    text : str
        See :func:`sessions_named`; one Voteview file with many Congresses is as many sessions.
    chambers : sequence of str
        ``house``, ``senate``, or both; a session without roll calls of one has no sitting of it.
    left_out : sequence of str
        Names of sessions, or their beginnings, to leave out.

    Raises
    ------
    DataError
        When a session cannot be read or has none of the chambers, its time is not known, or a
        session to leave out is not there.
    """
    found: list[tuple[str, dict[str, VoteMatrix]]] = []
    if text == simulated_careers.NAME:
        votes = simulated_careers.simulate_careers().votes.values()
        return sittings_of(by_session(votes), chambers, left_out)
    for name in sessions_named(text, data_dir):
        found += _load(name, chambers, data_dir, limits)
    return sittings_of(found, chambers, left_out)


def sittings_of(
    found: Sequence[tuple[str, Mapping[str, VoteMatrix]]],
    chambers: Sequence[str],
    left_out: Sequence[str] = (),
) -> tuple[Sitting, ...]:
    """Sittings of sessions by name and chamber; see :func:`load_sittings`."""
    names = [name for name, _ in found]
    for name in left_out:
        if not any(known.startswith(name) for known in names):
            raise DataError("leave_out: unknown session", name, f"sessions: {', '.join(names)}")
    kept = [(n, v) for n, v in found if not any(n.startswith(out) for out in left_out)]
    times = session_times([(name, list(votes.values())) for name, votes in kept])
    return tuple(
        Sitting(name, chamber, time, votes[chamber])
        for chamber in chambers
        for time, (name, votes) in sorted(zip(times, kept, strict=True), key=lambda pair: pair[0])
        if chamber in votes
    )


def by_session(votes: Iterable[VoteMatrix]) -> list[tuple[str, dict[str, VoteMatrix]]]:
    """Votes of several sittings, by session and chamber."""
    sessions: dict[str, dict[str, VoteMatrix]] = {}
    for matrix in votes:
        chambers = sessions.setdefault(matrix.session, {})
        if matrix.chamber in chambers:
            raise DataError(
                f"two votes of the {matrix.chamber} of one session",
                matrix.session,
                "give every VoteMatrix a session of its own",
            )
        chambers[matrix.chamber] = matrix
    return list(sessions.items())


def as_given_from(folder: Path, text: str) -> str:
    """A list or pattern of sessions with its paths as seen from a folder.

    Examples
    --------
    >>> as_given_from(Path("/data"), "kansas/*")
    '/data/kansas/*'
    """
    parts = []
    for part in (part.strip() for part in text.split(",")):
        if _PATTERN.search(part) and Path(part).name != part and not Path(part).is_absolute():
            parts.append(str(folder / part))
        else:
            parts.append(paths.as_given_from(folder, part))
    return ",".join(parts)


def session_times(sessions: Sequence[tuple[str, Sequence[VoteMatrix]]]) -> list[float]:
    """Times of sessions in bienniums, by their names or the dates of their roll calls.

    Examples
    --------
    >>> session_times([("84th_2011-2012", []), ("88th_2019-2020", [])])
    [1005.5, 1009.5]
    >>> session_times([("115", []), ("116", [])])
    [115.0, 116.0]
    """
    names = [name for name, _ in sessions]
    years = [_YEAR.search(name) for name in names]
    if all(years):
        return [int(year[0]) / _YEARS_A_BIENNIUM for year in years if year]
    numbers = [_NUMBER.search(name) for name in names]
    if all(numbers):
        return [float(number[0]) for number in numbers if number]
    times = []
    for _, votes in sessions:
        dates = [r.date for v in votes for r in v.rollcalls if r.date]
        if not dates:
            raise DataError(
                "the time of a session is not known",
                next(other for other, year in zip(names, years, strict=True) if year is None),
                "put its year into its name, as in 88th_2019-2020, or dates into its roll calls",
            )
        times.append(int(min(dates)[:4]) / _YEARS_A_BIENNIUM)
    return times


def _load(
    name: str, chambers: Sequence[str], data_dir: Path | None, limits: Limits
) -> list[tuple[str, dict[str, VoteMatrix]]]:
    """One session by chamber, or every Congress of a Voteview file."""
    path = find_session(name, data_dir)
    several: dict[str, dict[str, VoteMatrix]] = {}
    errors = []
    for chamber in chambers:
        try:
            if voteview.matches(path):
                matrices = voteview.load_all(path, chamber, limits)
            else:
                votes = load_votes(name, chamber, data_dir, limits)
                matrices = {votes.session: votes}
        except DataError as error:
            # One chamber may have no sitting in a session; what is wrong with a file is said.
            if len(chambers) == 1 or not error.what.startswith("no roll calls of the"):
                raise
            errors.append(error)
            continue
        for session, votes in matrices.items():
            several.setdefault(session, {})[chamber] = votes
    if not several:
        raise errors[0]
    return list(several.items())
