"""Observed information of the marginal likelihood (Louis, 1982), in slopes and intercepts.

    I = E[complete information] - Cov[complete score],   score of item j at x: (y - P) (x, 1)

both over the posterior of each ability. Users are independent, so their covariances add up. If
affordable, all pairs of items that a user answered are counted, otherwise only the 2 x 2 blocks of
single items.
"""

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.jit import stored_njit
from tallgrass.items.engines.quadrature import (
    PARTS,
    ByUser,
    log_probabilities,
    over_users,
    user_posterior,
)

Floats = NDArray[np.float64]

MOST_WORK = 1e9  # pairs times nodes; this many take about a second
_MOST_ITEMS = 2000
_MANY_ITEMS = 1000  # with more the matrix takes over 32 MB, so it is not copied for every part


def observed_information(
    data: ByUser,
    slope: Floats,
    intercept: Floats,
    x: Floats,
    log_weight: Floats,
    most_work: float = MOST_WORK,
) -> tuple[Floats, bool]:
    """The information matrix, and whether it is full: with covariances between items.

    Parameters
    ----------
    most_work : float
        Pairs of answers times nodes, above which covariances between items are left out.

    Returns
    -------
    ndarray, shape (2 n_items, 2 n_items), or (n_items, 2, 2) without covariances
        In the order slope, intercept of item 0, of item 1, ...
    bool
        Whether the covariances are included.
    """
    sizes = np.diff(data.bounds).astype(float)
    full = len(slope) <= _MOST_ITEMS and float(np.sum(sizes**2)) * len(x) < most_work
    table = log_probabilities(slope, intercept, x)
    probability = np.ascontiguousarray(np.exp(table[1::2]))

    def part(low: int, high: int) -> tuple[Floats, Floats]:
        blocks = np.zeros((data.n_items, 2, 2))
        matrix = np.zeros((2 * data.n_items, 2 * data.n_items)) if full else np.zeros((1, 1))
        users = data.bounds[low : high + 1]
        _louis(data.code, users, table, probability, x, log_weight, blocks, matrix, full)
        return blocks, matrix

    parts = over_users(data, part, 1 if data.n_items > _MANY_ITEMS else PARTS)
    blocks, matrix = parts[0]
    for part_of_users in parts[1:]:
        blocks += part_of_users[0]
        matrix += part_of_users[1]
    if not full:
        return blocks, False
    for j in range(data.n_items):
        matrix[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] += blocks[j]
    return matrix, True


@stored_njit(fastmath={"reassoc", "contract", "nsz"})
def _moments(density, x, first, second):  # type: ignore[no-untyped-def]
    """Sums of p f g times 1, x and x squared."""
    s0, s1, s2 = 0.0, 0.0, 0.0
    for q in range(len(x)):
        w = density[q] * first[q] * second[q]
        s0 += w
        s1 += w * x[q]
        s2 += w * x[q] * x[q]
    return s0, s1, s2


@stored_njit()
def _louis(  # type: ignore[no-untyped-def]
    code, bounds, table, probability, x, log_weight, blocks, matrix, full
):
    density = np.empty(len(x))
    longest = 0
    for i in range(len(bounds) - 1):
        longest = max(longest, bounds[i + 1] - bounds[i])
    residual = np.empty((longest if full else 1, len(x)))
    means = np.empty((longest if full else 1, 2))
    ones = np.ones(len(x))
    for i in range(len(bounds) - 1):
        code_of_user = code[bounds[i] : bounds[i + 1]]
        user_posterior(code_of_user, table, log_weight, density)
        for k in range(len(code_of_user)):
            row = k if full else 0
            j, y = code_of_user[k] // 2, float(code_of_user[k] % 2)
            for q in range(len(x)):
                residual[row, q] = y - probability[j, q]
            i0, i1, i2 = _moments(density, x, probability[j], 1.0 - probability[j])
            m0, m1, _ = _moments(density, x, residual[row], ones)
            means[row, 0], means[row, 1] = m1, m0
            blocks[j, 0, 0] += i2
            blocks[j, 0, 1] += i1
            blocks[j, 1, 0] += i1
            blocks[j, 1, 1] += i0
            if not full:
                c0, c1, c2 = _moments(density, x, residual[0], residual[0])
                blocks[j, 0, 0] -= c2 - m1 * m1
                blocks[j, 0, 1] -= c1 - m1 * m0
                blocks[j, 1, 0] -= c1 - m1 * m0
                blocks[j, 1, 1] -= c0 - m0 * m0
                continue
            for other in range(k + 1):
                partner = code_of_user[other] // 2
                c0, c1, c2 = _moments(density, x, residual[k], residual[other])
                c2 -= means[k, 0] * means[other, 0]
                c10 = c1 - means[k, 0] * means[other, 1]
                c01 = c1 - means[k, 1] * means[other, 0]
                c0 -= means[k, 1] * means[other, 1]
                matrix[2 * j, 2 * partner] -= c2
                matrix[2 * j, 2 * partner + 1] -= c10
                matrix[2 * j + 1, 2 * partner] -= c01
                matrix[2 * j + 1, 2 * partner + 1] -= c0
                if partner != j:
                    matrix[2 * partner, 2 * j] -= c2
                    matrix[2 * partner + 1, 2 * j] -= c10
                    matrix[2 * partner, 2 * j + 1] -= c01
                    matrix[2 * partner + 1, 2 * j + 1] -= c0


def population_scores(
    data: ByUser, slope: Floats, intercept: Floats, x: Floats, log_weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Covariances of the scores of items and population, over the posterior of each ability.

    Returns
    -------
    ndarray, shape (n_items, 2, 2)
        Sum over users of the covariance of (y - P)(x, 1) with (x, x^2).
    ndarray, shape (2, 2)
        Sum over users of the covariance of (x, x^2).
    ndarray, shape (2,)
        Sums over users of the means of x and x^2.
    """
    table = log_probabilities(slope, intercept, x)
    probability = np.ascontiguousarray(np.exp(table[1::2]))

    def part(low: int, high: int) -> tuple[Floats, Floats, Floats]:
        crossed, of_users, sums = np.zeros((data.n_items, 2, 2)), np.zeros((2, 2)), np.zeros(2)
        users = data.bounds[low : high + 1]
        _population(data.code, users, table, probability, x, log_weight, crossed, of_users, sums)
        return crossed, of_users, sums

    crossed, of_users, sums = zip(*over_users(data, part), strict=True)
    return np.sum(crossed, axis=0), np.sum(of_users, axis=0), np.sum(sums, axis=0)


@stored_njit()
def _population(  # type: ignore[no-untyped-def]
    code, bounds, table, probability, x, log_weight, crossed, of_users, sums
):
    density = np.empty(len(x))
    for i in range(len(bounds) - 1):
        code_of_user = code[bounds[i] : bounds[i + 1]]
        user_posterior(code_of_user, table, log_weight, density)
        e1, e2, e3, e4 = 0.0, 0.0, 0.0, 0.0
        for q in range(len(x)):
            w = density[q] * x[q]
            e1 += w
            e2 += w * x[q]
            e3 += w * x[q] ** 2
            e4 += w * x[q] ** 3
        of_users[0, 0] += e2 - e1 * e1
        of_users[0, 1] += e3 - e1 * e2
        of_users[1, 0] += e3 - e1 * e2
        of_users[1, 1] += e4 - e2 * e2
        sums[0] += e1
        sums[1] += e2
        for k in code_of_user:
            j, y = k // 2, float(k % 2)
            r0, r1, r2, r3 = 0.0, 0.0, 0.0, 0.0
            for q in range(len(x)):
                w = density[q] * (y - probability[j, q])
                r0 += w
                r1 += w * x[q]
                r2 += w * x[q] ** 2
                r3 += w * x[q] ** 3
            crossed[j, 0, 0] += r2 - r1 * e1
            crossed[j, 0, 1] += r3 - r1 * e2
            crossed[j, 1, 0] += r1 - r0 * e1
            crossed[j, 1, 1] += r2 - r0 * e2
