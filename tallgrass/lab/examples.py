"""Data to play with, written as files, so that each command works from the first minute."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tallgrass.errors import SpecError, nearest
from tallgrass.items.example_data import example_bank
from tallgrass.rollcalls.example_data import SESSIONS, example_sessions
from tallgrass.rollcalls.sources.writing import write_session

_LEGISLATURE_README = """\
A simulated legislature: no member, bill or vote in it is real.

Three bienniums of a House of 125 and a Senate of 40, in the tallgrass CSV layout.
"""
_BANK_README = """\
A simulated item bank: no user, item or answer in it is real.

answers.csv  1,200 users, 20 of 32 items each; school is a column about users
anchors.csv  12 items of the bank, with a and b; one of them has become harder since
new.csv      200 persons who come later, to be scored
"""


class Example(NamedTuple):
    """A data set to play with: what it is, how it is written, what to try first."""

    summary: str
    write: Callable[[Path, int], list[Path]]
    commands: tuple[str, ...]  # with {folder}


def _legislature(folder: Path, seed: int) -> list[Path]:
    written = [folder / "README.txt"]
    written[0].write_text(_LEGISLATURE_README, "utf-8")
    for session, chambers in example_sessions(seed).items():
        (folder / session).mkdir()
        written += write_session(folder / session, chambers, gzip=True)
    return written


def _bank(folder: Path, seed: int) -> list[Path]:
    written = [folder / "README.txt"]
    written[0].write_text(_BANK_README, "utf-8")
    for name, table in example_bank(seed)._asdict().items():
        written.append(folder / f"{name}.csv")
        table.to_csv(written[-1], index=False)
    return written


EXAMPLES = {
    "kansas-like": Example(
        "three sessions of a simulated legislature of two chambers",
        _legislature,
        (
            f"tallgrass run --session {{folder}}/{SESSIONS[-1]} --chamber house",
            "tallgrass run --model dynamic --session '{folder}/*' --chamber senate",
        ),
    ),
    "item-bank": Example(
        "simulated answers to test items, anchors, and persons to score",
        _bank,
        (
            "tallgrass calibrate --responses {folder}/answers.csv --anchors {folder}/anchors.csv"
            " --ignore school --engine map",
        ),
    ),
}


def write_example(name: str, folder: Path, seed: int = 0) -> list[Path]:
    """Write an example into a new folder: all of it, or nothing.

    Parameters
    ----------
    name : str
        A key of ``EXAMPLES``.
    folder : Path
        A folder that does not exist yet, or is empty.
    seed : int
        Equal seeds give equal files.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SpecError
        When the name is unknown, or the folder holds something or cannot be written.
    """
    if name not in EXAMPLES:
        raise SpecError("unknown example", name, nearest(name, list(EXAMPLES)))
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SpecError("the folder holds something already", str(folder), "name a new one")
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Written beside it and moved there as a whole.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".example-") as beside:
            made = Path(beside) / folder.resolve().name
            made.mkdir()
            written = EXAMPLES[name].write(made, seed)
            if folder.exists():
                folder.rmdir()
            shutil.move(made, folder)
    except OSError as error:
        raise SpecError("cannot write the folder", str(folder), str(error.strerror)) from None
    return [folder / path.relative_to(made) for path in written]
