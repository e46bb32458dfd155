"""Coordinates of careers that are nearly round, whatever the sizes of steps and of spreads.

Votes say where a member-session stands with information I, about an estimate e; the walk says that
it is near the one before, to tau, and that a first one is near the mean of the party's new members,
to sigma. Given the scales all positions are then about Gaussian, and their standard scores z, from
the first session of a member on, are the coordinates: see :mod:`tallgrass.inference.kernel.walks`.
Where votes say little z is a step, or the distance from the mean in units of sigma; where they say
much, the position itself. A walk of t_4 holds a step the less the longer it is: where the votes say
beyond doubt that it is D long, its variance here is about ``(4 tau^2 + D^2) / 5``, by which that of
the member who crosses over stays as tau goes to 0 (the weight of the EM algorithm for t; Lange,
Little and Taylor 1989).

The votes of a sitting say where its members stand among each other, and nothing of where all of
them stand. So every party in a sitting has a *working mean* M, a variable of its own about which
its members are estimated, ``e = M + K w``: w is the distance of a member from the party in half
distances of the parties, K the half distance of the working means. M is of no effect on the
posterior. Given the positions it is normal about their mean, as if it were measured with the noise
of the members' estimates; so votes and working means together hold all positions as the estimates
say, and M itself moves from one sitting to the next by the mean step and by that noise, however
small tau is. The working means of the reference sitting are held at -1 and +1; it is the scale of
the walk, of no effect either, that is free there: positions are ``x = (u - d) / r`` of all walks u,
with the party means of the reference sitting at -1 and +1.
Information, estimates and noise are fixed numbers
(:mod:`tallgrass.rollcalls.models.career_gauge`): they decide only how round the posterior is.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.inference.kernel.walks import walks
from tallgrass.rollcalls.career_scales import sitting_before, steps_to_levels
from tallgrass.rollcalls.careers import Careers, group_of_row, group_sizes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.career_gauge import LEAST_HALF, Gauge, typical_half
from tallgrass.rollcalls.start import Floats

_SPREAD_OF_STEPS = 0.5  # of a party's mean from sitting to sitting, where no member returns


class Positions(NamedTuple):
    """Positions x, and means of new members by group. ``log_density`` belongs to the map."""

    x: Any
    mu: Any
    log_density: Any


class _Means(NamedTuple):
    """Working means by group, and the log-Jacobian of their free variables."""

    value: Any
    log_jacobian: Any


def positions(careers: Careers, gauge: Gauge, log_tau: Any, log_sigma: Any) -> Positions:
    """Free variables ``career``, one a member-session, and ``offset_new``, one a group.

    Parameters
    ----------
    careers : Careers
        The sittings and their members.
    gauge : Gauge
        Of these careers.
    log_tau : scalar tensor
        Log of the size of a step.
    log_sigma : tensor, shape (2,)
        By party, the log of the spread of new members.
    """
    before, group = gauge.tree[1], integers(group_of_row(careers))
    z = pm.Flat("career", shape=size(len(before)))
    offset = pm.Flat("offset_new", shape=size(len(gauge.means)))
    of_party = 2 * log_sigma[integers(careers.party_of_row)]
    of_step = pt.log(numbers(gauge.step[0]) * pt.exp(2 * log_tau) + numbers(gauge.step[1]))
    log_q = pt.switch(numbers(before < 0) > 0, of_party, of_step)
    means = _working_means(careers, gauge, log_tau)
    typical = typical_half(gauge)
    half = (means.value[1::2] - means.value[::2])[integers(careers.sitting_of_row)] / 2
    estimate = means.value[group] + half * numbers(gauge.within)
    # Never without bound where the working means of the two parties meet.
    unit = half**2 + numbers((LEAST_HALF * typical[group_of_row(careers)]) ** 2)
    information = numbers(gauge.information) / unit
    m = means.value + numbers(typical) * offset
    tree = integers(gauge.tree)
    u, log_s = walks(tree, information, information * estimate, z, log_q, m[group])

    parties = means_of_groups(careers, u)
    at_reference = parties[integers(_reference_groups(careers))]
    d, r = (at_reference[1] + at_reference[0]) / 2, (at_reference[1] - at_reference[0]) / 2
    # Parties that change sides have no scale: such a point is refused.
    log_r = pt.switch(r > 0, pt.log(pt.abs(r)), -np.inf)
    # The noise of working means is that of estimates, in the half distance of the positions.
    free = _of_parties(np.arange(len(careers.sittings)) != careers.reference_sitting)
    log_half = pt.repeat(pt.log(pt.abs(parties[1::2] - parties[::2]) / 2), len(PARTIES))
    log_spread = numbers(0.5 * np.log(gauge.noise)) + numbers(free) * log_half
    unused = pm.Deterministic("unused", (means.value - parties) * pt.exp(-log_spread))
    of_means = means.log_jacobian - pt.sum(log_spread) - pt.sum(unused**2) / 2
    # (u, m) -> (x, mu, d, log r): r^(n + groups - 1); and d, log r from the two means: 2 r.
    dimensions = number(len(before) + len(gauge.means) - 2)
    log_density = pt.sum(log_s) + of_means - dimensions * log_r
    return Positions((u - d) / r, (m - d) / r, log_density)


def _working_means(careers: Careers, gauge: Gauge, log_tau: Any) -> _Means:
    """Free variables ``party_step``: steps away from the reference, in units of their spread.

    The members who return carry the mean of the party to ``tau^2`` over their number.
    """
    free = _of_parties(np.arange(len(careers.sittings)) != careers.reference_sitting)
    before = np.flatnonzero(free)
    before = len(PARTIES) * _of_parties(sitting_before(careers))[free] + before % len(PARTIES)
    carried = _carried(careers)[free]
    noise = gauge.noise * typical_half(gauge) ** 2
    noise = noise[free] + noise[before]
    tau2 = pt.exp(2 * log_tau)
    by_members = tau2 / (numbers(carried) + tau2 / _SPREAD_OF_STEPS**2)
    log_scale = 0.5 * pt.log(by_members + numbers(noise))
    step = pm.Flat("party_step", shape=size(len(before)))
    levels = np.kron(steps_to_levels(careers), np.eye(len(PARTIES)))
    value = numbers(gauge.means) + pt.dot(numbers(levels), pt.exp(log_scale) * step)
    return _Means(value, pt.sum(log_scale))


def _carried(careers: Careers) -> Floats:
    """By group, the members in common with the sitting before, each over its gap in bienniums."""
    links, t, before = careers.links, careers.sitting_of_row, sitting_before(careers)
    first, second = t[links.current], t[links.previous]
    carried = np.full(len(PARTIES) * len(careers.sittings), 1e-3)  # never quite none
    for sitting, other in ((first, second), (second, first)):
        steps = before[sitting] == other
        group = len(PARTIES) * sitting + careers.party_of_row[links.current]
        np.add.at(carried, group[steps], 1 / links.gap[steps])
    return carried


def _of_parties(of_sitting: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(of_sitting, len(PARTIES))


def _reference_groups(careers: Careers) -> NDArray[np.int64]:
    return len(PARTIES) * careers.reference_sitting + np.arange(len(PARTIES))


def means_of_groups(careers: Careers, x: Any) -> Any:
    """The mean of x over the members of each party in each sitting."""
    sizes = group_sizes(careers)
    sums = pt.inc_subtensor(numbers(np.zeros(len(sizes)))[integers(group_of_row(careers))], x)
    return sums / numbers(sizes)
