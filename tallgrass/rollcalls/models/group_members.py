"""Coordinates of the members of each group about its mean, and of the group's spread.

Many members determine their spread: it is sampled about theirs, and how far all of them lie from
their mean is a coordinate of its own (:func:`tallgrass.rollcalls.coordinates.stretched`). Few are
sampled in units of their spread, which may be 0. Where the votes know the positions of few members
well, those units would tie every position to the spread; their unit is therefore
``tau / sqrt(1 + I tau^2)`` with I the mean information of a member's votes about the position. It
is the spread itself where the votes say little, and a constant where they say much (partial
non-centring, Papaspiliopoulos, Roberts and Skoeld 2007).
"""

from collections.abc import Sequence
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

DUMMIES = "group_dummies"  # which tests look at


class GroupMembers(NamedTuple):
    """Coordinates y of the deviations, their sum of squares, the log of their spread, the dummy."""

    y: Any
    squares: Any
    log_tau: Any
    dummy: Any


class VotesOfGroup(NamedTuple):
    """What the votes of a group's members say of their positions, in half gaps of the two sides.

    ``information`` is the mean of the members', ``sum_j b_j^2 p (1 - p)``; ``log_length`` that of
    their deviations from the group's mean; ``width`` the standard error of log_length where only
    the length is unknown. All at the PCA scores.
    """

    information: float
    log_length: float
    width: float


def votes_of_groups(votes: VoteMatrix, pca: Floats, sides: NDArray[np.int8]) -> list[VotesOfGroup]:
    """What the votes say of each group; the means of the two sides (0 and 1) are at -1 and +1."""
    v = centred_positions(pca, sides)
    a, b = rollcall_logits(votes, v, False)
    p = 1 / (1 + np.exp(-(np.outer(v, b) - a)))
    of_member = (np.where(votes.cells != 0, p * (1 - p), 0.0) * b**2).sum(axis=1)
    groups = []
    for g in range(len(votes.groups)):
        inside = votes.party_index == g
        squares = (v[inside] - v[inside].mean()) ** 2
        # Of members who are all alike, or on whom the votes say nothing, some number.
        length = np.log(max(squares.sum(), TYPICAL_SPREAD**2)) / 2
        width = 1 / np.sqrt(max((of_member[inside] * squares).sum(), 1.0))
        groups.append(VotesOfGroup(of_member[inside].mean(), float(length), float(width)))
    return groups


def add_group(name: str, n: int, known: VotesOfGroup) -> GroupMembers:
    """The variables of one group, in the model of the context."""
    count = number(n)
    free = pm.Flat(f"deviation_{name}", shape=size(n - 1))
    eps = pm.Flat(f"eps_tau_{name}")
    extent = pm.Flat(f"extent_{name}")
    # Few members are sampled in units of their spread, which may be 0; more determine it.
    is_small = number(n < NON_CENTRED)
    positive = pt.sum(free**2) + is_small  # no logarithm of 0 for a group of one member
    usual = number(known.log_length)
    many = co.stretched(positive, extent, usual, number(known.width))
    spread = pt.switch(
        pt.gt(is_small, 0),
        eps + np.log(TYPICAL_SPREAD),
        usual + extent - pt.log(count) / 2 + eps / pt.sqrt(2 * count),
    )
    unit = spread - pt.log1p(number(known.information) * pt.exp(2 * spread)) / 2
    log_unit = is_small * unit + (1 - is_small) * many.log_factor
    dummy = is_small * extent + (1 - is_small) * many.dummy
    y = free * pt.exp(log_unit)
    pm.Potential(f"jacobian_{name}", (count - 1) * log_unit - dummy**2 / 2)
    return GroupMembers(y, pt.sum(y**2), spread, dummy)


def note_dummies(groups: Sequence[GroupMembers]) -> None:
    """Name the dummies of all groups, in the model of the context."""
    pm.Deterministic(DUMMIES, pt.stack([group.dummy for group in groups]))


def group_start(name: str, y: Floats, known: VotesOfGroup) -> Point:
    """Values of the variables of one group at the deviations with coordinates y."""
    deviation, eps, extent = f"deviation_{name}", f"eps_tau_{name}", f"extent_{name}"
    if len(y) + 1 >= NON_CENTRED:
        log_length = np.log(np.sqrt(np.sum(y**2)))
        stretch = np.asarray(log_length - known.log_length)
        return {deviation: y / np.exp(stretch), eps: np.zeros(()), extent: stretch}
    tau = np.sqrt(max(np.mean(y**2), TYPICAL_SPREAD**2)) if len(y) else TYPICAL_SPREAD
    unit = tau / np.sqrt(1 + known.information * tau**2)
    return {
        deviation: y / unit,
        eps: np.log(tau / TYPICAL_SPREAD),
        # The extent of few is a dummy, whose gradient at 0 would be 0: chains cannot start there.
        extent: np.zeros(()),
    }


def not_jittered(name: str, n: int) -> set[str]:
    """The variables of a group of n members at which chains start as :func:`group_start` says."""
    return {f"deviation_{name}"} | ({f"extent_{name}"} if n >= NON_CENTRED else set())
