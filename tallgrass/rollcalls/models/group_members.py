"""Coordinates of the members of each group about its mean, and of the group's spread.

Many members determine their spread: it is sampled about theirs. Few are sampled in units of their
spread, which may be 0. Where the votes know the positions of few members well, those units would
tie every position to the spread; their unit is therefore ``tau / sqrt(1 + I tau^2)`` with I the
mean information of a member's votes about the position. It is the spread itself where the votes
say little, and a constant where they say much (partial non-centring, Papaspiliopoulos, Roberts and
Skoeld 2007).
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import number, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.models.base import NON_CENTRED, TYPICAL_SPREAD, Point
from tallgrass.rollcalls.start import Floats, centred_positions, rollcall_logits
from tallgrass.rollcalls.votes import VoteMatrix


class GroupMembers(NamedTuple):
    """Coordinates y of the deviations, their sum of squares, and the log of their spread."""

    y: Any
    squares: Any
    log_tau: Any


def position_information(votes: VoteMatrix, pca: Floats, sides: NDArray[np.int8]) -> Floats:
    """Mean information of the members' votes about a position, by group; shape (n_groups,).

    It is ``sum_j b_j^2 p (1 - p)`` at the PCA scores, in units of half the gap of the two sides (0
    and 1).
    """
    v = centred_positions(pca, sides)
    a, b = rollcall_logits(votes, v, False)
    p = 1 / (1 + np.exp(-(np.outer(v, b) - a)))
    of_member = (np.where(votes.cells != 0, p * (1 - p), 0.0) * b**2).sum(axis=1)
    of_groups = (of_member[votes.party_index == g].mean() for g in range(len(votes.groups)))
    return np.array(list(of_groups))


def add_group(name: str, n: int, information: float) -> GroupMembers:
    """The variables of one group, in the model of the context."""
    count = number(n)
    free = pm.Flat(f"deviation_{name}", shape=size(n - 1))
    eps = pm.Flat(f"eps_tau_{name}")
    # Few members are sampled in units of their spread, which may be 0; more determine it.
    is_small = number(n < NON_CENTRED)
    positive = pt.sum(free**2) + is_small  # no logarithm of 0 for a group of one member
    spread = pt.switch(
        pt.gt(is_small, 0),
        eps + np.log(TYPICAL_SPREAD),
        co.log_spread(positive, count, eps),
    )
    unit = spread - pt.log1p(number(information) * pt.exp(2 * spread)) / 2
    log_unit = is_small * unit
    y = free * pt.exp(log_unit)
    pm.Potential(f"jacobian_{name}", (count - 1) * log_unit)
    return GroupMembers(y, pt.sum(y**2), spread)


def group_start(name: str, y: Floats, information: float) -> Point:
    """Values of the variables of one group at the deviations with coordinates y."""
    if len(y) + 1 >= NON_CENTRED:
        return {f"deviation_{name}": y, f"eps_tau_{name}": np.zeros(())}
    tau = np.sqrt(max(np.mean(y**2), TYPICAL_SPREAD**2)) if len(y) else TYPICAL_SPREAD
    unit = tau / np.sqrt(1 + information * tau**2)
    return {f"deviation_{name}": y / unit, f"eps_tau_{name}": np.log(tau / TYPICAL_SPREAD)}
