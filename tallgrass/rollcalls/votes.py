"""Roll-call votes as one checked, immutable matrix, and the filters that all models share."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError

YEA, NAY, MISSING = 1, -1, 0
MOST_CELLS = 1_000_000_000  # a byte each, and a second byte while the matrix is filled
PARTIES = ("Democrat", "Republican")  # the order of every party axis: lower mean first


@dataclass(frozen=True, slots=True)
class Legislator:
    """One member of a chamber. ``slug`` is the key that joins data and results."""

    slug: str
    name: str
    party: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class RollCall:
    """One recorded vote. ``vote_id`` is unique in a session; ``date`` is ISO 8601 or empty."""

    vote_id: str
    bill: str = ""
    motion: str = ""
    vote_type: str = ""
    date: str = ""
    title: str = ""
    committee: bool = False  # of a committee, and not of the whole chamber


@dataclass(frozen=True, eq=False)
class VoteMatrix:
    """Legislators x roll calls, checked once and immutable.

    Rows are sorted by slug and columns by vote id, so that the same votes have the same
    fingerprint, whatever order they are read in.

    Parameters
    ----------
    cells : ndarray of int8, shape (n_legislators, n_rollcalls)
        +1 yea, -1 nay, 0 not observed.
    legislators : tuple of Legislator
        One per row.
    rollcalls : tuple of RollCall
        One per column.
    session, chamber : str
        Source of the votes; ``chamber`` is ``senate`` or ``house``.

    Raises
    ------
    DataError
        When the shapes disagree, a cell is not -1, 0 or +1, or a slug or vote id occurs twice.
    """

    cells: NDArray[np.int8]
    legislators: tuple[Legislator, ...]
    rollcalls: tuple[RollCall, ...]
    session: str
    chamber: str

    def __post_init__(self) -> None:
        shape = (len(self.legislators), len(self.rollcalls))
        cells = np.asarray(self.cells)
        if cells.shape != shape:
            raise DataError("votes matrix of the wrong shape", cells.shape, f"expected {shape}")
        with np.errstate(invalid="ignore"):  # NaN becomes an integer, which differs from NaN
            integers = cells.astype(np.int8)
        in_range = integers.min(initial=MISSING) >= NAY and integers.max(initial=MISSING) <= YEA
        if not (in_range and np.array_equal(integers, cells)):
            raise DataError("votes matrix with a cell that is not -1, 0 or +1")
        _require_unique("legislator slug", [member.slug for member in self.legislators])
        _require_unique("roll call id", [rollcall.vote_id for rollcall in self.rollcalls])
        rows = sorted(range(shape[0]), key=lambda i: self.legislators[i].slug)
        columns = sorted(range(shape[1]), key=lambda j: self.rollcalls[j].vote_id)
        # The fancy index copies, so the caller's array is not made read-only below.
        ordered = np.ascontiguousarray(integers[np.ix_(rows, columns)])
        ordered.flags.writeable = False
        object.__setattr__(self, "cells", ordered)
        object.__setattr__(self, "legislators", tuple(self.legislators[i] for i in rows))
        object.__setattr__(self, "rollcalls", tuple(self.rollcalls[j] for j in columns))

    @classmethod
    def from_triples(
        cls,
        triples: Iterable[tuple[str, str, int]],
        legislators: Sequence[Legislator],
        rollcalls: Sequence[RollCall],
        session: str,
        chamber: str,
    ) -> "VoteMatrix":
        """Build a matrix from (slug, vote id, vote) triples; other cells are unobserved.

        Raises
        ------
        DataError
            When a triple names an unknown legislator or roll call, or two triples one cell.
        """
        row = {member.slug: i for i, member in enumerate(legislators)}
        column = {rollcall.vote_id: j for j, rollcall in enumerate(rollcalls)}
        if len(row) * len(column) > MOST_CELLS:
            raise DataError(
                "too many legislators and roll calls for one matrix",
                f"{len(row):,} x {len(column):,}",
                f"at most {MOST_CELLS:,} cells: split the session",
            )
        cells = np.zeros((len(row), len(column)), np.int8)
        seen = np.zeros(cells.shape, bool)
        for slug, vote_id, vote in triples:
            if slug not in row:
                raise DataError("vote by an unknown legislator", slug, "add it to the legislators")
            if vote_id not in column:
                raise DataError("vote on an unknown roll call", vote_id, "add it to the roll calls")
            cell = row[slug], column[vote_id]
            if seen[cell]:
                raise DataError(
                    "duplicate rows: two votes by one legislator on one roll call",
                    f"{slug}, {vote_id}",
                    "remove one of the two rows",
                )
            seen[cell] = True
            cells[cell] = vote
        return cls(cells, tuple(legislators), tuple(rollcalls), session, chamber)

    @property
    def slugs(self) -> tuple[str, ...]:
        """Legislator slugs, one per row."""
        return tuple(member.slug for member in self.legislators)

    @property
    def vote_ids(self) -> tuple[str, ...]:
        """Roll call ids, one per column."""
        return tuple(rollcall.vote_id for rollcall in self.rollcalls)

    @property
    def n_observations(self) -> int:
        """Number of observed votes."""
        return int(np.count_nonzero(self.cells))

    @cached_property
    def party_index(self) -> NDArray[np.int8]:
        """Index into PARTIES by row, -1 for another party; shape (n_legislators,)."""
        index = {party: g for g, party in enumerate(PARTIES)}
        return np.array([index.get(member.party, -1) for member in self.legislators], np.int8)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over slugs, parties, vote ids, their order and the cells."""
        parties = tuple(member.party for member in self.legislators)
        return self._sha256(self.slugs, parties, self.vote_ids)

    @cached_property
    def former_fingerprint(self) -> str:
        """The fingerprint as version 0.1 made it, without parties: runs are stored with it."""
        return self._sha256(self.slugs, self.vote_ids)

    def _sha256(self, *lists: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for names in lists:
            # Counts and lengths come first, so that different matrices give different bytes.
            digest.update(len(names).to_bytes(4, "little"))
            for name in names:
                encoded = name.encode()
                digest.update(len(encoded).to_bytes(4, "little") + encoded)
        digest.update(self.cells.tobytes())
        return digest.hexdigest()

    def select(self, rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> "VoteMatrix":
        """The matrix of the rows and columns whose mask is true."""
        return replace(
            self,
            cells=self.cells[np.ix_(rows, columns)],
            legislators=tuple(m for m, keep in zip(self.legislators, rows, strict=True) if keep),
            rollcalls=tuple(r for r, keep in zip(self.rollcalls, columns, strict=True) if keep),
        )

    def renamed(self, slugs: Mapping[str, str]) -> "VoteMatrix":
        """The same votes with legislators renamed; slugs that are not in ``slugs`` stay."""
        members = tuple(replace(m, slug=slugs.get(m.slug, m.slug)) for m in self.legislators)
        return replace(self, legislators=members)


@dataclass(frozen=True, slots=True)
class Drop:
    """One roll call or legislator that was left out, and why."""

    kind: str  # "rollcall" or "legislator"
    id: str
    name: str
    reason: str  # "committee", "duplicate", "minority", "min_votes" or "independent"
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
) -> tuple[VoteMatrix, FilterLog]:
    """Drop roll calls and legislators that carry little information.

    Dropped are, in this order: roll calls of committees, unless ``committee``; duplicate roll calls
    (same bill, motion and votes; the earliest date stays, then the lowest id; roll calls without a
    bill are never duplicates), roll calls with a minority share of Yea + Nay below
    ``minority_threshold`` (a fraction), legislators with fewer than ``min_votes`` observed votes
    and, if ``parties_only``, members of neither major party. A legislator whose party is unknown
    stays, and :func:`check_parties` names them. With ``settled`` the last three are repeated with
    what is left until nothing more is dropped, so that every roll call that stays has its minority
    among the members that stay; version 0.1 did them once.

    Raises
    ------
    DataError
        When no roll call or no legislator remains.
    """
    drops: list[Drop] = []
    rows = np.ones(len(votes.legislators), bool)
    columns = np.ones(len(votes.rollcalls), bool)
    for j, rollcall in enumerate(votes.rollcalls):
        if rollcall.committee and not committee:
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


def require_both_parties(votes: VoteMatrix) -> None:
    """Refuse votes of other parties before a filter leaves nothing of them.

    Raises
    ------
    DataError
        When one of the two major parties has no member.
    """
    for g, party in enumerate(PARTIES):
        if g not in votes.party_index:
            parties = sorted({member.party or "unknown" for member in votes.legislators})
            raise DataError(
                f"no {party} in the {votes.chamber} of {votes.session}",
                f"parties: {', '.join(parties)}",
                "a party model needs members of both major parties: use model=flat",
            )


def check_parties(votes: VoteMatrix) -> None:
    """Refuse votes that a party model cannot use; members of other parties are allowed.

    Raises
    ------
    DataError
        When a legislator's party is unknown, or one of the two major parties has no member.
    """
    unknown = [member.slug for member in votes.legislators if not member.party]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {len(votes.legislators)} legislators without a party",
            ", ".join(unknown),
            "fill in the party column, or use model=flat",
        )
    require_both_parties(votes)


def _age(rollcall: RollCall) -> tuple[str, int, str]:
    """Sort key of roll calls, earliest first; ids of different lengths compare like numbers."""
    return rollcall.date or "9999", len(rollcall.vote_id), rollcall.vote_id


def _rollcall_drop(rollcall: RollCall, reason: str, detail: str) -> Drop:
    name = " ".join(part for part in (rollcall.bill, rollcall.motion) if part)
    return Drop("rollcall", rollcall.vote_id, name, reason, detail)


def _require_unique(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{kind} occurs twice", name, "every one must be unique")
        seen.add(name)
