"""Many sessions of one chamber, or of both, as one value: who sits where, what links the scales.

A *sitting* is one chamber in one session. A *member-session* is one member in one sitting, called
``slug@session``; it is a row of the combined votes, and has an ideal point of its own.
"""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError, nearest
from tallgrass.rollcalls.career_links import Bridges, Integers, Links, Sitting, bridges, links
from tallgrass.rollcalls.group_checks import check_parties
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.persons import Persons
from tallgrass.rollcalls.start import Start, make_start
from tallgrass.rollcalls.votes import VoteMatrix

FEW_COMMON = 10  # fewer members in common with the sessions before get a warning
LAST = "last"  # as the reference session


@dataclass(frozen=True, eq=False)
class Careers:
    """Sittings in the order of time, the House's before the Senate's, and their persons.

    Parameters
    ----------
    sittings : tuple of Sitting
        The votes of each as modelled, with slugs and vote ids as read.
    persons : Persons
        Who is who, sitting after sitting, row after row.
    reference : str
        The session that sets the scale (in the House if there are both chambers).
    chamber_changes, matched_bills : bool
        Whether members who change chamber, and bills that both voted on, carry the scale.

    Raises
    ------
    DataError
        When there are fewer than two sessions, two of one time, a chamber lacks a party, the
        reference is unknown, or no member links a session to the others.
    """

    sittings: tuple[Sitting, ...]
    persons: Persons
    reference: str = LAST
    chamber_changes: bool = True
    matched_bills: bool = True

    def __post_init__(self) -> None:
        if len(self.sessions) < 2:
            raise DataError(
                "the dynamic model needs two sessions or more",
                ", ".join(self.sessions),
                "give session=A,B or a pattern such as FOLDER/*; one session is model=hierarchical",
            )
        for sitting in self.sittings:
            check_parties(sitting.votes)
        for chamber in self.chambers:
            own = [s for s in self.sittings if s.chamber == chamber]
            for before, after in itertools.pairwise(own):
                if after.time <= before.time:
                    raise DataError(
                        f"two sessions of the {chamber} of one time",
                        f"{before.session}, {after.session}",
                        "leave one out, or name them by their years",
                    )
        self.reference_sitting  # noqa: B018 - computed now, to refuse an unknown reference
        self._require_links()
        self.combined  # noqa: B018 - computed now, to refuse a name that occurs twice

    @cached_property
    def sessions(self) -> tuple[str, ...]:
        """The sessions in the order of time."""
        times = {s.session: s.time for s in self.sittings}
        return tuple(sorted(times, key=lambda session: times[session]))

    @property
    def names(self) -> list[str]:
        """Names of the sittings: of their sessions, with the chamber if there are two."""
        return [s.name if self.both else s.session for s in self.sittings]

    @cached_property
    def chambers(self) -> tuple[str, ...]:
        """The chambers, the one that sets the scale first."""
        return tuple(dict.fromkeys(s.chamber for s in self.sittings))

    @property
    def both(self) -> bool:
        """Whether there are two chambers."""
        return len(self.chambers) == 2

    @cached_property
    def reference_session(self) -> str:
        """The session that sets the scale, by its full name."""
        if self.reference == LAST:
            return [s for s in self.sittings if s.chamber == self.chambers[0]][-1].session
        names = [s.session for s in self.sittings if s.chamber == self.chambers[0]]
        fits = [name for name in names if name == self.reference] or [
            name for name in names if name.startswith(self.reference)
        ]
        if len(fits) != 1:
            what = "more than one session fits the reference" if fits else "unknown reference"
            raise DataError(what, self.reference, nearest(self.reference, [LAST, *names]))
        return fits[0]

    @cached_property
    def reference_sitting(self) -> int:
        """Index of the sitting whose party means are at -1 and +1."""
        return next(i for i, s in enumerate(self.sittings) if s.session == self.reference_session)

    def chamber_reference(self, chamber: str) -> int:
        """Index of a chamber's sitting in the reference session; its last, if it has none."""
        own = [i for i, s in enumerate(self.sittings) if s.chamber == chamber]
        same = [i for i in own if self.sittings[i].session == self.reference_session]
        return (same or own[-1:])[0]

    @cached_property
    def bounds(self) -> Integers:
        """Where the rows of each sitting begin and end, shape (n_sittings + 1,)."""
        return np.cumsum([0, *(len(s.votes.legislators) for s in self.sittings)])

    @cached_property
    def sitting_of_row(self) -> Integers:
        """Index of the sitting of every member-session, sitting after sitting."""
        return np.repeat(np.arange(len(self.sittings)), np.diff(self.bounds))

    @cached_property
    def party_of_row(self) -> Integers:
        """Party of every member-session, sitting after sitting."""
        return np.concatenate([s.votes.party_index for s in self.sittings]).astype(np.int64)

    @cached_property
    def sitting_of_column(self) -> Integers:
        """Index of the sitting of every roll call, sitting after sitting."""
        counts = [len(s.votes.rollcalls) for s in self.sittings]
        return np.repeat(np.arange(len(self.sittings)), counts)

    @cached_property
    def links(self) -> Links:
        """Which member-sessions follow which."""
        return links(self.sittings, self.persons.of_seat, self.chamber_changes)

    @cached_property
    def bridges(self) -> Bridges:
        """Matched bills of all sessions; none if they do not carry the scale."""
        return bridges(self.sittings if self.both and self.matched_bills else ())

    @cached_property
    def combined(self) -> VoteMatrix:
        """All member-sessions x all roll calls; votes in other sittings are missing."""
        names, ids = self._names()
        cells = np.zeros((len(names), len(ids)), np.int8)
        first_row = first_column = 0
        for sitting in self.sittings:
            n, m = sitting.votes.cells.shape
            block = cells[first_row : first_row + n, first_column : first_column + m]
            block[:] = sitting.votes.cells
            first_row, first_column = first_row + n, first_column + m
        members = [m for s in self.sittings for m in s.votes.legislators]
        rollcalls = [r for s in self.sittings for r in s.votes.rollcalls]
        return VoteMatrix(
            cells,
            tuple(replace(m, slug=name) for m, name in zip(members, names, strict=True)),
            tuple(replace(r, vote_id=name) for r, name in zip(rollcalls, ids, strict=True)),
            f"{self.sessions[0]} to {self.sessions[-1]}",
            "both" if self.both else self.chambers[0],
        )

    def _names(self) -> tuple[list[str], list[str]]:
        """Names of the rows and of the columns, with the chamber where both have one."""
        names = [
            [(s, _at(slug, s)) for s in self.sittings for slug in s.votes.slugs],
            [(s, _at(vote_id, s)) for s in self.sittings for vote_id in s.votes.vote_ids],
        ]
        full = []
        for entries in names:
            times = Counter(name for _, name in entries)
            full.append(
                [f"{s.chamber}:{n}" if self.both and times[n] > 1 else n for s, n in entries]
            )
        return full[0], full[1]

    @cached_property
    def rows(self) -> Integers:
        """The row in ``combined`` of every member-session, sitting after sitting."""
        row = {slug: i for i, slug in enumerate(self.combined.slugs)}
        return np.array([row[name] for name in self._names()[0]], np.int64)

    @cached_property
    def columns(self) -> Integers:
        """The column in ``combined`` of every roll call, sitting after sitting."""
        column = {vote_id: j for j, vote_id in enumerate(self.combined.vote_ids)}
        return np.array([column[name] for name in self._names()[1]], np.int64)

    def in_combined_order(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values by member-session, sitting after sitting, in the order of ``combined``."""
        ordered = np.empty_like(values)
        ordered[self.rows] = values
        return ordered

    @cached_property
    def blocks(self) -> tuple[VoteMatrix, ...]:
        """The votes of every sitting, with the names that rows and columns have in ``combined``."""
        ends = np.cumsum([0, *(len(s.votes.rollcalls) for s in self.sittings)])
        blocks = []
        for i, sitting in enumerate(self.sittings):
            rows, columns = (np.zeros(n, bool) for n in self.combined.cells.shape)
            rows[self.rows_of(i)] = True
            columns[self.columns[ends[i] : ends[i + 1]]] = True
            block = self.combined.select(rows, columns)
            blocks.append(replace(block, session=sitting.session, chamber=sitting.chamber))
        return tuple(blocks)

    def rows_of(self, sitting: int) -> Integers:
        """The rows in ``combined`` of one sitting, in the order of its votes."""
        return self.rows[self.bounds[sitting] : self.bounds[sitting + 1]]

    @cached_property
    def components(self) -> Integers:
        """Sittings that members or bills link have the same number, shape (n_sittings,)."""
        number = np.arange(len(self.sittings))
        pairs = [
            (self.sitting_of_row[self.links.previous], self.sitting_of_row[self.links.current]),
            (self.bridges.house_sitting, self.bridges.senate_sitting),
        ]
        for first, second in pairs:
            for a, b in set(zip(first.tolist(), second.tolist(), strict=True)):
                number[number == number[b]] = number[a]
        return number

    def few_links(self, fewest: int = FEW_COMMON) -> list[str]:
        """Sittings whose scale fewer members than ``fewest`` carry, in words."""
        counts = np.bincount(self.sitting_of_row[self.links.current], minlength=len(self.sittings))
        first = {
            next(i for i, s in enumerate(self.sittings) if s.chamber == c): c for c in self.chambers
        }
        return [
            f"{sitting.name} and earlier sessions ({counts[i]})"
            for i, sitting in enumerate(self.sittings)
            if i not in first and counts[i] < fewest
        ]

    def _require_links(self) -> None:
        for chamber in self.chambers:
            own = np.array([i for i, s in enumerate(self.sittings) if s.chamber == chamber])
            numbers = self.components[own]
            start = own[0] if self.reference_sitting not in own else self.reference_sitting
            apart = own[numbers != self.components[start]]
            if len(apart):
                raise DataError(
                    f"sessions of the {chamber} without common members",
                    ", ".join(self.sittings[i].session for i in apart),
                    f"nobody there is known to have served in {self.sittings[start].session} or "
                    "in a session that is linked with it: leave them out, add a session between, "
                    "or name common members in a CSV file (session, slug, person) as members=FILE",
                )

    @property
    def linked_chambers(self) -> bool:
        """Whether members or bills link the chambers; else only the priors do."""
        return len(set(self.components.tolist())) == 1


def _at(name: str, sitting: Sitting) -> str:
    return f"{name}@{sitting.session}"


def group_of_row(careers: Careers) -> Integers:
    """The group, a party in a sitting, of every member-session."""
    return np.asarray(len(PARTIES) * careers.sitting_of_row + careers.party_of_row)


def group_sizes(careers: Careers) -> Integers:
    """Members of each party in each sitting, Democrats first, shape (2 n_sittings,)."""
    return np.bincount(group_of_row(careers), minlength=len(PARTIES) * len(careers.sittings))


def careers_start(careers: Careers, init: str, past: Mapping[str, float] | None = None) -> Start:
    """Each sitting's own start (:func:`tallgrass.rollcalls.start.make_start`), in combined order.

    Raises
    ------
    DataError
        As ``make_start``, for any sitting.
    """
    n = len(careers.combined.slugs)
    scores, pca = np.zeros(n), np.zeros(n)
    has_scores = True
    for i, sitting in enumerate(careers.sittings):
        rows, own = careers.rows_of(i), None
        if past is not None:
            names = [careers.combined.slugs[row] for row in rows]
            slugs = zip(names, sitting.votes.slugs, strict=True)
            own = {slug: past[name] for name, slug in slugs if name in past}
        start = make_start(sitting.votes, init, own)
        pca[rows] = start.pca
        if start.scores is None:
            has_scores = False
        else:
            scores[rows] = start.scores
    return Start(init, scores if has_scores else None, pca)
