"""OpenStates' downloads, CSV and JSON, as a zip, a folder or one of their files (README.md)."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import openstates_csv, openstates_json, zips
from tallgrass.rollcalls.sources.openstates_csv import VOTE_PEOPLE, VOTES
from tallgrass.rollcalls.sources.openstates_events import Events, votes_of
from tallgrass.rollcalls.votes import VoteMatrix

_PLAIN = re.compile(r"\w[\w .,()&'-]{0,99}")
_BILLS = "_bills.json"  # of a bulk download
_DEPTH = 2  # folders below the one that is named
_LOOKED_AT, _HEAD = 5, 1 << 20  # JSON files, and bytes of each, to tell what they hold


def matches(path: Path) -> bool:
    """Whether the path is a zip, a folder or a file with roll calls as OpenStates has them."""
    if path.is_dir():
        return bool(_csv_sessions(path) or _documents(path))
    if not path.is_file():
        return False
    if path.name.endswith(VOTES):
        return Path(str(path).removesuffix(VOTES) + VOTE_PEOPLE).is_file()
    if path.suffix.lower() != ".zip":
        return path.suffix.lower() == ".json"
    try:
        names = zips.names_in(path, DEFAULT_LIMITS)
    except DataError:
        return False  # another loader raises the error of the file
    return any(name.endswith((VOTE_PEOPLE, _BILLS)) for name in names)


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of a session; nothing is written to disk.

    Raises
    ------
    DataError
        When a file cannot be read, there is more than one session, or none of the chamber.
    """
    label = shown(path.name)
    if path.suffix.lower() == ".zip" and path.is_file():
        events = _of_zip(path, label, limits)
    elif path.is_file() and path.name.endswith(VOTES):
        events = _of_csv(path, label, limits)
    elif path.is_file():
        events = _of_json([path], path.parent, label, limits)
    elif sessions := _csv_sessions(path):
        if len(sessions) > 1:
            raise DataError(
                f"{len(sessions)} OpenStates sessions in this folder",
                ", ".join(str(votes.relative_to(path)) for votes in sessions),
                f"name one of them, as session={sessions[0]}",
            )
        events = _of_csv(sessions[0], label, limits)
    else:
        events = _of_json(_documents(path), path, label, limits)
    # The name comes from the file, and stands in the names of runs.
    plain = _PLAIN.fullmatch(events.session) and ".." not in events.session
    return votes_of(events if plain else replace(events, session=path.stem), chamber, label)


def _csv_sessions(folder: Path) -> list[Path]:
    """The files of votes in a folder, or up to two below, that have one of people beside them."""
    places = ("/".join(["*"] * depth + [f"*{VOTE_PEOPLE}"]) for depth in range(_DEPTH + 1))
    found = [path for place in places for path in sorted(folder.glob(place))]
    votes = [Path(str(path).removesuffix(VOTE_PEOPLE) + VOTES) for path in found]
    return [path for path in votes if path.is_file()]


def _documents(folder: Path) -> list[Path]:
    """The JSON files of a scraper, of the API or of a bulk download in a folder."""
    for pattern in ("vote_event_*.json", "*/vote_event_*.json"):
        if found := sorted(folder.glob(pattern)):
            return [*sorted(found[0].parent.glob("bill_*.json")), *found]
    found = sorted(folder.glob("*.json"))
    return found if any(map(_has_votes, found[:_LOOKED_AT])) else []


def _has_votes(path: Path) -> bool:
    try:
        with tables.open_bytes(path) as stream:
            return b'"motion_text"' in stream.read(_HEAD)
    except DataError:
        return False


def _of_csv(votes: Path, label: str, limits: Limits) -> Events:
    files = openstates_csv.files_in(votes.parent, votes.name.removesuffix(VOTES), limits)
    return openstates_csv.events_of(files, votes.parent, label, limits)


def _of_json(paths: list[Path], folder: Path, label: str, limits: Limits) -> Events:
    limits.check_files(label, len(paths))
    limits.check_size(label, sum(path.stat().st_size for path in paths))
    documents = []
    for path in paths:
        with tables.open_bytes(path, limits) as stream:
            documents.append((path.name, stream.read()))
    people = openstates_csv.people_in(folder, limits)
    return openstates_json.events_of(documents, people, label)


def _of_zip(path: Path, label: str, limits: Limits) -> Events:
    names = zips.names_in(path, limits)
    sessions = [name for name in names if name.endswith((VOTE_PEOPLE, _BILLS))]
    if len(sessions) > 1:
        raise DataError(
            f"{len(sessions)} OpenStates sessions in {label}",
            ", ".join(sessions),
            "unpack it and name the folder of one",
        )
    if sessions[0].endswith(_BILLS):
        documents = zip(sessions, zips.contents(path, sessions, limits), strict=True)
        people = openstates_csv.people_in(path.parent, limits)
        return openstates_json.events_of(
            ((PurePosixPath(name).name, data) for name, data in documents), people, label
        )
    prefix = sessions[0].removesuffix(VOTE_PEOPLE)
    ends = (
        "_votes.csv",
        "_vote_people.csv",
        "_vote_counts.csv",
        "_bills.csv",
        "_organizations.csv",
    )
    held = {end: f"{prefix}{end}" for end in ends if f"{prefix}{end}" in names}
    if VOTES not in held:
        raise DataError(f"{label} without its file {prefix}{VOTES}", None, "download it again")
    data = zips.contents(path, list(held.values()), limits)
    files = {end: partial(bytes, content) for end, content in zip(held, data, strict=True)}
    return openstates_csv.events_of(files, path.parent, label, limits)
