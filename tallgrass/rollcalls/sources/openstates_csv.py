"""OpenStates' CSV: the files of a session as in its bulk downloads, and its table of people.

The downloads say who voted by an id, and nothing of parties. These are in the table of people,
which is another download (https://data.openstates.org/people/current/ks.csv).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import Limits
from tallgrass.rollcalls.sources.openstates_events import CHAMBERS, Event, Events, Person, Vote

VOTES, VOTE_PEOPLE = "_votes.csv", "_vote_people.csv"
_HEADER_BYTES = 4096
_MOST_VOTES = 10_000  # of one roll call
_MOST_PARENTS = 5  # of a committee of a committee ...


def events_of(
    files: Mapping[str, Callable[[], bytes]], folder: Path, label: str, limits: Limits
) -> Events:
    """The roll calls of one session.

    Parameters
    ----------
    files : mapping of str to callable
        The content of a file by the end of its name, such as ``_votes.csv``.
    folder : Path
        Where a table of people may lie.
    label : str
        What the session is called in errors.
    """

    def table(end: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
        frame = tables.parse_table(
            files[end](), f"{end[1:]} in {label}", required, optional, limits
        )
        tables.require_filled(frame, required[:1], f"{end[1:]} in {label}")
        return frame

    columns = "motion_text", "motion_classification", "start_date", "organization_id", "bill_id"
    votes = table(VOTES, ("id",), (*columns, "jurisdiction", "session_identifier"))
    tables.require_unique(votes, "id", f"{VOTES[1:]} in {label}")
    cast = table(VOTE_PEOPLE, ("vote_event_id", "option", "voter_name"), ("voter_id",))
    tables.require_known(cast, "vote_event_id", votes["id"], f"{VOTE_PEOPLE[1:]} in {label}")
    by_event: dict[str, list[Vote]] = {}
    for event, person, name, option in cast[
        ["vote_event_id", "voter_id", "voter_name", "option"]
    ].itertuples(index=False, name=None):
        by_event.setdefault(event, []).append(Vote(person, name, option))
    counted = _counts(table("_vote_counts.csv", ("vote_event_id", "value"))) if (
        "_vote_counts.csv" in files
    ) else {}  # fmt: skip
    bills = {}
    if "_bills.csv" in files:
        rows = tables.records(table("_bills.csv", ("id", "identifier"), ("title",)))
        bills = {row["id"]: row for row in rows}
    bodies: dict[str, tuple[str, bool]] = {}
    if "_organizations.csv" in files:
        names = ("id", "classification"), ("parent_id",)
        bodies = _bodies(table("_organizations.csv", *names))
    events = []
    for row in tables.records(votes):
        chamber, committee = bodies.get(row["organization_id"], ("", False))
        bill = bills.get(row["bill_id"], {"identifier": "", "title": ""})
        events.append(
            Event(
                id=f"os_{row['id'].rpartition('/')[2]}",
                chamber=chamber,
                committee=committee,
                votes=tuple(by_event.get(row["id"], ())),
                counted=counted.get(row["id"], 0),
                bill=bill["identifier"],
                title=bill["title"],
                motion=row["motion_text"],
                kinds=tuple(re.findall(r"[\w-]+", row["motion_classification"])),
                date=row["start_date"],
            )
        )
    first = tables.records(votes.head(1))
    session = first[0]["session_identifier"] if first else ""
    where = first[0]["jurisdiction"] if first else ""
    name = "_".join(filter(None, (where, session))) or label
    return Events(name, events, people_in(folder, limits))


def people_in(folder: Path, limits: Limits) -> dict[str, Person]:
    """People by id, from every table of them in a folder."""
    people: dict[str, Person] = {}
    for path in sorted(folder.glob("*.csv")):
        if not _is_of_people(path):
            continue
        required = ("id", "name")
        optional = (
            "party", "current_party", "current_district", "current_chamber", "given_name",
            "family_name",
        )  # fmt: skip
        for row in tables.records(tables.read_table(path, required, optional, limits)):
            given, family = row["given_name"], row["family_name"]
            others = (family, f"{family}, {given}", f"{given} {family}") if family else ()
            people[row["id"]] = Person(
                row["name"],
                row["party"] or row["current_party"],
                row["current_district"],
                CHAMBERS.get(row["current_chamber"].lower(), ""),
                others,
            )
    return people


def _is_of_people(path: Path) -> bool:
    try:
        with tables.open_bytes(path) as stream:
            header = stream.readline(_HEADER_BYTES)
    except DataError:
        return False
    names = set(header.decode("utf-8-sig", "replace").strip().replace('"', "").split(","))
    return {"id", "name"} <= names and bool({"party", "current_party"} & names)


def _counts(table: pd.DataFrame) -> dict[str, int]:
    values = pd.to_numeric(table["value"], errors="coerce").clip(0, _MOST_VOTES).fillna(0)
    totals = values.groupby(table["vote_event_id"]).sum()
    return {str(event): int(total) for event, total in totals.items()}


def _bodies(organizations: pd.DataFrame) -> dict[str, tuple[str, bool]]:
    """Chamber of every organization, that of its parent for a committee, and if it is one."""
    rows = {row["id"]: row for row in tables.records(organizations)}
    bodies = {}
    for key, row in rows.items():
        body = row
        for _ in range(_MOST_PARENTS):
            if body["classification"].lower() in CHAMBERS or body["parent_id"] not in rows:
                break
            body = rows[body["parent_id"]]
        kind = row["classification"].lower()
        chamber = CHAMBERS.get(body["classification"].lower(), "")
        bodies[key] = (chamber, kind not in CHAMBERS)
    return bodies


def files_in(folder: Path, prefix: str, limits: Limits) -> dict[str, Callable[[], bytes]]:
    """The files ``<prefix><end>`` of a session in a folder, by the end of their names."""

    def reader(path: Path) -> Callable[[], bytes]:
        def read() -> bytes:
            with tables.open_bytes(path, limits) as stream:
                return stream.read()

        return read

    if not folder.is_dir():
        raise DataError("no such folder", shown(str(folder)))
    paths = folder.glob("*.csv")
    return {p.name.removeprefix(prefix): reader(p) for p in paths if p.name.startswith(prefix)}
