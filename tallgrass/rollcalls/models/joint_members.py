"""Members of both chambers in the joint model: positions, spreads within groups, and their start.

A group is a party in a chamber (:data:`tallgrass.rollcalls.chambers.GROUPS`). Each chamber has a
gauge of its own, in which its party means are exactly at -1 and +1; the Senate's lies at
``delta + k v`` in the House's. All four groups are handled together, so that the compiled graph
stays small.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy.special import logit

from tallgrass.inference.packed import Packed
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.rollcalls.models.base import Point, party_shares
from tallgrass.rollcalls.start import Floats, Start, centred_positions

NON_CENTRED = 20  # fewer members than this: deviations in units of the spread
SPREAD = 0.5  # how far chains start from the scores, in units of a typical spread
_TYPICAL_SPREAD = 0.3  # of a group, in half gaps; a start and a unit, not a prior


class Data(NamedTuple):
    """Where a model's index vectors and weights are packed."""

    integers: Packed
    numbers: Packed

    @classmethod
    def empty(cls) -> "Data":
        """Nothing packed yet."""
        return cls(Packed("indices", np.int64), Packed("numbers", np.float64))


class Members(NamedTuple):
    """Positions, by member and group, each chamber in its own gauge.

    ``v``: all members in the order of ``combined``; ``house`` and ``senate``: the same by chamber.
    ``log_tau``: log of the spread within each group. ``log_density``: of the members' deviations
    ``N(0, tau_g)`` in their n_g - 1 dimensions, with the Jacobians of the non-centred groups.
    """

    v: Any
    house: Any
    senate: Any
    in_senate: Any
    log_tau: Any
    log_density: Any

    def on_house_scale(self, delta: Any, k: Any) -> Any:
        """Positions of all members in the House's gauge."""
        return self.v + self.in_senate * (delta + (k - 1) * self.v)


def group_index(joint: JointVotes) -> NDArray[np.int64]:
    """Index into GROUPS of every row of ``combined``."""
    return 2 * joint.chamber_index.astype(np.int64) + joint.combined.party_index


def members(joint: JointVotes, data: Data) -> Members:
    """Free variables ``deviation`` (one vector, by group) and ``eps_tau`` (one a group)."""
    group, sizes = group_index(joint), joint.group_sizes
    rows = [np.flatnonzero(group == g) for g in range(len(GROUPS))]
    # Every group's last member follows from the others: deviations have sum zero.
    free_rows = np.concatenate([r[:-1] for r in rows])
    free_group = group[free_rows]
    weights = np.zeros(len(group))
    for r in rows:
        weights[r] = co.zero_sum_weights(len(r))
    small = (sizes < NON_CENTRED).astype(float)

    z = pm.Flat("deviation", shape=len(free_rows))
    eps = pm.Flat("eps_tau", shape=len(GROUPS))
    of_group = data.numbers((free_group == np.arange(len(GROUPS))[:, None]).astype(float))
    n, is_small = data.numbers(sizes.astype(float)), data.numbers(small)
    # A large group's spread is known from its members: eps_tau is how far it is from that. A small
    # group's may be 0, where its members have to be sampled in units of it; where it is far above
    # what their votes leave open, those are their units (see coordinates.deviations).
    squares = pt.sum(of_group * z**2, axis=1)
    known = squares + is_small  # no logarithm of 0 for a group of one member
    few = co.log_spread_of_few(eps)
    log_tau = pt.switch(
        pt.gt(is_small, 0),
        few.log_tau + np.log(_TYPICAL_SPREAD),
        0.5 * pt.log(known / n) + eps / pt.sqrt(2 * n),
    )
    told = data.numbers(member_information(joint))
    log_unit = is_small * (log_tau - 0.5 * pt.log1p(told * pt.exp(2 * log_tau)))
    unit = pt.exp(log_unit)
    y = z * unit[data.integers(free_group)]
    log_ratio = log_unit - log_tau
    log_density = pt.sum(
        is_small * few.log_jacobian + (n - 1) * log_ratio - squares * pt.exp(2 * log_ratio) / 2
    )

    sums = pt.sum(of_group * y, axis=1)
    side = np.where(joint.combined.party_index == 1, 1.0, -1.0)
    v = data.numbers(side) + data.numbers(weights) * sums[data.integers(group)]
    v = pt.inc_subtensor(v[data.integers(free_rows)], y)
    house, senate = (v[data.integers(joint.rows[c])] for c in CHAMBERS)
    in_senate = data.numbers(joint.chamber_index.astype(float))
    return Members(v, house, senate, in_senate, log_tau, log_density)


def member_information(joint: JointVotes) -> Floats:
    """Information in a member's votes on its position v, mean by group, shape (4,).

    ``sum of b^2 p (1 - p)`` over the roll calls voted on, with p and b from the parties' shares.
    """
    found = np.zeros(len(GROUPS))
    for c, votes in enumerate((joint.house, joint.senate)):
        share = party_shares(votes, votes.party_index).share
        at_democrats, at_republicans = logit(share)
        told = (at_republicans - at_democrats) ** 2 / 4 * share * (1 - share)
        by_member = (votes.cells != 0) @ told.T
        for party in (0, 1):
            found[2 * c + party] = by_member[votes.party_index == party, party].mean()
    return found


def member_start(
    joint: JointVotes, start: Start, generator: np.random.Generator
) -> tuple[Point, Floats]:
    """Starting values of :func:`members`, and the positions v that they give.

    Each chamber's scores, spread by a fraction of how far members of a group lie apart.
    """
    party, n = joint.combined.party_index, len(joint.combined.slugs)
    scores = generator.normal(size=n) if start.scores is None else start.scores
    v = np.zeros(n)
    for chamber in CHAMBERS:
        rows = joint.rows[chamber]
        first = centred_positions(scores[rows], party[rows])
        moved = first + SPREAD * _TYPICAL_SPREAD * generator.normal(size=len(rows))
        v[rows] = centred_positions(moved, party[rows])
    group, deviations, eps = group_index(joint), [], np.zeros(len(GROUPS))
    told = member_information(joint)
    for g, size in enumerate(joint.group_sizes):
        y = co.zero_sum_inverse(v[group == g] - 2.0 * (g % 2) + 1.0)
        if size < NON_CENTRED:
            tau = np.sqrt(max(np.mean(y**2), _TYPICAL_SPREAD**2)) if len(y) else _TYPICAL_SPREAD
            y *= np.sqrt(1 + told[g] * tau**2) / tau
            eps[g] = co.log_spread_of_few_inverse(np.log(tau / _TYPICAL_SPREAD))
        deviations.append(y)
    return {"deviation": np.concatenate(deviations), "eps_tau": eps}, v
