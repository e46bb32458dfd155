"""The tallgrass CSV layout: ``<name>_votes``, ``_rollcalls`` and ``_legislators`` (README.md)."""

from pathlib import Path

import pandas as pd

from tallgrass.errors import shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.sources.files import SessionFiles
from tallgrass.rollcalls.sources.kept import kept
from tallgrass.rollcalls.vote_tables import party_name
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

VOTE_WORDS = {
    "yea": 1,
    "yes": 1,
    "aye": 1,
    "nay": -1,
    "no": -1,
    "present and passing": 0,
    "absent and not voting": 0,
    "not voting": 0,
    "present": 0,
    "absent": 0,
    "excused": 0,
    "nv": 0,
}

_PARTS = ("votes", "rollcalls", "legislators")
# Columns of legislators that are read by name; others may name the groups of a run.
_OWN = ("slug", "name", "full_name", "party", "district", "chamber")


def matches(path: Path) -> bool:
    """Whether a folder or file belongs to one session in this layout, or in a similar one."""
    return SessionFiles.of(path) is not None


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of the session of a folder or of one of its files.

    Rows are the legislators listed for the chamber and any others who voted in it. A legislator
    listed for both chambers has a row in each.
    """
    files = SessionFiles.at(path)
    paths = [files.require(part) for part in _PARTS]
    return kept(paths, chamber, limits, lambda: read(files, chamber, limits))


def read(files: SessionFiles, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of a session, from its files."""
    paths = {part: files.require(part) for part in _PARTS}
    labels = {part: shown(path.name) for part, path in paths.items()}
    rollcalls = tables.read_table(
        paths["rollcalls"],
        ("vote_id", "chamber"),
        ("bill_number", "motion", "vote_type", "vote_datetime", "vote_date", "bill_title"),
        limits,
    )
    tables.require_filled(rollcalls, ["vote_id"], labels["rollcalls"])
    tables.require_unique(rollcalls, "vote_id", labels["rollcalls"])
    in_chamber = words.rollcalls_in(rollcalls, chamber, files.name)
    everything = tables.read_table(
        paths["legislators"],
        ("slug", "name", "party", "chamber"),
        ("full_name", "district"),
        limits,
        others=True,
    )
    tables.require_filled(everything, ["slug"], labels["legislators"])
    # Two rows that differ in a further column only are one legislator, whose first row counts.
    legislators = tables.one_row_each(
        everything[list(_OWN)], ("slug", "chamber"), labels["legislators"]
    )
    legislators = everything.loc[legislators.index]

    votes = tables.read_table(paths["votes"], ("vote_id", "legislator_slug", "vote"), (), limits)
    tables.require_known(votes, "vote_id", rollcalls["vote_id"], labels["votes"])
    tables.require_known(votes, "legislator_slug", legislators["slug"], labels["votes"])
    cells = words.cells(votes, "vote", VOTE_WORDS, labels["votes"])
    votes = votes.assign(cell=cells)[votes["vote_id"].isin(in_chamber["vote_id"])]
    return VoteMatrix.from_triples(
        words.triples(votes, "legislator_slug", "vote_id", "cell"),
        [
            _legislator(row)
            for row in _members(legislators, votes["legislator_slug"].drop_duplicates(), chamber)
        ],
        [_rollcall(row, labels["rollcalls"]) for row in tables.records(in_chamber)],
        files.name,
        chamber,
    )


def _members(legislators: pd.DataFrame, voters: pd.Series, chamber: str) -> list[dict[str, str]]:
    inside = words.in_chamber(legislators["chamber"], chamber)
    # Listed only for the other chamber, but voted in this one before moving.
    guests = (
        ~inside
        & legislators["slug"].isin(voters)
        & ~legislators["slug"].isin(legislators["slug"][inside])
    )
    return tables.records(legislators[inside | guests])


def _legislator(row: dict[str, str]) -> Legislator:
    name = row["full_name"] or row["name"] or row["slug"]
    further = tuple((column, text) for column, text in row.items() if column not in _OWN)
    return Legislator(row["slug"], name, party_name(row["party"]), row["district"], further)


def _rollcall(row: dict[str, str], label: str) -> RollCall:
    return RollCall(
        vote_id=row["vote_id"],
        bill=row["bill_number"],
        motion=row["motion"],
        vote_type=row["vote_type"],
        date=tables.iso_date(row["vote_datetime"] or row["vote_date"], f"{label} {row['vote_id']}"),
        title=row["bill_title"],
    )
