"""Where inputs are: addresses of databases, and paths relative to another folder."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# An SQLite file by a relative path; with four slashes the path is absolute.
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)([^?]+)(.*)")


def is_database(location: str) -> bool:
    """Whether a location is the address of a database and not a file."""
    return "://" in location


def as_given_from(folder: Path, text: str) -> str:
    """The text as an absolute path, if it is a path that exists in ``folder``; else unchanged.

    The path may go on inside a zip file, and it may be that of an SQLite file in an address.

    Parameters
    ----------
    folder : Path
        The working folder of the process that received the text.
    text : str
        A path, or another text, such as the name of a session or an address.

    Examples
    --------
    >>> as_given_from(Path("/no/such/folder"), "sample")
    'sample'
    >>> as_given_from(Path("/data"), "sqlite:///answers.db")
    'sqlite:////data/answers.db'
    """
    if address := _SQLITE.fullmatch(text):
        start, path, options = address.groups()
        return f"{start}{folder / path}{options}"
    if not text or is_database(text) or Path(text).is_absolute():
        return text
    path = folder / text
    try:
        return str(path) if path.exists() or zip_in(path) is not None else text
    except OSError:  # not a possible path, for example too long
        return text


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain file opened for reading: a pipe would never end, and a device fill the memory.

    Raises
    ------
    OSError
        When it cannot be opened, or is a folder, a pipe or a device.
    """
    # Not to wait for a writer, which is what opening a pipe does.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "a pipe or a device, and no file", str(path))
        yield file


def zip_in(path: Path) -> Path | None:
    """The zip file that a path leads into, as ``votes.zip/KS/2025`` does; None where none is."""
    zips = (parent for parent in path.parents if parent.suffix.lower() == ".zip")
    try:
        return next((parent for parent in zips if parent.is_file()), None)
    except (OSError, ValueError):  # not a possible path
        return None
