"""Simulate a legislature of two chambers, with known positions and bills, from a seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

_CELLS_AT_ONCE = 4_000_000  # bounds the memory of one block of logits to 32 MB
_FIRST_DAY = date(2025, 1, 13)
_LETTERS = {"Democrat": "d", "Independent": "i", "Republican": "r"}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimulationDesign:
    """Sizes and spreads of a simulated legislature.

    All positions are on the House's scale: its party means are at -1 and +1, and the Senate's at
    ``delta - k`` and ``delta + k``. Matched bills come first in the numbering of both chambers.

    Parameters
    ----------
    house_members, senate_members : int
        Members of each chamber, independents included.
    house_rollcalls, senate_rollcalls : int
        Roll calls of each chamber, matched ones included.
    matched : int
        Bills voted in both chambers, with one alpha and one beta.
    independents : int
        Independents in each chamber, with positions between the parties.
    republicans : float
        The share of Republicans among the members of the two parties.
    absence : float
        The mean share of votes missed; members differ.
    delta, k : float
        The Senate's midpoint and half gap between the parties, in House units.
    sigma_within : tuple of float
        The standard deviation of positions within the Democrats and the Republicans.
    sigma_beta, sigma_alpha : float
        The standard deviations of discriminations and difficulties, both centred at 0.
    sigma_dif : float
        The standard deviation of matched bills' deviations in the Senate, on each of the two
        logits at the party means; 0 if bills are the same in both chambers.
    """

    house_members: int = 80
    senate_members: int = 40
    house_rollcalls: int = 160
    senate_rollcalls: int = 130
    matched: int = 60
    independents: int = 1
    republicans: float = 0.55
    absence: float = 0.05
    delta: float = 0.2
    k: float = 0.9
    sigma_within: tuple[float, float] = (0.35, 0.45)
    sigma_beta: float = 1.5
    sigma_alpha: float = 1.5
    sigma_dif: float = 0.0

    def __post_init__(self) -> None:
        smallest = min(self.house_members, self.senate_members)
        fewest = min(self.house_rollcalls, self.senate_rollcalls)
        spreads = (self.k, *self.sigma_within, self.sigma_beta, self.sigma_alpha)
        for fault, is_wrong in (
            ("too few members for two parties", smallest - self.independents < 2),
            ("fewer roll calls than matched bills", not 0 <= self.matched <= fewest),
            ("a chamber without roll calls", fewest < 1),
            ("a negative number of independents", self.independents < 0),
            ("a share of Republicans that is not between 0 and 1", not 0 < self.republicans < 1),
            ("a share of absences that is not at least 0 and below 1", not 0 <= self.absence < 1),
            ("a spread or k that is not positive", min(spreads) <= 0),
            ("a negative sigma_dif", self.sigma_dif < 0),
        ):
            if is_wrong:
                raise DataError(f"simulation with {fault}", repr(self))


@dataclass(frozen=True, slots=True)
class SimulatedChamber:
    """One chamber's votes and their true parameters: ``P(Yea) = logit^-1(beta xi - alpha)``.

    Parameters
    ----------
    votes : VoteMatrix
        The votes; absences are unobserved.
    xi : ndarray, shape (n_legislators,)
        Positions in the order of the rows, on the common scale of both chambers.
    alpha, beta : ndarray, shape (n_rollcalls,)
        Difficulties and discriminations in the order of the columns; for a matched bill in the
        Senate they include its deviation.
    """

    votes: VoteMatrix
    xi: Floats
    alpha: Floats
    beta: Floats


@dataclass(frozen=True, slots=True)
class SimulatedLegislature:
    """Two chambers, their matched roll calls, and the design and seed."""

    house: SimulatedChamber
    senate: SimulatedChamber
    matched: tuple[tuple[str, str], ...]  # vote ids in the House and in the Senate
    design: SimulationDesign
    seed: int

    def chamber(self, name: str) -> SimulatedChamber:
        """The chamber ``senate`` or ``house``."""
        return {"house": self.house, "senate": self.senate}[name]


def simulate(seed: int = 0, design: SimulationDesign | None = None) -> SimulatedLegislature:
    """Draw a legislature; equal seeds and designs give equal votes.

    Parameters
    ----------
    seed : int
        Seed of NumPy's default generator.
    design : SimulationDesign, optional
        Sizes and spreads; the defaults give a House of 80 and a Senate of 40.

    Examples
    --------
    >>> import tallgrass as tg
    >>> tg.simulate(3).chamber("senate").votes
    VoteMatrix(simulated senate: 40 legislators, ... votes)
    """
    design = design or SimulationDesign()
    rng = np.random.default_rng(seed)
    n = {"house": design.house_rollcalls, "senate": design.senate_rollcalls}
    beta = {chamber: rng.normal(0, design.sigma_beta, n[chamber]) for chamber in n}
    alpha = {chamber: rng.normal(0, design.sigma_alpha, n[chamber]) for chamber in n}
    shared = slice(design.matched)
    # The logits at the Senate's party means shift by (left, right): beta by half their difference
    # per half gap, and alpha such that the logit at the midpoint shifts by their mean.
    left, right = rng.normal(0, design.sigma_dif, (2, design.matched))
    tilt = (right - left) / (2 * design.k)
    beta["senate"][shared] = beta["house"][shared] + tilt
    alpha["senate"][shared] = alpha["house"][shared] + tilt * design.delta - (left + right) / 2
    house, senate = (_chamber(rng, design, c, alpha[c], beta[c]) for c in ("house", "senate"))
    pairs = zip(house.votes.vote_ids[shared], senate.votes.vote_ids[shared], strict=True)
    return SimulatedLegislature(house, senate, tuple(pairs), design, seed)


def matches(path: Path) -> bool:
    """Whether the session is ``simulated``; a folder of that name is written ``./simulated``."""
    return path == Path("simulated")


def load(path: Path, chamber: str) -> VoteMatrix:
    """One chamber of the legislature with seed 0."""
    return simulate().chamber(chamber).votes


def _chamber(
    rng: np.random.Generator, design: SimulationDesign, chamber: str, alpha: Floats, beta: Floats
) -> SimulatedChamber:
    size = design.house_members if chamber == "house" else design.senate_members
    middle, gap = (0.0, 1.0) if chamber == "house" else (design.delta, design.k)
    partisans = size - design.independents
    n_right = min(max(round(design.republicans * partisans), 1), partisans - 1)
    groups = {  # in the order of the slugs
        "Democrat": (partisans - n_right, middle - gap, design.sigma_within[0]),
        "Independent": (design.independents, middle, gap / 2),
        "Republican": (n_right, middle + gap, design.sigma_within[1]),
    }
    xi = np.concatenate([rng.normal(mean, sd, count) for count, mean, sd in groups.values()])
    parties = [party for party, (count, _, _) in groups.items() for _ in range(count)]
    # beta(1, b) has the mean 1 / (1 + b): most members miss few votes, some miss many.
    missed = rng.beta(1, 1 / design.absence - 1, size) if design.absence else np.zeros(size)
    cells = _draw(rng, xi, alpha, beta, missed)
    votes = VoteMatrix(
        cells,
        _legislators(chamber, parties),
        _rollcalls(chamber, design, len(alpha)),
        "simulated",
        chamber,
    )
    return SimulatedChamber(votes, xi, alpha, beta)


def _draw(
    rng: np.random.Generator, xi: Floats, alpha: Floats, beta: Floats, missed: Floats
) -> NDArray[np.int8]:
    """Votes, drawn in blocks of rows, so that 1e8 cells need little extra memory."""
    cells = np.empty((len(xi), len(beta)), np.int8)
    rows = max(_CELLS_AT_ONCE // len(beta), 1)
    for start in range(0, len(xi), rows):
        block = slice(start, start + rows)
        logits = np.multiply.outer(xi[block], beta) - alpha
        # A standard logistic variable is below the logit with the probability of a Yea.
        yea = rng.logistic(size=logits.shape) < logits
        is_cast = rng.random(logits.shape) >= missed[block, None]
        cells[block] = np.where(yea, 1, -1) * is_cast
    return cells


def _legislators(chamber: str, parties: list[str]) -> tuple[Legislator, ...]:
    title, word = {"house": ("rep", "Representative"), "senate": ("sen", "Senator")}[chamber]
    width = len(str(len(parties)))
    return tuple(
        Legislator(
            slug=f"{title}_{_LETTERS[party]}_{i:0{width}d}",
            name=f"{word} {i}",
            party=party,
            district=str(i),
        )
        for i, party in enumerate(parties, 1)
    )


def _rollcalls(chamber: str, design: SimulationDesign, n: int) -> tuple[RollCall, ...]:
    letter = chamber[0].upper()
    width = max(len(str(n)), 4)
    return tuple(
        RollCall(
            vote_id=f"sim_{chamber}_{j:0{width}d}",
            bill=f"HB {1000 + j}" if j <= design.matched else f"{letter}B {5000 + j}",
            motion="Final Action - Passed",
            vote_type="Final Action",
            date=(_FIRST_DAY + timedelta(days=(j - 1) * 80 // n)).isoformat(),
            title=f"Simulated bill {j}",
        )
        for j in range(1, n + 1)
    )
