"""The filters that all models share: roll calls and legislators that carry little information."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.votes import NAY, YEA, RollCall, VoteMatrix


@dataclass(frozen=True, slots=True)
class Drop:
    """One roll call or legislator that was left out, and why."""

    kind: str  # "rollcall" or "legislator"
    id: str
    name: str
    reason: str  # "selection", "committee", "duplicate", "minority", "min_votes" or "independent"
    detail: str


@dataclass(frozen=True)
class FilterLog:
    """What the filters dropped, and their settings."""

    minority_threshold: float
    min_votes: int
    n_legislators_read: int
    n_rollcalls_read: int
    drops: tuple[Drop, ...] = field(default=())

    def count(self, reason: str) -> int:
        """The number of drops for one reason."""
        return sum(drop.reason == reason for drop in self.drops)


def filter_votes(
    votes: VoteMatrix,
    minority_threshold: float,
    min_votes: int,
    parties_only: bool,
    committee: bool = True,
    settled: bool = False,
    chosen: NDArray[np.bool_] | None = None,
) -> tuple[VoteMatrix, FilterLog]:
    """Drop roll calls and legislators that carry little information.

    Dropped are, in this order: roll calls that are not ``chosen`` (by
    :func:`~tallgrass.rollcalls.selected.chosen`, if given), roll calls of committees, unless
    ``committee``; duplicate roll calls (same bill, motion and votes; the earliest date stays, then
    the lowest id; roll calls without a bill are never duplicates), roll calls with a minority share
    of Yea + Nay below ``minority_threshold`` (a fraction), legislators with fewer than
    ``min_votes`` observed votes and, if ``parties_only``, members of neither major party. A
    legislator whose party is unknown stays, and :func:`check_parties` names them. With ``settled``
    the last three are repeated with what is left until nothing more is dropped, so that every roll
    call that stays has its minority among the members that stay; version 0.1 did them once.

    Raises
    ------
    DataError
        When no roll call or no legislator remains.
    """
    drops: list[Drop] = []
    rows = np.ones(len(votes.legislators), bool)
    columns = np.ones(len(votes.rollcalls), bool)
    for j, rollcall in enumerate(votes.rollcalls):
        if chosen is not None and not chosen[j]:
            columns[j] = False
            drops.append(_rollcall_drop(rollcall, "selection", "not among those asked for"))
        elif rollcall.committee and not committee:
            columns[j] = False
            drops.append(_rollcall_drop(rollcall, "committee", "not of the whole chamber"))
    _drop_duplicates(votes, columns, drops)
    left = -1
    while left != (left := int(rows.sum() + columns.sum())):
        _drop_one_sided(votes, minority_threshold, rows, columns, drops)
        _drop_members(votes, min_votes, parties_only, rows, columns, drops)
        if not (settled and rows.any() and columns.any()):
            break
    log = FilterLog(minority_threshold, min_votes, len(rows), len(columns), tuple(drops))
    if not (rows.any() and columns.any()):
        raise DataError(
            f"nothing left of the {votes.chamber} of {votes.session} after the filters",
            f"minority_threshold={minority_threshold}, min_votes={min_votes}",
            f"{rows.sum()} of {len(rows)} legislators and {columns.sum()} of {len(columns)} "
            "roll calls remain; lower the thresholds",
        )
    return votes.select(rows, columns), log


def _drop_duplicates(votes: VoteMatrix, columns: NDArray[np.bool_], drops: list[Drop]) -> None:
    """Later records of a roll call with the same bill, motion and votes."""
    seen: dict[tuple[str, str, bytes], str] = {}
    order = sorted(map(int, np.flatnonzero(columns)), key=lambda j: _age(votes.rollcalls[j]))
    for j in order:
        rollcall = votes.rollcalls[j]
        if not rollcall.bill:
            continue
        key = (rollcall.bill, rollcall.motion, votes.cells[:, j].tobytes())
        first = seen.setdefault(key, rollcall.vote_id)
        if first != rollcall.vote_id:
            columns[j] = False
            drops.append(_rollcall_drop(rollcall, "duplicate", f"same votes as {first}"))


def _drop_one_sided(
    votes: VoteMatrix,
    minority_threshold: float,
    rows: NDArray[np.bool_],
    columns: NDArray[np.bool_],
    drops: list[Drop],
) -> None:
    """Roll calls without enough of a minority among the members that are left."""
    cells = votes.cells[rows]
    yeas, nays = (cells == YEA).sum(axis=0), (cells == NAY).sum(axis=0)
    share = np.minimum(yeas, nays) / np.maximum(yeas + nays, 1)
    one_sided = columns & ((share < minority_threshold) | (yeas + nays == 0))
    for j in map(int, np.flatnonzero(one_sided)):
        columns[j] = False
        tally = f"{yeas[j]} yea, {nays[j]} nay: minority {100 * share[j]:.1f} %"
        drops.append(_rollcall_drop(votes.rollcalls[j], "minority", tally))


def _drop_members(
    votes: VoteMatrix,
    min_votes: int,
    parties_only: bool,
    rows: NDArray[np.bool_],
    columns: NDArray[np.bool_],
    drops: list[Drop],
) -> None:
    """Legislators with few votes on what is left, or of neither party."""
    observed = np.count_nonzero(votes.cells[:, columns], axis=1)
    for i in map(int, np.flatnonzero(rows)):
        member = votes.legislators[i]
        if observed[i] < min_votes:
            reason, detail = "min_votes", f"{observed[i]} observed votes"
        elif parties_only and member.party and votes.party_index[i] < 0:
            reason, detail = "independent", f"party {member.party}"
        else:
            continue
        rows[i] = False
        drops.append(Drop("legislator", member.slug, member.name, reason, detail))


def _age(rollcall: RollCall) -> tuple[str, int, str]:
    """Sort key of roll calls, earliest first; ids of different lengths compare like numbers."""
    return rollcall.date or "9999", len(rollcall.vote_id), rollcall.vote_id


def _rollcall_drop(rollcall: RollCall, reason: str, detail: str) -> Drop:
    name = " ".join(part for part in (rollcall.bill, rollcall.motion) if part)
    return Drop("rollcall", rollcall.vote_id, name, reason, detail)
