"""Sessions to play with: a simulated legislature that looks like that of Kansas.

Nothing in it is real: no member, no bill, no vote. Three bienniums of a House of 125 and a Senate
of 40, in which a majority of Republicans is divided within; a quarter of the members is new in
each. Every bill is of one of three kinds, and its title belongs to its kind, so that the pages of
a run read as those of a real chamber do:

    P(Yea) = logit^-1(b1 x + b2 y - a)

with ``x`` between the parties, ``y`` within them, and

- *party bills*, on which the parties stand against each other (b1 large),
- *divided bills*, on which the majority splits (b2 large),
- *common bills*, which nearly everybody supports (a very negative).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.rollcalls.example_words import (
    COMMON,
    DIVIDED,
    FIRST_NAMES,
    LAST_NAMES,
    OPENINGS,
    PARTY,
)
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

Floats = NDArray[np.float64]

SESSIONS = ("1st_2021-2022", "2nd_2023-2024", "3rd_2025-2026")
SEATS = {"house": 125, "senate": 40}
_REPUBLICANS = {"house": 0.68, "senate": 0.75}
_BILLS = {"house": 190, "senate": 150}
_SHARED = 80  # bills on which both chambers vote
_NEW = 0.25  # share of members who are new in a session
_SHARES = (0.42, 0.18, 0.40)  # of party, divided and common bills
_STEP = 0.08  # standard deviation of a member's step between two sessions, on both axes
_TITLE = {"house": "rep", "senate": "sen"}
_MOTIONS = (
    "Final Action - Passed",
    "Final Action - Passed as amended",
    "Conference Report adopted",
)


class _Bills(NamedTuple):
    titles: tuple[str, ...]
    a: Floats
    b: Floats  # shape (bills, 2)


@dataclass(frozen=True)
class _Member:
    legislator: Legislator
    place: Floats  # x and y


def example_sessions(seed: int = 0) -> dict[str, dict[str, VoteMatrix]]:
    """Simulate three sessions of two chambers; equal seeds give equal votes.

    Parameters
    ----------
    seed : int
        Seed of NumPy's default generator.

    Returns
    -------
    dict of str to dict of str to VoteMatrix
        By session and chamber (``house``, ``senate``), votes of 125 or 40 members.

    Examples
    --------
    >>> sessions = example_sessions()
    >>> list(sessions)
    ['1st_2021-2022', '2nd_2023-2024', '3rd_2025-2026']
    >>> sessions["3rd_2025-2026"]["senate"].cells.shape
    (40, 150)
    """
    rng = np.random.default_rng(seed)
    names = _names(rng)
    members = {chamber: _seated(rng, chamber, names) for chamber in SEATS}
    sessions: dict[str, dict[str, VoteMatrix]] = {}
    for number, session in enumerate(SESSIONS):
        if number:
            members = {c: _elected(rng, c, seated, names) for c, seated in members.items()}
        shared = _bills(rng, _SHARED)
        sessions[session] = {
            chamber: _votes(rng, session, chamber, seated, shared)
            for chamber, seated in members.items()
        }
    return sessions


def _names(rng: np.random.Generator) -> list[str]:
    """Names, no two alike and last names as varied as they can be, in random order."""
    last = [name for _ in FIRST_NAMES for name in rng.permutation(LAST_NAMES)]
    firsts = {name: list(rng.permutation(FIRST_NAMES)) for name in LAST_NAMES}
    return [f"{firsts[name].pop()} {name}" for name in last][::-1]  # taken from the end


def _member(
    rng: np.random.Generator, chamber: str, party: str, district: str, names: list[str]
) -> _Member:
    name = names.pop()
    first, last = name.lower().split()
    side = 1.0 if party == "Republican" else -1.0
    place = np.array([side + 0.3 * rng.normal(), rng.normal()])
    slug = f"{_TITLE[chamber]}_{last}_{first}_1"
    return _Member(Legislator(slug, name, party, district), place)


def _party(rng: np.random.Generator, chamber: str) -> str:
    return "Republican" if rng.random() < _REPUBLICANS[chamber] else "Democrat"


def _seated(rng: np.random.Generator, chamber: str, names: list[str]) -> list[_Member]:
    return [
        _member(rng, chamber, _party(rng, chamber), str(district), names)
        for district in range(1, SEATS[chamber] + 1)
    ]


def _elected(
    rng: np.random.Generator, chamber: str, seated: list[_Member], names: list[str]
) -> list[_Member]:
    """The members of the next session: some are new, the others have moved a little."""
    following = []
    for member in seated:
        old = member.legislator
        if rng.random() < _NEW:
            # A district stays with its party, most of the time.
            party = old.party if rng.random() < 0.9 else _party(rng, chamber)
            following.append(_member(rng, chamber, party, old.district, names))
        else:
            following.append(_Member(old, member.place + _STEP * rng.normal(size=2)))
    return following


def _bills(rng: np.random.Generator, n: int) -> _Bills:
    kinds = rng.choice(3, n, p=_SHARES)
    b = np.column_stack([rng.normal(0.2, 0.3, n), rng.normal(0, 0.2, n)])
    a = rng.normal(-4.5, 0.8, n)
    party, divided = kinds == 0, kinds == 1
    size = rng.lognormal(np.log(2.2), 0.4, n)
    # Most bills that reach a vote are the majority's.
    b[party, 0] = (np.where(rng.random(n) < 0.85, 1, -1) * size)[party]
    a[party] = rng.normal(0, 1.2, n)[party]
    b[divided, 1] = (rng.choice([-1, 1], n) * size)[divided]
    a[divided] = rng.normal(0, 1, n)[divided]
    titles = tuple(_title(rng, (PARTY, DIVIDED, COMMON)[kind]) for kind in kinds)
    return _Bills(titles, a, b)


def _title(rng: np.random.Generator, subjects: tuple[str, ...]) -> str:
    return f"{rng.choice(OPENINGS)} {rng.choice(subjects)}."


def _votes(
    rng: np.random.Generator, session: str, chamber: str, members: list[_Member], shared: _Bills
) -> VoteMatrix:
    n = _BILLS[chamber]
    own = _bills(rng, n - _SHARED)
    a, b = np.concatenate([shared.a, own.a]), np.concatenate([shared.b, own.b])
    places = np.array([member.place for member in members])
    yea = rng.logistic(size=(len(members), n)) < places @ b.T - a
    # Beta(1, 24) has the mean 0.04: most members miss few votes, some miss many.
    missed = rng.beta(1, 24, len(members))
    is_cast = rng.random(yea.shape) >= missed[:, None]
    cells = (np.where(yea, 1, -1) * is_cast).astype(np.int8)
    return VoteMatrix(
        cells,
        tuple(member.legislator for member in members),
        _rollcalls(rng, session, chamber, shared.titles, own.titles),
        session,
        chamber,
    )


def _rollcalls(
    rng: np.random.Generator,
    session: str,
    chamber: str,
    shared: tuple[str, ...],
    own: tuple[str, ...],
) -> tuple[RollCall, ...]:
    """Roll calls over the 100 days after the second Monday of January; shared bills come first."""
    titles = shared + own
    letter, first_year = chamber[0].upper(), int(session.partition("_")[2][:4])
    first = date(first_year, 1, 11)
    bills = [f"HB {2000 + j}" for j in range(len(shared))]
    bills += [f"{letter}B {2500 + j}" for j in range(len(own))]
    days = np.sort(rng.integers(0, 100, len(titles)))
    order = rng.permutation(len(titles))
    return tuple(
        RollCall(
            vote_id=f"{session.partition('_')[0]}_{chamber}_{j + 1:04d}",
            bill=bills[j],
            motion=str(rng.choice(_MOTIONS)),
            vote_type="Final Action",
            date=(first + timedelta(days=int(days[order[j]]))).isoformat(),
            title=titles[j],
        )
        for j in range(len(titles))
    )
