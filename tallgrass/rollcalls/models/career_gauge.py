"""What the votes say of careers before any chain: the fixed numbers of their coordinates.

Votes say where a member-session stands with information I, about an estimate e. They decide only
how round the posterior is in the coordinates of
:mod:`tallgrass.rollcalls.models.career_positions`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.kernel.walks import walk_scores
from tallgrass.rollcalls.career_scales import Known, fit_scales
from tallgrass.rollcalls.careers import Careers, group_of_row
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import Point
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, Start, centred_positions, rollcall_logits

DEGREES = 4.0  # of freedom of the steps
SPREAD_OF_NEW = 0.35  # of new members about their party's mean, for the coordinates alone
TYPICAL_STEP = 0.15  # tau at the start of chains, and the unit of its coordinate
_TYPICAL_DIF = 2.0  # of a matched bill's logits, for the coordinates alone
_LEAST_INFORMATION = 1.0
LEAST_HALF = 0.1  # of the typical half distance of two parties
_BEYOND_DOUBT = 25.0  # a step's square in units of its noise, where no small tau makes it none
_SPREAD_WITHIN = 0.5  # of a party in its sitting, to find where a member's votes point
_NEWTON_STEPS = 6


class Gauge(NamedTuple):
    """Fixed numbers of the coordinates, sitting after sitting.

    Parameters
    ----------
    tree : ndarray of int, shape (2, n_member_sessions)
        Member-sessions in an order of time; and by member-session the one before, or -1.
    information : ndarray, shape (n_member_sessions,)
        About the position, in half distances of the parties.
    within : ndarray, shape (n_member_sessions,)
        Distance of the estimate from the party's mean, in half distances of the parties.
    step : ndarray, shape (2, n_member_sessions)
        The variance of the step to a member-session is ``step[0] tau^2 + step[1]``; of first ones
        1 and 0.
    means : ndarray, shape (n_groups,)
        Where the parties in their sittings may stand.
    noise : ndarray, shape (n_groups,)
        Variance of the mean of the estimates, in squared half distances of the parties.
    """

    tree: NDArray[np.int64]
    information: Floats
    within: Floats
    step: Floats
    means: Floats
    noise: Floats


def make_gauge(careers: Careers, spec: ModelSpec, start: Start) -> Gauge:
    """The coordinates for these votes, from PCA scores and roll calls fitted to them."""
    v = standard_positions(careers, start.pca[careers.rows])
    estimate, information, logits = _by_votes(careers, v)
    scales = fit_scales(careers, _known(careers, spec, estimate, logits), spec.priors)
    t, group = careers.sitting_of_row, group_of_row(careers)
    k = np.exp(scales[1])
    of_group = np.bincount(group, information)
    within = estimate - (np.bincount(group, information * estimate) / of_group)[group]
    links, n = careers.links, len(within)
    before = np.full(n, -1)
    before[links.current] = links.previous
    step = np.stack([np.ones(n), np.zeros(n)])
    step[0, links.current] = links.gap
    if spec.walk == "t4":
        u = scales[0][t] + k[t] * estimate
        step[:, links.current] = _steps_of_t4(careers, u, information / k[t] ** 2)
    time = np.array([s.time for s in careers.sittings])[t]
    tree = np.stack([_in_order(before, time), before])
    side = np.tile([-1.0, 1.0], len(careers.sittings))
    means = np.repeat(scales[0], len(PARTIES)) + np.repeat(k, len(PARTIES)) * side
    return Gauge(tree, information, within, step, means, 1 / of_group)


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
    square = np.maximum(step**2 - _BEYOND_DOUBT * noise, 0)
    return np.stack([DEGREES * links.gap, square]) / (DEGREES + 1)


def _in_order(before: NDArray[np.int64], time: Floats) -> NDArray[np.int64]:
    """Member-sessions, each after the one before it in its career."""
    depth = np.zeros(len(before), np.int64)
    for row in np.argsort(time, kind="stable"):
        if before[row] >= 0:
            depth[row] = depth[before[row]] + 1
    return np.argsort(depth, kind="stable")


def typical_half(gauge: Gauge) -> Floats:
    """By group, half the distance of the parties of its sitting."""
    return np.repeat((gauge.means[1::2] - gauge.means[::2]) / 2, len(PARTIES))


def gauge_start(careers: Careers, gauge: Gauge, v: Floats, spread: float) -> Point:
    """The value of ``career`` that gives these positions v, at the typical tau and this sigma."""
    group, before = group_of_row(careers), gauge.tree[1]
    half = typical_half(gauge)[group]
    side = 2.0 * careers.party_of_row - 1.0
    u = gauge.means[group] + half * (v - side)
    of_step = np.log(gauge.step[0] * TYPICAL_STEP**2 + gauge.step[1])
    log_q = np.where(before < 0, 2 * np.log(spread), of_step)
    information = gauge.information / ((1 + LEAST_HALF**2) * half**2)
    pull = information * (gauge.means[group] + half * gauge.within)
    scores = walk_scores(gauge.tree, information, pull, u, log_q, gauge.means[group])
    return {"career": scores}
