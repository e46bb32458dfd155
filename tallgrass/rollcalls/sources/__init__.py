"""Read votes, unfiltered, into a VoteMatrix: one module per format, listed in SOURCES."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tallgrass.errors import DataError
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.paths import is_database
from tallgrass.rollcalls.sources import (
    legiscan,
    openstates,
    sample,
    simulated,
    tallgrass_csv,
    voteview,
    wide_matrix,
)
from tallgrass.rollcalls.sources.files import available_sessions, find_session
from tallgrass.rollcalls.sources.simulated import SimulatedLegislature, SimulationDesign, simulate
from tallgrass.rollcalls.sources.words import check_chamber
from tallgrass.rollcalls.votes import VoteMatrix

__all__ = [
    "SOURCES",
    "SimulatedLegislature",
    "SimulationDesign",
    "Source",
    "available_sessions",
    "load_votes",
    "simulate",
    "source_of",
]


class Source(NamedTuple):
    """One input format: how it is recognised and how one chamber is read."""

    matches: Callable[[Path], bool]
    load: Callable[[Path, str, Limits], VoteMatrix]
    description: str


# The order matters: Voteview's files, and those of OpenStates, look like the tallgrass layout with
# other columns, and any zip may be LegiScan's.
SOURCES: dict[str, Source] = {
    "sample": Source(
        sample.matches,
        lambda path, chamber, _: sample.load(path, chamber),
        "embedded: 109th US Senate, 2005-2006",
    ),
    "simulated": Source(
        simulated.matches,
        lambda path, chamber, _: simulated.load(path, chamber),
        "simulated, with known positions",
    ),
    "openstates": Source(
        openstates.matches, openstates.load, "OpenStates' CSV or JSON, a zip, a folder or a file"
    ),
    "legiscan": Source(
        legiscan.matches, legiscan.load, "LegiScan CSV dataset, a zip or the folder of it"
    ),
    "voteview": Source(voteview.matches, voteview.load, "Voteview votes and members files"),
    "matrix": Source(
        wide_matrix.matches, wide_matrix.load, "one CSV file, a row a legislator, a column a vote"
    ),
    "tallgrass": Source(tallgrass_csv.matches, tallgrass_csv.load, "folder of three CSV files"),
}


def source_of(session: str, data_dir: Path | None = None) -> tuple[str, Path]:
    """The format of a session, as a key of SOURCES, and the path to read it from.

    Raises
    ------
    DataError
        When the session is not found, or has no known format.
    """
    path = find_session(session, data_dir)
    for name, source in SOURCES.items():
        if source.matches(path):
            return name, path
    sessions = available_sessions(path, depth=1) if path.is_dir() else {}
    raise DataError(
        "not a session",
        session,
        f"it holds the sessions {', '.join(sessions)}: name one of them"
        if sessions
        else "use a folder with <name>_votes.csv, <name>_rollcalls.csv and "
        "<name>_legislators.csv, a LegiScan or OpenStates zip, a Voteview votes file, one CSV file "
        "with a row a legislator and a column a roll call, or a database as "
        "postgresql://user@host/name",
    )


def load_votes(
    session: str,
    chamber: str,
    data_dir: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    *,
    table: str = "votes",
    query: str = "",
) -> VoteMatrix:
    """The votes of one chamber, unfiltered.

    Parameters
    ----------
    session : str
        ``sample``, ``simulated``, a path (a folder in the tallgrass layout, a LegiScan zip, a
        Voteview votes file), the address of a database (``sqlite:///votes.db``), or the name of a
        session under ``data_dir``, or its beginning.
    chamber : str
        ``senate`` or ``house``.
    data_dir : Path, optional
        Folder in which names of sessions are looked up, three folders deep.
    limits : Limits
        The largest files.
    table, query : str
        Of a database: the table with the votes, or SQL in place of it, which may use ``:chamber``.

    Raises
    ------
    SpecError
        On an unknown chamber.
    DataError
        When the session is not found, cannot be read, or has no votes of the chamber.

    Examples
    --------
    >>> votes = tg.load_votes("sample", chamber="senate")
    >>> votes.slugs[:1], len(votes.vote_ids)
    (('sen_akaka_14400',), 645)
    """
    check_chamber(chamber)
    if is_database(session):
        # SQLAlchemy takes a moment to import, which other sessions need not wait for.
        from tallgrass.rollcalls.sources import database

        return database.load(session, chamber, table, query, limits)
    if query:
        raise DataError("a query needs a database", session, "leave votes_query out")
    name, path = source_of(session, data_dir)
    return SOURCES[name].load(path, chamber, limits)
