"""Members of both chambers in the joint model: positions, spreads within groups, and their start.

A group is a party in a chamber (:data:`tallgrass.rollcalls.chambers.GROUPS`). Each chamber has its
own gauge, in which its party means are exactly -1 and +1; a position v in the Senate is
``delta + k v`` in the House. The four groups share their variables to keep the compiled graph
small.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import scipy
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.rollcalls.models.base import (
    NON_CENTRED,
    SPREAD,
    TYPICAL_SPREAD,
    Point,
    party_shares,
)
from tallgrass.rollcalls.start import Floats, Start, centred_positions


class Members(NamedTuple):
    """Positions of the members, each chamber in its own gauge.

    ``v`` is in the order of ``combined``, ``house`` and ``senate`` in that of the chamber.
    ``log_tau`` is the log of the spread within each group. ``log_density`` is that of the members'
    deviations ``N(0, tau_g)`` in n_g - 1 dimensions, with the Jacobians of the non-centred groups.
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


def members(joint: JointVotes) -> Members:
    """Free variables ``deviation`` (one vector, by group) and ``eps_tau`` (one per group)."""
    group, sizes = group_index(joint), joint.group_sizes
    rows = [np.flatnonzero(group == g) for g in range(len(GROUPS))]
    # Deviations have sum zero, so the others determine the last member of every group.
    free_rows = np.concatenate([r[:-1] for r in rows])
    free_group = group[free_rows]
    weights = np.zeros(len(group))
    for r in rows:
        weights[r] = co.zero_sum_weights(len(r))
    small = (sizes < NON_CENTRED).astype(float)

    z = pm.Flat("deviation", shape=size(len(free_rows)))
    eps = pm.Flat("eps_tau", shape=len(GROUPS))
    of_group = numbers(free_group == np.arange(len(GROUPS))[:, None])
    n, is_small = numbers(sizes), numbers(small)
    # The members of a large group determine its spread, and eps_tau is the deviation from that. The
    # spread of a small group may be 0, so its members are sampled in units of it, or, where it is
    # far above what their votes leave open, in units of that (see coordinates.deviations).
    squares = pt.sum(of_group * z**2, axis=1)
    positive = squares + is_small  # no logarithm of 0 for a group of one member
    few = co.log_spread_of_few(eps)
    log_tau = pt.switch(
        pt.gt(is_small, 0),
        few.log_tau + np.log(TYPICAL_SPREAD),
        0.5 * pt.log(positive / n) + eps / pt.sqrt(2 * n),
    )
    member_info = numbers(member_information(joint))
    log_unit = is_small * (log_tau - 0.5 * pt.log1p(member_info * pt.exp(2 * log_tau)))
    unit = pt.exp(log_unit)
    y = z * unit[integers(free_group)]
    log_ratio = log_unit - log_tau
    log_density = pt.sum(
        is_small * few.log_jacobian + (n - 1) * log_ratio - squares * pt.exp(2 * log_ratio) / 2
    )

    sums = pt.sum(of_group * y, axis=1)
    side = np.where(joint.combined.party_index == 1, 1.0, -1.0)
    v = numbers(side) + numbers(weights) * sums[integers(group)]
    v = pt.inc_subtensor(v[integers(free_rows)], y)
    house, senate = (v[integers(joint.rows[c])] for c in CHAMBERS)
    in_senate = numbers(joint.chamber_index)
    return Members(v, house, senate, in_senate, log_tau, log_density)


def member_information(joint: JointVotes) -> Floats:
    """Information in a member's votes about the position v, mean by group, shape (4,).

    ``sum of b^2 p (1 - p)`` over the roll calls voted on, with p and b from the parties' shares.
    """
    by_group = np.zeros(len(GROUPS))
    for c, votes in enumerate((joint.house, joint.senate)):
        share = party_shares(votes, votes.party_index).share
        at_democrats, at_republicans = scipy.special.logit(share)
        information = (at_republicans - at_democrats) ** 2 / 4 * share * (1 - share)
        by_member = (votes.cells != 0) @ information.T
        for party in (0, 1):
            by_group[2 * c + party] = by_member[votes.party_index == party, party].mean()
    return by_group


def member_start(
    joint: JointVotes, start: Start, generator: np.random.Generator
) -> tuple[Point, Floats]:
    """Starting values of :func:`members`, and their positions v.

    These are the scores of each chamber, moved by a fraction of a typical spread within a group.
    """
    party, n = joint.combined.party_index, len(joint.combined.slugs)
    scores = generator.normal(size=n) if start.scores is None else start.scores
    v = np.zeros(n)
    for chamber in CHAMBERS:
        rows = joint.rows[chamber]
        first = centred_positions(scores[rows], party[rows])
        moved = first + SPREAD * TYPICAL_SPREAD * generator.normal(size=len(rows))
        v[rows] = centred_positions(moved, party[rows])
    group, deviations, eps = group_index(joint), [], np.zeros(len(GROUPS))
    member_info = member_information(joint)
    for g, n_members in enumerate(joint.group_sizes):
        y = co.zero_sum_inverse(v[group == g] - 2.0 * (g % 2) + 1.0)
        if n_members < NON_CENTRED:
            tau = np.sqrt(max(np.mean(y**2), TYPICAL_SPREAD**2)) if len(y) else TYPICAL_SPREAD
            y *= np.sqrt(1 + member_info[g] * tau**2) / tau
            eps[g] = co.log_spread_of_few_inverse(np.log(tau / TYPICAL_SPREAD))
        deviations.append(y)
    return {"deviation": np.concatenate(deviations), "eps_tau": eps}, v
