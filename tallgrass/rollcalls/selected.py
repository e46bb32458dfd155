"""Which roll calls of a chamber meet the conditions of a run."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError, shown
from tallgrass.inputs.tables import open_bytes
from tallgrass.rollcalls.matching import is_final
from tallgrass.rollcalls.selection import Selection
from tallgrass.rollcalls.votes import RollCall, VoteMatrix


def chosen(selection: Selection, votes: VoteMatrix) -> NDArray[np.bool_]:
    """Which roll calls meet every condition, shape (n_rollcalls,).

    Raises
    ------
    DataError
        When the file of bills cannot be read, or none of its bills was voted on; when no roll
        call meets the conditions.
    """
    bills = _bills_in(selection.bills) if selection.bills else set()
    known = {plain_number(rollcall.bill) for rollcall in votes.rollcalls}
    if selection.bills and not bills & known:
        raise DataError(
            f"none of the bills in {shown(Path(selection.bills).name)} was voted on",
            ", ".join(sorted(bills)[:3]),
            f"write them as {next(iter(sorted(known - {''})), 'HB 2001')}",
        )
    result = np.array([_meets(selection, rollcall, bills) for rollcall in votes.rollcalls], bool)
    if not result.any():
        raise DataError(
            f"no roll call of the {votes.chamber} meets the conditions of rollcalls",
            selection.text,
            "widen them",
        )
    return result


def _meets(selection: Selection, rollcall: RollCall, bills: set[str]) -> bool:
    day = rollcall.date[:10]
    if selection.since and day < selection.since:
        return False
    if selection.until and not "" < day <= selection.until:
        return False
    words = f"{rollcall.title}\n{rollcall.motion}".lower()
    if not all(title.lower() in words for title in selection.titles):
        return False
    if bills and plain_number(rollcall.bill) not in bills:
        return False
    return not selection.final or is_final(rollcall)


def _bills_in(path: str) -> set[str]:
    file = Path(path)
    if not file.is_file():
        raise DataError("no such file of bills", path, "give a text file with one bill a line")
    with open_bytes(file) as stream:
        lines = stream.read().decode("utf-8-sig", "replace").splitlines()
    return {plain_number(line) for line in lines} - {""}


def plain_number(bill: str) -> str:
    """A bill number without blanks, points, zeros in front and case: ``H.B. 0021`` is HB21."""
    plain = re.sub(r"[\s.]", "", bill).upper()
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", plain)
