"""What links the scales of sittings: members who return, and bills that both chambers voted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.rollcalls.matching import match_bills
from tallgrass.rollcalls.votes import VoteMatrix

SAME_SESSION = 0.5  # bienniums between a seat in one chamber and in the other in one session

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sitting:
    """One chamber in one session; ``time`` is in bienniums from any point."""

    session: str
    chamber: str
    time: float
    votes: VoteMatrix

    @property
    def name(self) -> str:
        """Session and chamber."""
        return f"{self.session} {self.chamber}"


class Links(NamedTuple):
    """Which member-sessions follow which; indices are into the rows, sitting after sitting.

    Parameters
    ----------
    previous, current : ndarray of int, shape (n_links,)
        A member-session and the one that follows it.
    gap : ndarray, shape (n_links,)
        Bienniums between the two.
    new : ndarray of int, shape (n_new,)
        The first member-session of every person.
    """

    previous: Integers
    current: Integers
    gap: NDArray[np.float64]
    new: Integers


class Bridges(NamedTuple):
    """Bills that both chambers voted on in one session; indices of columns and of sittings."""

    house: Integers
    senate: Integers
    house_sitting: Integers
    senate_sitting: Integers


def links(sittings: Sequence[Sitting], persons: Sequence[str], chamber_changes: bool) -> Links:
    """Which member-sessions follow which.

    Parameters
    ----------
    sittings : sequence of Sitting
        In the order of the rows.
    persons : sequence of str
        The person of every row.
    chamber_changes : bool
        Whether a career goes on in the other chamber; else every chamber begins a new one.
    """
    careers: dict[str, list[tuple[float, int, int]]] = {}
    row = 0
    for i, sitting in enumerate(sittings):
        for _ in sitting.votes.legislators:
            careers.setdefault(persons[row], []).append((sitting.time, i, row))
            row += 1
    found, new = [], []
    for seats in careers.values():
        seats.sort()
        for n, (time, i, row) in enumerate(seats):
            chamber = sittings[i].chamber
            earlier = [
                (before, sittings[j].chamber == chamber, other)
                for before, j, other in seats[:n]
                if chamber_changes or sittings[j].chamber == chamber
            ]
            if not earlier:
                new.append(row)
                continue
            # The last one; of two in one session that in the same chamber.
            before, _, other = max(earlier)
            found.append((other, row, time - before or SAME_SESSION))
    previous, current, gap = np.reshape(found, (-1, 3)).T
    return Links(
        previous.astype(np.int64), current.astype(np.int64), gap, np.array(sorted(new), np.int64)
    )


def bridges(sittings: Sequence[Sitting]) -> Bridges:
    """The matched bills of every session that has sittings of both chambers."""
    counts = [len(sitting.votes.rollcalls) for sitting in sittings]
    first = np.cumsum([0, *counts])
    index = {(s.session, s.chamber): i for i, s in enumerate(sittings)}
    found = []
    for (session, chamber), house in index.items():
        senate = index.get((session, "senate"))
        if chamber != "house" or senate is None:
            continue
        votes = [sittings[i].votes for i in (house, senate)]
        columns = [{vote_id: j for j, vote_id in enumerate(v.vote_ids)} for v in votes]
        for match in match_bills(*votes):
            if match.status == "matched":
                h, s = columns[0][match.house], columns[1][match.senate]
                found.append((first[house] + h, first[senate] + s, house, senate))
    return Bridges(*np.reshape(np.array(found, np.int64), (-1, 4)).T)
