"""The embedded sample: the 109th United States Senate (2005-2006), in the tallgrass CSV layout."""

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from tallgrass.rollcalls.sources import tallgrass_csv
from tallgrass.rollcalls.sources.files import SessionFiles
from tallgrass.rollcalls.votes import VoteMatrix


def matches(path: Path) -> bool:
    """Whether the session is ``sample``; a folder of that name is written ``./sample``."""
    return path == Path("sample")


def load(path: Path, chamber: str) -> VoteMatrix:
    """The sample's Senate; it has no House."""
    with as_file(files("tallgrass") / "data") as folder:
        votes = tallgrass_csv.read(SessionFiles(folder, "us_senate_109"), chamber)
    return replace(votes, session=str(path))
