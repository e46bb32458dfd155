"""Coordinates of careers that are nearly round, whatever the sizes of steps and of spreads.

Votes say where a member-session stands with information I, about an estimate e; the walk says that
it is near the one before, to tau, and that a first one is near the mean of the party's new members,
to sigma. Given the scales all positions are then about Gaussian, and their standard scores z, from
the first session of a member on, are the coordinates: see :mod:`tallgrass.inference.kernel.walks`.
Where votes say little z is a step, or the distance from the mean in units of sigma; where they say
much, the position itself. A walk of t_4 holds a step the less the longer it is: where the votes say
that it is D long, its variance here is ``(4 tau^2 + D^2) / 5``, by which that of the member who
crosses over stays as tau goes to 0 (the weight of the EM algorithm for t; Lange, Little and Taylor
1989).
Information and estimates are fixed numbers: they decide only how round the posterior is.

The positions u, and the means m of new members, are on about the common scale. A sitting's own
middle d and half distance r are taken out of them, because they have variables of their own:
``v = (u - d) / r`` with party means at -1 and +1, ``mu = (m - d) / r``. The two numbers d and r of
each sitting are then of no effect. They have a density of their own, given v, mu and all earlier
sittings: about that which scores and m would give them, so that it holds none of these back.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, numbers, size
from tallgrass.inference.kernel.walks import walk_scores, walks
from tallgrass.rollcalls.career_scales import Known, fit_scales
from tallgrass.rollcalls.careers import Careers, group_sizes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import Point
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, Start, centred_positions, rollcall_logits

DEGREES = 4.0  # of freedom of the steps
SPREAD_OF_NEW = 0.35  # of new members about their party's mean, for the coordinates alone
TYPICAL_STEP = 0.15  # tau at the start of chains, and the unit of its coordinate
_TYPICAL_DIF = 2.0  # of a matched bill's logits, for the coordinates alone
_LEAST_INFORMATION = 1.0
_SPREAD_OF_MEANS = 0.3  # of new members about their party's typical mean, for d and r alone
_SPREAD_WITHIN = 0.5  # of a party in its sitting, to find where a member's votes point
_NEWTON_STEPS = 6


class Gauge(NamedTuple):
    """Fixed numbers of the coordinates, sitting after sitting.

    Parameters
    ----------
    tree : ndarray of int, shape (2, n_member_sessions)
        Member-sessions in an order of time; and by member-session the one before, or -1.
    estimates : ndarray, shape (2, n_member_sessions)
        Information I about the position u, and ``I e``.
    step : ndarray, shape (2, n_member_sessions)
        The variance of the step to a member-session is ``step[0] tau^2 + step[1]``; of first ones
        1 and 0.
    scales : ndarray, shape (2, n_sittings)
        The middle, and the log of half the distance, of each sitting that the u are on.
    """

    tree: NDArray[np.int64]
    estimates: Floats
    step: Floats
    scales: Floats


class Positions(NamedTuple):
    """Positions v, and means of new members by group, in the gauges of the sittings.

    ``log_density`` belongs to the map.
    """

    v: Any
    mu: Any
    log_density: Any


class _Expected(NamedTuple):
    """What the scores say of the means M of groups: ``M = share m + rest``, to a variance."""

    share: Any
    rest: Any
    variance: Any


def make_gauge(careers: Careers, spec: ModelSpec, start: Start) -> Gauge:
    """The coordinates for these votes, from PCA scores and roll calls fitted to them."""
    v = standard_positions(careers, start.pca[careers.rows])
    estimate, information, logits = _by_votes(careers, v)
    scales = fit_scales(careers, _known(careers, spec, estimate, logits), spec.priors)
    t = careers.sitting_of_row
    k = np.exp(scales[1])
    information = np.maximum(information / k[t] ** 2, _LEAST_INFORMATION)
    u = scales[0][t] + k[t] * estimate
    links, n = careers.links, len(u)
    before = np.full(n, -1)
    before[links.current] = links.previous
    step = np.stack([np.ones(n), np.zeros(n)])
    step[0, links.current] = links.gap
    if spec.walk == "t4":
        step[:, links.current] = _steps_of_t4(careers, u, information)
    time = np.array([s.time for s in careers.sittings])[t]
    return Gauge(
        np.stack([_in_order(before, time), before]),
        np.stack([information, information * u]),
        step,
        scales,
    )


def standard_positions(careers: Careers, scores: Floats) -> Floats:
    """Scores, sitting after sitting, with the party means of every sitting at -1 and +1."""
    v = np.empty(len(scores))
    for first, last in zip(careers.bounds[:-1], careers.bounds[1:], strict=True):
        party = careers.party_of_row[first:last].astype(np.int8)
        v[first:last] = centred_positions(scores[first:last], party)
    return v


def _by_votes(careers: Careers, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Where the votes of every member-session put it, with which information; the bills' logits.

    In the gauges of the sittings. The logarithm of the likelihood is about a parabola with its top
    at the estimate; the expansion is at the most likely position of a party member.
    """
    estimates, informations, logits = [], [], []
    for sitting, first, last in zip(
        careers.sittings, careers.bounds[:-1], careers.bounds[1:], strict=True
    ):
        cells = sitting.votes.cells.astype(float)
        a, b = rollcall_logits(sitting.votes, v[first:last], positive=False)
        side = 2.0 * careers.party_of_row[first:last] - 1.0
        at = v[first:last].copy()
        for _ in range(_NEWTON_STEPS):
            wrong = 1 / (1 + np.exp(np.clip(cells * (np.outer(at, b) - a), -30, 30)))
            slope = (cells * wrong) @ b
            information = (np.abs(cells) * wrong * (1 - wrong)) @ b**2
            step = slope - (at - side) / _SPREAD_WITHIN**2
            at += np.clip(step / (information + _SPREAD_WITHIN**-2), -0.5, 0.5)
        estimates.append(at + slope / np.maximum(information, _LEAST_INFORMATION))
        informations.append(np.maximum(information, _LEAST_INFORMATION))
        logits.append(np.stack([-b - a, b - a]))
    return np.concatenate(estimates), np.concatenate(informations), np.hstack(logits)


def _known(careers: Careers, spec: ModelSpec, v: Floats, logits: Floats) -> Known:
    return Known(
        v,
        np.tile([-1.0, 1.0], (len(careers.sittings), 1)),
        TYPICAL_STEP,
        np.full(len(PARTIES), SPREAD_OF_NEW),
        logits,
        np.full(len(careers.sessions), _TYPICAL_DIF),
        spec.walk == "normal",
    )


def _steps_of_t4(careers: Careers, estimate: Floats, information: Floats) -> Floats:
    """The two parts of the variance of every step, shape (2, n_links)."""
    links = careers.links
    noise = 1 / information[links.current] + 1 / information[links.previous]
    step = estimate[links.current] - estimate[links.previous]
    square = np.maximum(step**2 - noise, 0)
    return np.stack([DEGREES * links.gap, square]) / (DEGREES + 1)


def _in_order(before: NDArray[np.int64], time: Floats) -> NDArray[np.int64]:
    """Member-sessions, each after the one before it in its career."""
    depth = np.zeros(len(before), np.int64)
    for row in np.argsort(time, kind="stable"):
        if before[row] >= 0:
            depth[row] = depth[before[row]] + 1
    return np.argsort(depth, kind="stable")


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
    t, before, group = careers.sitting_of_row, gauge.tree[1], integers(_groups(careers))
    z = pm.Flat("career", shape=size(len(before)))
    offset = pm.Flat("offset_new", shape=size(len(group_sizes(careers))))
    is_first = numbers(before < 0)
    of_party = 2 * log_sigma[integers(careers.party_of_row)]
    of_step = pt.log(numbers(gauge.step[0]) * pt.exp(2 * log_tau) + numbers(gauge.step[1]))
    log_q = pt.switch(is_first > 0, of_party, of_step)
    middle, half = _typical_means(careers, gauge)
    m = numbers(middle) + numbers(half) * offset
    u, log_s = walks(integers(gauge.tree), numbers(gauge.estimates), z, log_q, m[group])

    variance = pt.exp(2 * log_s)
    share = is_first * pt.exp(2 * log_s - log_q)  # a of the first ones
    rest = u - pt.exp(log_s) * z - share * m[group]
    mean = partial(_mean_of_groups, careers)
    sizes = numbers(group_sizes(careers))
    expected = _Expected(mean(share), mean(rest), mean(variance) / sizes)
    d, r = _middle_and_half(mean(u))
    # Parties that change sides have no scale: such a point is refused.
    log_r = pt.switch(r > 0, pt.log(pt.abs(r)), -np.inf)
    of_group = integers(sitting_of_group(careers))
    v = (u - d[integers(t)]) / r[integers(t)]
    mu = (m - d[of_group]) / r[of_group]
    # (u, m) -> (v, mu, d, log r) in a sitting of n members: r^(n - 1) r^2.
    counts = numbers(np.diff(careers.bounds) + 1.0)
    unused = _unused(careers, gauge, (d, log_r), mu, expected)
    return Positions(v, mu, pt.sum(log_s) - pt.sum(counts * log_r) + unused)


def sitting_of_group(careers: Careers) -> NDArray[np.int64]:
    """Index of the sitting of every group, a party in a sitting."""
    return np.repeat(np.arange(len(careers.sittings)), len(PARTIES))


def _typical_means(careers: Careers, gauge: Gauge) -> tuple[Floats, Floats]:
    """Where the party of every group stands on the scale of u, and half the distance there."""
    t, side = sitting_of_group(careers), np.tile([-1.0, 1.0], len(careers.sittings))
    half = np.exp(gauge.scales[1][t])
    return gauge.scales[0][t] + half * side, half


def _mean_of_groups(careers: Careers, x: Any) -> Any:
    sizes = group_sizes(careers)
    sums = pt.inc_subtensor(numbers(np.zeros(len(sizes)))[integers(_groups(careers))], x)
    return sums / numbers(sizes)


def _middle_and_half(means: Any) -> tuple[Any, Any]:
    return (means[1::2] + means[::2]) / 2, (means[1::2] - means[::2]) / 2


def _unused(
    careers: Careers, gauge: Gauge, values: tuple[Any, Any], mu: Any, expected: _Expected
) -> Any:
    """Log-density of d and log r of every sitting, given mu, v and all earlier sittings.

    With ``m = M + o``, o from mu at the gauge's r, a mean M of a group is about Gaussian: the
    scores say ``(1 - share) M = share o + rest``, and where there are new members m is about the
    party's typical mean. The mean of log r is that of r to first order at the gauge's r, so that it
    is defined where parties are expected to change sides. The scores are ``unused``.
    """
    d, log_r = values
    middle, half = _typical_means(careers, gauge)
    side = np.tile([-1.0, 1.0], len(careers.sittings))
    o = numbers(half) * (mu - numbers(side))
    has_new = np.isin(np.arange(len(side)), _groups(careers)[careers.links.new])
    held = has_new / _SPREAD_OF_MEANS**2
    precision = (1 - expected.share) ** 2 / expected.variance + numbers(held)
    pull = (1 - expected.share) * (expected.share * o + expected.rest) / expected.variance
    means = (pull + numbers(held) * (numbers(middle) - o)) / precision
    expected_d, expected_r = _middle_and_half(means)
    left, right = 1 / precision[::2], 1 / precision[1::2]
    correlation = (right - left) / (right + left)
    share = 1 - correlation**2
    log_spread = 0.5 * pt.log((left + right) / 4)
    of_d = (d - expected_d) * pt.exp(-log_spread)
    typical = numbers(np.exp(gauge.scales[1]))
    surplus = log_r - numbers(gauge.scales[1]) - (expected_r / typical - 1)
    of_r = (surplus * typical * pt.exp(-log_spread) - correlation * of_d) / pt.sqrt(share)
    unused = pm.Deterministic("unused", pt.concatenate([of_d, of_r]))
    return -pt.sum(unused**2) / 2 - pt.sum(2 * log_spread + 0.5 * pt.log(share))


def _groups(careers: Careers) -> NDArray[np.int64]:
    """The group, a party in a sitting, of every member-session."""
    return np.asarray(len(PARTIES) * careers.sitting_of_row + careers.party_of_row)


def gauge_start(careers: Careers, gauge: Gauge, v: Floats, spread: float) -> Point:
    """The value of ``career`` that gives these positions v, at the typical tau and this sigma."""
    t, before = careers.sitting_of_row, gauge.tree[1]
    middle, half = gauge.scales[0], np.exp(gauge.scales[1])
    u = middle[t] + half[t] * v
    side = 2.0 * careers.party_of_row - 1.0
    of_step = np.log(gauge.step[0] * TYPICAL_STEP**2 + gauge.step[1])
    log_q = np.where(before < 0, 2 * np.log(spread), of_step)
    scores = walk_scores(gauge.tree, gauge.estimates, u, log_q, middle[t] + half[t] * side)
    return {"career": scores}
