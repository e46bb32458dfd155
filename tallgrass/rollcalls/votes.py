"""Roll-call votes as one checked, immutable matrix."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.groups import PARTIES, groups_of
from tallgrass.rollcalls.vote_tables import long_votes, party_name

YEA, NAY, MISSING = 1, -1, 0
_OF_LEGISLATOR = ("slug", "name", "party", "district", "chamber")
_OF_ROLLCALL = ("vote_id", "bill", "motion", "vote_type", "date", "title")
MOST_CELLS = 1_000_000_000  # a byte each, and a second byte while the matrix is filled


@dataclass(frozen=True, slots=True)
class Legislator:
    """One member of a chamber. ``slug`` is the key that joins data and results.

    ``columns`` are further columns of the table of legislators, as (name, value); sources differ in
    them, and they are no part of who is equal to whom.

    Examples
    --------
    >>> tg.load_votes("sample", chamber="senate").legislators[0].party
    'Democrat'
    """

    slug: str
    name: str
    party: str = ""
    district: str = ""
    columns: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RollCall:
    """One recorded vote. ``vote_id`` is unique in a session; ``date`` is ISO 8601 or empty.

    Examples
    --------
    >>> tg.load_votes("sample", chamber="senate").rollcalls[0].date
    '2005-01-06'
    """

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
    groups : tuple of str, optional
        The groups among the members' parties that models and words speak of, the pair that fixes
        the scale first; without it those of :func:`~tallgrass.rollcalls.groups.groups_of`.

    Raises
    ------
    DataError
        When the shapes disagree, a cell is not -1, 0 or +1, or a slug or vote id occurs twice.

    Examples
    --------
    >>> votes = tg.load_votes("sample", chamber="senate")
    >>> votes.cells.shape
    (102, 645)
    """

    cells: NDArray[np.int8]
    legislators: tuple[Legislator, ...]
    rollcalls: tuple[RollCall, ...]
    session: str
    chamber: str
    groups: tuple[str, ...] = ()

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
        groups = tuple(self.groups) or groups_of(m.party for m in self.legislators)
        object.__setattr__(self, "groups", groups)

    def __repr__(self) -> str:
        n, m = self.cells.shape
        return (
            f"VoteMatrix({self.session} {self.chamber}: {n:,} legislators, {m:,} roll calls, "
            f"{self.n_observations:,} votes)"
        )

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

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        legislators: pd.DataFrame | None = None,
        rollcalls: pd.DataFrame | None = None,
        *,
        session: str = "memory",
        chamber: str = "senate",
        vote_map: Mapping[object, int] | None = None,
    ) -> "VoteMatrix":
        """Build a matrix from a table of votes in memory.

        Parameters
        ----------
        frame : DataFrame
            Long (legislator, rollcall, vote) or wide (a row a legislator, named by the index or a
            column ``legislator``; a column a roll call). It may have party, district and name, and
            where it is long, bill, motion, vote_type, date and title of the roll call.
        legislators : DataFrame, optional
            slug, and name, party, district, where ``frame`` does not have them; further columns may
            name the groups of a run.
        rollcalls : DataFrame, optional
            vote_id, and bill, motion, vote_type, date, title.
        session, chamber : str
            What the votes are called; ``senate`` or ``house``.
        vote_map : mapping, optional
            What every word means: 1 (yea), -1 (nay), or 0 (not observed, as an abstention may be).
            Without it the usual words and codes are known.

        Raises
        ------
        DataError
            When the table is neither long nor wide, a vote is not known, or a legislator or roll
            call is described twice.

        Examples
        --------
        >>> table = pd.DataFrame({"v1": ["Yea", "Nay"]}, index=["ann", "bob"])
        >>> VoteMatrix.from_frame(table).cells.tolist()
        [[1], [-1]]
        """
        votes, people, calls = long_votes(frame, vote_map)
        if legislators is not None:
            people = _described(legislators, "slug", people)
        if rollcalls is not None:
            calls = _described(rollcalls, "vote_id", calls)
        return cls.from_triples(
            votes[["slug", "vote_id", "cell"]].itertuples(index=False, name=None),
            [
                Legislator(
                    row["slug"],
                    row.get("name") or row["slug"],
                    party_name(row.get("party", "")),
                    row.get("district", ""),
                    tuple((str(k), str(v)) for k, v in row.items() if k not in _OF_LEGISLATOR),
                )
                for row in people.to_dict("records")
            ],
            [
                RollCall(*(row.get(name, "") for name in _OF_ROLLCALL))
                for row in calls.to_dict("records")
            ],
            session,
            chamber,
        )

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
        """Index into ``groups`` by row, -1 for another party; shape (n_legislators,)."""
        index = {party: g for g, party in enumerate(self.groups)}
        return np.array([index.get(member.party, -1) for member in self.legislators], np.int8)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over slugs, parties, vote ids, their order and the cells.

        Groups that do not follow from the parties count too.
        """
        parties = tuple(member.party for member in self.legislators)
        groups = (self.groups,) if self.has_groups_of_its_own else ()
        return self._sha256(self.slugs, parties, self.vote_ids, *groups)

    @property
    def has_groups_of_its_own(self) -> bool:
        """Whether the groups are others than those that follow from the parties."""
        return self.groups not in (PARTIES, groups_of(m.party for m in self.legislators))

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


def _described(described: pd.DataFrame, key: str, known: pd.DataFrame) -> pd.DataFrame:
    """Descriptions as text, completed by the rows of ``known`` that have none."""
    if key not in described:
        raise DataError(f"a table without the column {key}", ", ".join(map(str, described.columns)))
    text = described.astype(object).where(described.notna(), "").astype(str)
    _require_unique(key, list(text[key]))
    return pd.concat([text, known[~known[key].isin(text[key])]]).fillna("")


def _require_unique(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{kind} occurs twice", name, "every one must be unique")
        seen.add(name)
