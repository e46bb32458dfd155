"""Read LegiScan's CSV datasets from the zip as LegiScan provides it (README.md)."""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.paths import zip_in
from tallgrass.rollcalls.sources import words, zips
from tallgrass.rollcalls.vote_tables import party_name
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

VOTE_CODES = {"1": 1, "2": -1, "3": 0, "4": 0}  # Yea, Nay, NV, Absent
_PLAIN = re.compile(r"\w[\w .,()&'-]{0,99}")
_PARTS = ("votes", "rollcalls", "people", "bills")
_ROLES = {"rep": "house", "sen": "senate"}
# Words of motions that only the chamber votes on, also where a record is incomplete and counts few.
_OF_CHAMBER = re.compile(
    r"final action|third reading|final passage|committee of the whole|conference committee|concur"
    r"|veto|withdraw|discharge|floor",
    re.IGNORECASE,
)
# Words of motions that only committees vote on, where LegiScan counts nobody.
_OF_COMMITTEE = re.compile(
    r"\breported? (un)?favorabl[ey]|\breported (from|with|out)\b|\bin committee\b|\bsubcommittee\b"
    r"|\bcommittee (vote|report|substitute)|\brecommends? (reporting|passage)|^do pass\b",
    re.IGNORECASE,
)
# A committee that is named before its motion, as in "Senate Judiciary Committee: to the floor".
_BY_COMMITTEE = re.compile(
    r"(?<!conference )\b(sub)?committee\b(?! of the whole)[^:]*:", re.IGNORECASE
)
_TALLY = re.compile(r" - Yea: \d+ Nay: \d+$")
_COUNTS = re.compile(
    r"(?:Yea|Aye)s?[: ]+(\d+)[.,;]? (?:Nay|Noe|No)s?[: ]+(\d+)|\((\d+)-Y (\d+)-N", re.IGNORECASE
)
# LegiScan has no column for the kind of vote, so the first pattern in the motion gives it.
_VOTE_TYPES = {
    re.compile(pattern, re.IGNORECASE): vote_type
    for pattern, vote_type in (
        ("^emergency final action", "Emergency Final Action"),
        ("^final action", "Final Action"),
        ("^committee of the whole", "Committee of the Whole"),
        ("^consent calendar", "Consent Calendar"),
        ("override .*veto", "Veto Override"),
        ("conference committee", "Conference Committee"),
        ("concur", "Concurrence"),
        ("(?<!substitute )motion to", "Procedural Motion"),
    )
}


def matches(path: Path) -> bool:
    """Whether the path is a zip file, leads into one, or is a folder with the files of one."""
    if (path.suffix.lower() == ".zip" and path.is_file()) or zip_in(path) is not None:
        return True
    return path.is_dir() and bool(_folders(path))


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of the session in a LegiScan zip; nothing is written to disk.

    A zip with several sessions is given with the folder of one: ``MI.zip/MI/2023-2024``.
    """
    archive = path if path.is_file() else zip_in(path)
    if archive is None:
        data, session = _unpacked(path, limits)
    else:
        data, session = _unzip(archive, path.relative_to(archive).as_posix(), limits)
    labels = {part: f"{part}.csv in {shown(path.name)}" for part in _PARTS}

    def table(part: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
        frame = tables.parse_table(data[part], labels[part], required, optional, limits)
        tables.require_filled(frame, required[:1], labels[part])
        return frame

    rollcalls = table(
        "rollcalls", ("roll_call_id", "bill_id", "date", "chamber", "description"), ("total",)
    )
    bills = table("bills", ("bill_id", "bill_number", "title"))
    names = ("first_name", "last_name", "committee_id")
    people = table("people", ("people_id", "name", "party", "role", "district"), names)
    votes = table("votes", ("roll_call_id", "people_id", "vote"))

    tables.require_unique(rollcalls, "roll_call_id", labels["rollcalls"])
    tables.require_unique(bills, "bill_id", labels["bills"])
    tables.require_unique(people, "people_id", labels["people"])
    tables.require_known(rollcalls, "bill_id", bills["bill_id"], labels["rollcalls"])
    tables.require_known(votes, "roll_call_id", rollcalls["roll_call_id"], labels["votes"])
    tables.require_known(votes, "people_id", people["people_id"], labels["votes"])

    in_chamber = words.rollcalls_in(rollcalls, chamber, session).merge(
        bills, on="bill_id", how="left"
    )
    votes = votes.assign(cell=words.cells(votes, "vote", VOTE_CODES, labels["votes"]))
    votes = votes[votes["roll_call_id"].isin(in_chamber["roll_call_id"])]
    seated = people["role"].str.lower().map(_ROLES).eq(chamber) & people["committee_id"].isin(
        ["", "0"]
    )
    members = tables.records(
        people[seated | people["people_id"].isin(votes["people_id"].drop_duplicates())]
    )
    slugs = {row["people_id"]: _slug(row, chamber) for row in members}
    return VoteMatrix.from_triples(
        zip(
            votes["people_id"].map(slugs),
            "ls_" + votes["roll_call_id"],
            votes["cell"],
            strict=True,
        ),
        [_legislator(row, slugs[row["people_id"]]) for row in members],
        [
            _rollcall(row, labels["rollcalls"], _is_of_committee(row, int(seated.sum())))
            for row in tables.records(in_chamber)
        ],
        session,
        chamber,
    )


def _unzip(path: Path, inner: str, limits: Limits) -> tuple[dict[str, bytes], str]:
    """The CSV files of a dataset in a zip, and the session's name from the folders inside.

    Parameters
    ----------
    inner : str
        The folder of one of several sessions, or a part of its path.
    """
    chosen = _chosen(path, zips.names_in(path, limits), PurePosixPath(inner).parts)
    data = zips.contents(path, [chosen[part] for part in _PARTS], limits)
    return dict(zip(_PARTS, data, strict=True)), _session(chosen[_PARTS[0]], path)


def _chosen(path: Path, names: list[str], inner: tuple[str, ...]) -> dict[str, str]:
    """The names of a dataset's files, by part; a DataError lists the sessions to choose from."""
    named = {part: [n for n in names if PurePosixPath(n).name == f"{part}.csv"] for part in _PARTS}
    if not inner and all(len(files) == 1 for files in named.values()):
        return {part: files[0] for part, files in named.items()}
    folders = sorted({str(PurePosixPath(name).parent) for name in named["votes"]})
    whole = [f for f in folders if all(str(PurePosixPath(f, f"{p}.csv")) in names for p in _PARTS)]
    fits = [folder for folder in whole if _leads(inner, PurePosixPath(folder).parts)]
    if inner and len(fits) == 1:
        return {part: str(PurePosixPath(fits[0], f"{part}.csv")) for part in _PARTS}
    sessions = [folder.removesuffix("/csv") for folder in fits or whole]
    if inner:
        raise DataError(
            f"{len(fits) or 'no'} sessions of this name in {shown(path.name)}",
            "/".join(inner),
            f"it holds {', '.join(sessions) or 'none'}",
        )
    if len(sessions) > 1:
        raise DataError(
            f"{len(sessions)} LegiScan sessions in {shown(path.name)}",
            ", ".join(sessions),
            f"name one of them, as session={path}/{sessions[0]}",
        )
    part, files = next((part, files) for part, files in named.items() if len(files) != 1)
    raise DataError(
        f"{shown(path.name)} holds {len(files) or 'no'} files named {part}.csv",
        ", ".join(files or names),
        "use one session's CSV dataset as LegiScan hands it out (not its JSON or XML form)",
    )


def _leads(inner: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    """Whether these parts are in a row in a path."""
    n = len(inner)
    return any(folder[k : k + n] == inner for k in range(len(folder) - n + 1))


def _folders(path: Path) -> list[Path]:
    """Folders, up to three below this one, that hold all files of a dataset."""
    places = (path.glob("/".join(["*"] * depth + ["votes.csv"])) for depth in range(4))
    folders = [votes.parent for of_depth in places for votes in sorted(of_depth)]
    return [f for f in folders if all((f / f"{part}.csv").is_file() for part in _PARTS)]


def _unpacked(path: Path, limits: Limits) -> tuple[dict[str, bytes], str]:
    """The CSV files of a dataset that was unpacked, and the session's name."""
    folders = _folders(path)
    if len(folders) > 1:
        raise DataError(
            f"{len(folders)} LegiScan sessions in this folder",
            ", ".join(str(folder.relative_to(path)) for folder in folders),
            f"name one of them, as session={folders[0]}",
        )
    data = {}
    for part in _PARTS:
        with tables.open_bytes(folders[0] / f"{part}.csv", limits) as stream:
            data[part] = stream.read()
    parts = (folders[0] / "votes.csv").absolute().parts[-4:]
    return data, _session("/".join(parts), folders[0])


def _session(member_path: str, path: Path) -> str:
    """The session's name, from a path like KS/2025-2026_Regular_Session/csv/votes.csv in the zip.

    If the folders inside are not plain words, it is the name of the zip, which ends in a date and a
    hash.
    """
    parts = PurePosixPath(member_path).parent.parts
    if len(parts) == 3 and parts[2] == "csv" and all(map(_PLAIN.fullmatch, parts[:2])):
        return "_".join(parts[:2])
    return path.stem


def _slug(row: dict[str, str], chamber: str) -> str:
    names = (row["last_name"], row["first_name"]) if row["last_name"] else (row["name"],)
    return tables.slug_of(words.TITLES[chamber], *names, row["people_id"])


def _legislator(row: dict[str, str], slug: str) -> Legislator:
    district = re.sub(r"^[A-Z]+-0*(?=\d)", "", row["district"])  # HD-063 is district 63
    return Legislator(slug, row["name"], party_name(row["party"]), district)


def _is_of_committee(row: dict[str, str], n_seated: int) -> bool:
    """Whether fewer than half of the chamber were called, or only a committee votes on this.

    ``total`` counts absent members too, so that it is the size of the body that voted; the tally in
    a description is that of the journal, where single votes are missing from the record.
    """
    motion = row["description"]
    if _OF_CHAMBER.search(motion) and not _BY_COMMITTEE.search(motion):
        return False
    total = row["total"].partition(".")[0]
    called = int(total) if total.isdigit() else 0
    if tally := _COUNTS.search(motion):
        called = max(called, sum(int(n) for n in tally.groups() if n))
    if called:
        return called < n_seated / 2
    return bool(_OF_COMMITTEE.search(motion))


def _rollcall(row: dict[str, str], label: str, committee: bool) -> RollCall:
    motion = _TALLY.sub("", row["description"]).removeprefix(f"{row['chamber']} ")
    vote_id = f"ls_{row['roll_call_id']}"
    return RollCall(
        vote_id=vote_id,
        bill=re.sub(r"^([A-Za-z]+)(?=\d)", r"\1 ", row["bill_number"]),
        motion=motion,
        vote_type=next((name for kind, name in _VOTE_TYPES.items() if kind.search(motion)), ""),
        date=tables.iso_date(row["date"], f"{label} {vote_id}"),
        title=row["title"],
        committee=committee,
    )
