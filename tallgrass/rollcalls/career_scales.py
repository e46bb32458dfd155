"""The scales of sittings that known positions lead to: a point of departure, and a check.

Positions within every sitting are known; delta and log k are those that maximise what the dynamic
model says of them: steps of careers, new members, matched bills and priors.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.careers import Careers

DEGREES = 4.0  # of freedom of the steps

Floats = NDArray[np.float64]


class Known(NamedTuple):
    """What is known, sitting after sitting.

    ``v`` are positions in the gauges, ``mu`` by sitting and party, ``logits`` of the roll calls at
    the party means, shape (2, n_columns), ``sigma_dif`` by session; normal steps have ``normal``.
    """

    v: Floats
    mu: Floats
    tau: float
    sigma: Floats
    logits: Floats
    sigma_dif: Floats
    normal: bool


def fit_scales(careers: Careers, known: Known, priors: Mapping[str, PriorSpec]) -> Floats:
    """Delta and log k of every sitting that fit what is known best, shape (2, n_sittings)."""
    n = len(careers.sittings)
    free = np.arange(n) != careers.reference_sitting

    def negative(z: Floats) -> tuple[float, Floats]:
        levels = np.zeros((2, n))
        levels[:, free] = z.reshape(2, -1)
        value, gradient = scales_logp(careers, known, levels)
        for i, name in enumerate(("delta", "log_k")):
            prior = priors[name]
            distance = (levels[i, free] - prior.mu) / prior.sigma
            value -= float(distance @ distance) / 2
            gradient[i, free] -= distance / prior.sigma
        return -value, -gradient[:, free].ravel()

    found = scipy.optimize.minimize(negative, np.zeros(2 * (n - 1)), jac=True, method="L-BFGS-B")
    levels = np.zeros((2, n))
    levels[:, free] = found.x.reshape(2, -1)
    return levels


def scales_logp(careers: Careers, known: Known, levels: Floats) -> tuple[float, Floats]:
    """Log-density of the scales, up to a constant and without their priors, and its gradient."""
    (delta, log_k), n = levels, len(careers.sittings)
    k, t, links = np.exp(log_k), careers.sitting_of_row, careers.links
    x = delta[t] + k[t] * known.v
    by_x = np.zeros(len(x))
    scale = known.tau * np.sqrt(links.gap)
    step = (x[links.current] - x[links.previous]) / scale
    if known.normal:
        value, slope = -float(step @ step) / 2, -step / scale
    else:
        value = -(DEGREES + 1) / 2 * float(np.log1p(step**2 / DEGREES).sum())
        slope = -(DEGREES + 1) * step / (DEGREES + step**2) / scale
    np.add.at(by_x, links.current, slope)
    np.add.at(by_x, links.previous, -slope)
    sigma = known.sigma[careers.party_of_row[links.new]]
    distance = (x[links.new] - known.mu[t[links.new], careers.party_of_row[links.new]]) / sigma
    value -= float(distance @ distance) / 2
    by_x[links.new] -= distance / sigma
    counts = np.diff(careers.bounds) - 1.0
    value += float(counts @ log_k)
    gradient = np.stack(
        [
            np.bincount(t, by_x, n),
            np.bincount(t, by_x * k[t] * known.v, n) + counts,
        ]
    )
    if len(careers.bridges.house):
        value += _bridges(careers, known, levels, gradient)
    return value, gradient


def _bridges(careers: Careers, known: Known, levels: Floats, gradient: Floats) -> float:
    """Log-density of the deviations of matched bills; their part is added to the gradient."""
    (delta, log_k), bridges = levels, careers.bridges
    house, senate = bridges.house_sitting, bridges.senate_sitting
    left, right = known.logits[:, bridges.house]
    a, b = -(left + right) / 2, (right - left) / 2
    inverse = np.exp(-log_k[house])
    ratio = np.exp(log_k[senate]) * inverse
    middle = (delta[senate] - delta[house]) * inverse
    sessions = [careers.sessions.index(careers.sittings[s].session) for s in senate]
    sigma = known.sigma_dif[sessions]
    value = 0.0
    for party, side in enumerate((-1.0, 1.0)):
        expected = b * (middle + side * ratio) - a
        distance = (known.logits[party, bridges.senate] - expected) / sigma
        value -= float(distance @ distance) / 2
        slope = distance / sigma * b
        np.add.at(gradient[0], senate, slope * inverse)
        np.add.at(gradient[0], house, -slope * inverse)
        np.add.at(gradient[1], senate, slope * side * ratio)
        np.add.at(gradient[1], house, -slope * (middle + side * ratio))
    return value


def sitting_before(careers: Careers) -> NDArray[np.int64]:
    """By sitting the index of the one before it on the way from the reference, which has -1.

    The first sitting of the other chamber on that way is the one of the reference session, or the
    last one; it follows the reference sitting.
    """
    before = np.full(len(careers.sittings), -1)
    for chamber in careers.chambers:
        own = [i for i, s in enumerate(careers.sittings) if s.chamber == chamber]
        first = careers.chamber_reference(chamber)
        if first != careers.reference_sitting:
            before[first] = careers.reference_sitting
        at = own.index(first)
        for way in (own[at:], own[: at + 1][::-1]):
            before[way[1:]] = way[:-1]
    return before


def steps_to_levels(careers: Careers) -> Floats:
    """The matrix that makes levels of sittings from their steps away from the reference.

    A sitting's level is that of :func:`sitting_before`, plus a step. Shape (n_sittings, n_sittings
    - 1); the row of the reference is zero. Without that row its determinant is 1 or -1.
    """
    before = sitting_before(careers)
    steps = np.eye(len(before))
    steps[before >= 0, before[before >= 0]] = -1.0
    return np.delete(np.linalg.inv(steps), careers.reference_sitting, axis=1)
