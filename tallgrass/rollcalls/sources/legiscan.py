"""Read LegiScan's CSV datasets from the zip as LegiScan provides it (README.md)."""

import re
import struct
import zlib
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.vote_tables import party_name
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

VOTE_CODES = {"1": 1, "2": -1, "3": 0, "4": 0}  # Yea, Nay, NV, Absent
# zipfile raises all of these for damaged bytes.
_DAMAGE = (
    BadZipFile,
    EOFError,
    LZMAError,
    struct.error,
    zlib.error,
    ArithmeticError,
    LookupError,
    RuntimeError,
    ValueError,
)
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
_OF_COMMITTEE = re.compile(r"\breported (un)?favorably|\bin committee\b|^do pass\b", re.IGNORECASE)
_TALLY = re.compile(r" - Yea: \d+ Nay: \d+$")
_COUNTS = re.compile(r"Yea: (\d+) Nay: (\d+)")
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
    """Whether the path is a zip file, or a folder with the files of one."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return True
    return path.is_dir() and bool(_folders(path))


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of the session in a LegiScan zip; nothing is written to disk."""
    data, session = _unzip(path, limits) if path.is_file() else _unpacked(path, limits)
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
    members = tables.records(people[seated | people["people_id"].isin(votes["people_id"])])
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


def _unzip(path: Path, limits: Limits) -> tuple[dict[str, bytes], str]:
    """The CSV files of the dataset, and the session's name from the folders inside.

    Files are found by name and read into memory. No path inside the zip is used as a path on this
    machine, and a link in the zip is a short text, which is not a table.
    """
    label = shown(path.name)
    try:
        packed = path.stat().st_size
        limits.check_size(label, packed)
        with ZipFile(path) as archive:
            limits.check_files(label, len(archive.infolist()))
            members = [_member(archive, part, label) for part in _PARTS]
            size = sum(member.file_size for member in members)
            limits.check_size(label, size)
            limits.check_expansion(label, packed, size)
            data = {}
            for part, member in zip(_PARTS, members, strict=True):
                # zipfile stops at the declared size, which is checked above.
                with archive.open(member) as stream:
                    data[part] = stream.read()
    except _DAMAGE as error:
        raise DataError(
            f"{label} is half-written, damaged or encrypted", str(error), "download it again"
        ) from None
    except OSError as error:
        raise DataError(f"{label} cannot be read", str(error), "check the path") from None
    return data, _session(members[0].filename, path)


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
            "name one of them",
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


def _member(archive: ZipFile, part: str, label: str) -> ZipInfo:
    name = f"{part}.csv"
    members = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name]
    if len(members) == 1:
        return members[0]
    raise DataError(
        f"{label} holds {len(members) or 'no'} files named {name}",
        ", ".join(info.filename for info in members or archive.infolist()),
        "use one session's CSV dataset as LegiScan hands it out (not its JSON or XML form); "
        "of a zip with several unpack it and name a folder",
    )


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
    if _OF_CHAMBER.search(motion):
        return False
    total = row["total"].partition(".")[0]
    called = int(total) if total.isdigit() else 0
    if tally := _COUNTS.search(motion):
        called = max(called, sum(map(int, tally.groups())))
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
