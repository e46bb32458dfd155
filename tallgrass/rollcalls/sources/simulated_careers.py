"""Simulate a legislature over many sessions, with known positions of everybody, from a seed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

Floats = NDArray[np.float64]

NAME = "simulated"
_FIRST_YEAR = 2011
_PREFIX = {"house": "rep", "senate": "sen"}


@dataclass(frozen=True, slots=True)
class CareerDesign:
    """Sizes and spreads of a legislature over time, on a scale whose parties start at -1 and +1.

    Parameters
    ----------
    sessions : int
        Sessions, a biennium apart.
    house_members, senate_members : int
        Members of each chamber, half of them of each party; without a Senate 0.
    rollcalls, matched : int
        Roll calls of each chamber in a session, and those of them that both vote on.
    turnover : float
        Share of the members who leave after a session, and are replaced.
    tau : float
        Scale of a step, which is t with 4 degrees of freedom.
    sigma_new : float
        Spread of new members about their party's mean.
    drift : float
        How far each party's new members stand farther out than those of the session before.
    switchers : int
        Members of the House who change party, and cross over, after the first session.
    chamber_changes : int
        Members of the House who go to the Senate after each session.
    sigma_bill : float
        Spread of the logits of a bill at the party means.
    sigma_dif : float
        Spread of the deviations of a matched bill in the Senate.
    absence : float
        Share of votes missed.
    """

    sessions: int = 4
    house_members: int = 60
    senate_members: int = 24
    rollcalls: int = 80
    matched: int = 20
    turnover: float = 0.25
    tau: float = 0.12
    sigma_new: float = 0.3
    drift: float = 0.05
    switchers: int = 1
    chamber_changes: int = 2
    sigma_bill: float = 2.0
    sigma_dif: float = 0.5
    absence: float = 0.05

    def __post_init__(self) -> None:
        for fault, is_wrong in (
            ("fewer than two sessions", self.sessions < 2),
            ("fewer than six members of the House", self.house_members < 6),
            ("fewer than six senators, and not none", 0 < self.senate_members < 6),
            ("fewer roll calls than matched bills", not 0 <= self.matched <= self.rollcalls),
            ("a turnover that is not at least 0 and below 1", not 0 <= self.turnover < 1),
            ("an absence that is not at least 0 and below 1", not 0 <= self.absence < 1),
            ("a spread that is not positive", min(self.sigma_new, self.sigma_bill, self.tau) <= 0),
            ("a negative sigma_dif", self.sigma_dif < 0),
        ):
            if is_wrong:
                raise DataError(f"simulation with {fault}", repr(self))


@dataclass(slots=True)
class _Person:
    number: int
    party: int
    x: float


@dataclass(frozen=True, slots=True)
class SimulatedCareers:
    """Votes of every sitting, and the true positions.

    Parameters
    ----------
    votes : dict of (session, chamber) to VoteMatrix
        The House's first.
    x : dict of (session, chamber) to ndarray, shape (n_legislators,)
        Positions in the order of the rows, in the gauge in which the party means of the House in
        the last session are at -1 and +1.
    tau, sigma_new : float
        In the same gauge.
    """

    votes: dict[tuple[str, str], VoteMatrix]
    x: dict[tuple[str, str], Floats] = field(repr=False)
    tau: float
    sigma_new: float

    def scale(self, session: str, chamber: str) -> tuple[float, float]:
        """Middle of, and half the distance between, the party means of a sitting."""
        x, party = self.x[session, chamber], self.votes[session, chamber].party_index
        left, right = (float(x[party == g].mean()) for g in (0, 1))
        return (left + right) / 2, (right - left) / 2


def simulate_careers(seed: int = 0, design: CareerDesign | None = None) -> SimulatedCareers:
    """Draw a legislature over time; equal seeds and designs give equal votes.

    Examples
    --------
    >>> careers = simulate_careers(1, CareerDesign(sessions=2, senate_members=0))
    >>> [votes.session for votes in careers.votes.values()]
    ['2011-2012', '2013-2014']
    """
    design = design or CareerDesign()
    rng = np.random.default_rng(seed)
    counter = 0
    seats: dict[str, list[_Person]] = {}
    sizes = {"house": design.house_members, "senate": design.senate_members}
    chambers = [chamber for chamber, size in sizes.items() if size]
    votes, x = {}, {}
    for t in range(design.sessions):
        year = _FIRST_YEAR + 2 * t
        session = f"{year}-{year + 1}"
        if t:
            _pass_time(rng, design, seats, t)
        for chamber in chambers:
            present = seats.setdefault(chamber, [])
            for party in (0, 1):
                wanted = sizes[chamber] // 2 + (sizes[chamber] % 2) * party
                while sum(person.party == party for person in present) < wanted:
                    mean = (2 * party - 1) * (1 + design.drift * t)
                    position = mean + design.sigma_new * rng.normal()
                    present.append(_Person(counter, party, position))
                    counter += 1
        for chamber, (matrix, positions) in _vote(rng, design, session, seats, chambers).items():
            votes[session, chamber], x[session, chamber] = matrix, positions
    ordered = sorted(votes, key=lambda key: (chambers.index(key[1]), key[0]))
    last = votes[session, "house"].party_index
    means = [x[session, "house"][last == g].mean() for g in (0, 1)]
    middle, half = (means[0] + means[1]) / 2, (means[1] - means[0]) / 2
    return SimulatedCareers(
        {key: votes[key] for key in ordered},
        {key: (x[key] - middle) / half for key in ordered},
        design.tau / half,
        design.sigma_new / half,
    )


def _pass_time(
    rng: np.random.Generator, design: CareerDesign, seats: dict[str, list[_Person]], t: int
) -> None:
    """Members leave, step, change party or go to the Senate between two sessions."""
    for chamber, present in seats.items():
        seats[chamber] = [p for p in present if rng.random() >= design.turnover]
        for person in seats[chamber]:
            person.x += design.tau * rng.standard_t(4)
    if t == 1:
        for person in seats["house"][: design.switchers]:
            person.party = 1 - person.party
    if "senate" in seats:
        room = {
            party: design.senate_members // 2 - sum(p.party == party for p in seats["senate"])
            for party in (0, 1)
        }
        for person in seats["house"][-design.chamber_changes :] if design.chamber_changes else []:
            if room[person.party] > 0:
                room[person.party] -= 1
                seats["house"].remove(person)
                seats["senate"].append(person)


def _vote(
    rng: np.random.Generator,
    design: CareerDesign,
    session: str,
    seats: dict[str, list[_Person]],
    chambers: list[str],
) -> dict[str, tuple[VoteMatrix, Floats]]:
    """One session's votes by chamber, and the positions in the order of the rows."""
    result: dict[str, tuple[VoteMatrix, Floats]] = {}
    house: tuple[Any, Any] | None = None
    for chamber in chambers:
        present = sorted(seats[chamber], key=lambda person: _slug(chamber, person))
        x = np.array([person.x for person in present])
        party = np.array([person.party for person in present])
        means = [x[party == g].mean() for g in (0, 1)]
        logits = design.sigma_bill * rng.normal(size=(2, design.rollcalls))
        if house is not None and design.matched:
            # By the House's alpha and beta at this chamber's party means, and a deviation each.
            shared = slice(design.matched)
            for g in (0, 1):
                expected = house[1][shared] * means[g] - house[0][shared]
                logits[g, shared] = expected + design.sigma_dif * rng.normal(size=design.matched)
        beta = (logits[1] - logits[0]) / (means[1] - means[0])
        alpha = beta * means[0] - logits[0]
        if house is None:
            house = (alpha, beta)
        yea = rng.logistic(size=(len(x), design.rollcalls)) < np.outer(x, beta) - alpha
        cells = np.where(rng.random(yea.shape) < design.absence, 0, np.where(yea, 1, -1))
        members = tuple(
            Legislator(_slug(chamber, person), _name(person), PARTIES[person.party])
            for person in present
        )
        rollcalls = tuple(
            RollCall(
                f"{chamber[0]}{j:04d}",
                f"HB {j}" if j < design.matched else f"{chamber[0].upper()}B {1000 + j}",
                "Final action",
            )
            for j in range(design.rollcalls)
        )
        result[chamber] = (VoteMatrix(cells, members, rollcalls, session, chamber), x)
    return result


def _slug(chamber: str, person: _Person) -> str:
    return f"{_PREFIX[chamber]}_member_{person.number:04d}"


def _name(person: _Person) -> str:
    """A name of its own for every number, in letters."""
    letters = "".join("abcdefghij"[int(digit)] for digit in f"{person.number:04d}")
    return f"Member {letters.capitalize()}"
