"""Coordinates of careers in which a random walk over noisy positions is nearly round.

Votes say where a member-session stands with information I_i, about an estimate e_i; the walk says
that it is near the one before, to tau. Given all else the positions of a career are then about
Gaussian, with precision ``D + A / tau^2`` (D the diagonal of the information and of the prior of
the first position, A the Laplacian of the walk) and mean ``(D + A / tau^2)^-1 h``. With the
generalised eigenvectors ``A U = D U L``, ``U' D U = 1`` the positions are

    u = U (s z + s^2 c),   s = 1 / sqrt(1 + L / tau^2),   c = U' h

with z about N(0, 1), for every tau: where votes say little z is a step, where they say much the
position itself. U, L and c are fixed numbers, so that the map and its Jacobian ``sum log s`` cost
little. Any U gives the same posterior; the estimates decide only how round it is.

The u are on about the common scale. A sitting's own middle and half distance are taken out of them,
because they have variables of their own: ``v = (u - d) / r`` with party means at -1 and +1. The two
numbers d and r of each sitting are then of no effect, and have a density of their own.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tallgrass.inference.constants import integers, numbers, size
from tallgrass.rollcalls.career_scales import Known, fit_scales
from tallgrass.rollcalls.careers import Careers, group_sizes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import Point
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, Start, centred_positions, rollcall_logits

SPREAD_OF_NEW = 0.35  # of new members about their party's mean, for the coordinates alone
TYPICAL_STEP = 0.15  # tau at the start of chains, and the unit of its coordinate
_TYPICAL_DIF = 2.0  # of a matched bill's logits, for the coordinates alone
_LEAST_INFORMATION = 1.0
_SPREAD_WITHIN = 0.5  # of a party in its sitting, to find where a member's votes point
_NEWTON_STEPS = 6


class Gauge(NamedTuple):
    """Fixed numbers of the coordinates, sitting after sitting.

    Parameters
    ----------
    row, column : ndarray of int, shape (n_entries,)
        The entries of U that are not 0: member-session, and number of the coordinate.
    value, inverse : ndarray, shape (n_entries,)
        These entries, and those of ``D U``.
    eigenvalue, c : ndarray, shape (n_member_sessions,)
        L, and ``U' h``.
    scales : ndarray, shape (2, n_sittings)
        The middle, and the log of half the distance, of each sitting that the u are on.
    spread : ndarray, shape (n_sittings,)
        Standard deviation of the density of d and of log r.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    inverse: Floats
    eigenvalue: Floats
    c: Floats
    scales: Floats
    spread: Floats


class Positions(NamedTuple):
    """Positions v in the gauges of the sittings, and the log-density that belongs to the map."""

    v: Any
    log_density: Any


def make_gauge(careers: Careers, spec: ModelSpec, start: Start) -> Gauge:
    """The coordinates for these votes, from PCA scores and roll calls fitted to them."""
    v = standard_positions(careers, start.pca[careers.rows])
    estimate, information, logits = _by_votes(careers, v)
    scales = fit_scales(careers, _known(careers, spec, estimate, logits), spec.priors)
    t = careers.sitting_of_row
    k = np.exp(scales[1])
    information = np.maximum(information / k[t] ** 2, _LEAST_INFORMATION)
    h, d = information * (scales[0][t] + k[t] * estimate), information.copy()
    # New members stand about their party's mean.
    new = careers.links.new
    side = 2.0 * careers.party_of_row[new] - 1.0
    d[new] += SPREAD_OF_NEW**-2
    h[new] += (scales[0][t[new]] + k[t[new]] * side) / SPREAD_OF_NEW**2
    total = np.bincount(t, information, len(careers.sittings))
    return _decomposed(careers, d, h)._replace(scales=scales, spread=1 / np.sqrt(total))


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


def _decomposed(careers: Careers, d: Floats, h: Floats) -> Gauge:
    """The eigenvectors of every career; without the scales of the sittings."""
    links, n = careers.links, len(d)
    graph = coo_matrix((np.ones(len(links.gap)), (links.previous, links.current)), (n, n))
    of_row = connected_components(graph, directed=False)[1]
    place = np.empty(n, np.int64)  # of every row in its career
    members = [np.flatnonzero(of_row == career) for career in range(of_row.max() + 1)]
    for rows in members:
        place[rows] = np.arange(len(rows))
    laplacians = [np.zeros((len(rows), len(rows))) for rows in members]
    for before, after, gap in zip(links.previous, links.current, links.gap, strict=True):
        pair = place[[before, after]]
        laplacians[of_row[after]][np.ix_(pair, pair)] += np.array([[1, -1], [-1, 1]]) / gap
    entries, eigenvalue, c = [], np.empty(n), np.empty(n)
    for rows, laplacian in zip(members, laplacians, strict=True):
        values, vectors = eigh(laplacian, np.diag(d[rows]))
        eigenvalue[rows] = np.maximum(values, 0.0)
        c[rows] = vectors.T @ h[rows]
        first, second = (part.ravel() for part in np.meshgrid(rows, rows, indexing="ij"))
        entries.append((first, second, vectors.ravel(), (d[rows][:, None] * vectors).ravel()))
    row, column, value, inverse = (np.concatenate(part) for part in zip(*entries, strict=True))
    return Gauge(row, column, value, inverse, eigenvalue, c, np.empty((2, 0)), np.empty(0))


def positions(careers: Careers, gauge: Gauge, log_tau: Any) -> Positions:
    """Free variable ``career``, one a member-session, and the positions that it gives."""
    n = len(gauge.c)
    z = pm.Flat("career", shape=size(n))
    log_s = -0.5 * pt.log1p(numbers(gauge.eigenvalue) * pt.exp(-2 * log_tau))
    w = pt.exp(log_s) * z + pt.exp(2 * log_s) * numbers(gauge.c)
    entries = numbers(gauge.value) * w[integers(gauge.column)]
    u = pt.inc_subtensor(numbers(np.zeros(n))[integers(gauge.row)], entries)

    sizes = group_sizes(careers)
    group = integers(len(PARTIES) * careers.sitting_of_row + careers.party_of_row)
    means = pt.inc_subtensor(numbers(np.zeros(len(sizes)))[group], u) / numbers(sizes)
    d, r = (means[1::2] + means[::2]) / 2, (means[1::2] - means[::2]) / 2
    # Parties that change sides have no scale: such a point is refused.
    log_r = pt.switch(r > 0, pt.log(pt.abs(r)), -np.inf)
    sitting = integers(careers.sitting_of_row)
    v = (u - d[sitting]) / r[sitting]
    spread = numbers(gauge.spread)
    unused = pt.concatenate([d - numbers(gauge.scales[0]), log_r - numbers(gauge.scales[1])])
    unused = pm.Deterministic("unused", unused / pt.concatenate([spread, spread]))
    # u -> (v, d, log r) in a sitting of n members: r^(n - 1).
    counts = numbers(np.diff(careers.bounds) - 1.0)
    return Positions(v, pt.sum(log_s) - pt.sum(counts * log_r) - pt.sum(unused**2) / 2)


def gauge_start(careers: Careers, gauge: Gauge, v: Floats) -> Point:
    """The value of ``career`` that gives these positions v, at the typical tau."""
    t = careers.sitting_of_row
    u = gauge.scales[0][t] + np.exp(gauge.scales[1][t]) * v
    w = np.bincount(gauge.column, gauge.inverse * u[gauge.row], len(u))
    s = 1 / np.sqrt(1 + gauge.eigenvalue / TYPICAL_STEP**2)
    return {"career": (w - s**2 * gauge.c) / s}
