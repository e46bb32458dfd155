"""Observed information of the marginal likelihood of any item model (Louis, 1982).

    I = E[complete information] - Cov[complete score]

over the posterior of each ability. The complete information is minus the derivative of the expected
gradient, by central differences; the covariance is exact, user by user.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tallgrass.items.engines.family import LEAST_C, Family
from tallgrass.items.engines.quadrature import ByUser, Expected, user_posterior
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD

Floats = NDArray[np.float64]

MOST_WORK = 2e10  # products; this many take some seconds
_MOST_ENTRIES = 4000  # local parameters, whose matrix takes 128 MB
_STEP = 1e-5


class Known(NamedTuple):
    """Covariances of the estimates; NaN where the information is not positive definite.

    Parameters
    ----------
    items : ndarray, shape (n_items, 2 + most, 2 + most)
        Of every item, in the coordinates of the family; 0 where an item has no such parameter.
    population : ndarray, shape (2, 2)
        Of (m, log s) of a free population; NaN where covariances between items are not counted.
    whole : ndarray, shape (n, n)
        Of the vector of parameters; empty where they are not counted.
    """

    items: Floats
    population: Floats
    whole: Floats

    @property
    def full(self) -> bool:
        """Whether the information holds the covariances between items."""
        return bool(self.whole.size)


def covariance(
    family: Family,
    data: ByUser,
    parameters: Floats,
    expected: Expected,
    grid: tuple[Floats, Floats],
    free: tuple[float, float] | None = None,
    most_work: float = MOST_WORK,
) -> Known:
    """Covariances of the parameters; one at its bound, or that is fixed, is taken as known.

    Parameters
    ----------
    free : tuple of float, optional
        Mean and standard deviation of a population that was estimated; the grid is of
        (theta - mean) / sd.
    """
    x, log_weight = grid
    mean, sd = free or (0.0, 1.0)
    theta = mean + sd * x
    index = family.index
    n, width = index.shape
    sizes = np.diff(data.bounds).astype(float) * width
    work = float(np.sum(sizes**2)) * len(x)
    full = (work < most_work and n * width <= _MOST_ENTRIES) or family.name == "1pl"
    complete = _complete(family, expected.counts, theta, family.by_item(parameters))
    scores = _scores(family, parameters, theta)
    table = np.ascontiguousarray(family.curves(parameters).log_probabilities(theta))
    code_item = family.curves(parameters).item
    local = np.arange(n * width).reshape(n, width)
    # Every user has a score of the population too: of m, and of log s.
    of_population = np.array([x / sd, x**2 - 1]) if free else np.empty((0, len(x)))
    last = n * width + np.arange(len(of_population))
    size = n * width + len(last)
    total = np.zeros((size, size)) if full else np.zeros((n, width, width))
    density = np.empty(len(x))
    # Products of a few hundred rows: threads of BLAS would cost more than they save.
    with threadpool_limits(limits=1, user_api="blas"):
        for low, high in zip(data.bounds[:-1], data.bounds[1:], strict=True):
            code = data.code[low:high]
            user_posterior(code, table, log_weight, density)
            chosen = scores[code]
            if full:
                rows = np.concatenate([chosen.reshape(-1, len(x)), of_population])
                flat = rows @ density
                place = np.concatenate([local[code_item[code]].ravel(), last])
                total[np.ix_(place, place)] += (rows * density) @ rows.T - np.outer(flat, flat)
            else:
                centre = chosen @ density
                of_item = np.einsum("kpq,krq,q->kpr", chosen, chosen, density, optimize=True)
                total[code_item[code]] += of_item - centre[:, :, None] * centre[:, None, :]
    _, second = family.prior_slope(parameters)
    fixed = _at_bound(family, parameters) | family.fixed
    unknown = np.full((2, 2), np.nan)
    if full:
        matrix = -total
        for j in range(n):
            matrix[np.ix_(local[j], local[j])] += complete[j]
        if free:
            matrix[np.ix_(last, last)] += _complete_population(family, expected, sd)
        whole = _inverse(*_in_vector(matrix, index, second, fixed))
        n_own = len(second)
        return Known(_by_item(whole, index), whole[n_own:, n_own:] if free else unknown, whole)
    blocks = complete - total
    known = np.zeros((n, width, width))
    for j in range(n):
        own = index[j] >= 0
        entries = index[j][own]
        block = blocks[j][np.ix_(own, own)] + np.diag(second[entries])
        known[j][np.ix_(own, own)] = _inverse(block, fixed[entries])
    return Known(known, unknown, np.empty((0, 0)))


def _in_vector(
    matrix: Floats, index: NDArray[np.int64], second: Floats, fixed: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The information in the vector with that of the priors, and which entries are known.

    ``matrix`` is by item, shared parameters in many places; rows of a population are the last ones.
    """
    n_own, n_more = len(second), len(matrix) - index.size
    used = np.concatenate([np.flatnonzero(index.ravel() >= 0), index.size + np.arange(n_more)])
    place = np.concatenate([index.ravel()[index.ravel() >= 0], n_own + np.arange(n_more)])
    information = np.zeros((n_own + n_more, n_own + n_more))
    np.add.at(information, (place[:, None], place[None, :]), matrix[np.ix_(used, used)])
    information[np.arange(n_own), np.arange(n_own)] += second
    return information, np.concatenate([fixed, np.zeros(n_more, bool)])


def _complete_population(family: Family, expected: Expected, sd: float) -> Floats:
    """Complete information about (m, log s), with that of their priors."""
    first = float(expected.theta.sum())
    second = float((expected.theta**2 + expected.theta_sd**2).sum())
    n = len(expected.theta)
    complete = np.array([[n / sd**2, 2 * first / sd], [2 * first / sd, 2 * second]])
    if family.priors is not None:
        complete += np.diag([MEAN_SD**-2, LOG_SD_SD**-2])
    return complete


def _scores(family: Family, parameters: Floats, x: Floats) -> Floats:
    """Derivatives of the log-probability of every answer in the coordinates."""
    items = family.by_item(parameters)
    curves = family.curves_of_items(items)
    jacobian = family.jacobian(items)[curves.item]
    return np.asarray(np.einsum("kpq,kpr->krq", curves.derivatives(x), jacobian, optimize=True))


def _complete(family: Family, counts: Floats, x: Floats, items: Floats) -> Floats:
    """Minus the second derivatives of the expected log-likelihood, by item."""
    n, width = items.shape
    result = np.zeros((n, width, width))
    for k in range(width):
        moved = np.zeros(width)
        moved[k] = _STEP
        up = gradient_by_item(family, counts, x, items + moved)
        down = gradient_by_item(family, counts, x, items - moved)
        result[:, :, k] = -(up - down) / (2 * _STEP)
    unused = family.index < 0
    unused[:, 0] = False
    result[unused[:, :, None] | unused[:, None, :]] = 0.0
    return np.asarray((result + result.transpose(0, 2, 1)) / 2)


def gradient_by_item(family: Family, counts: Floats, x: Floats, items: Floats) -> Floats:
    """Of the expected log-likelihood without priors, in the coordinates, by item.

    At the parameters of the E-step it is that of the marginal log-likelihood (Fisher's identity).
    """
    curves = family.curves_of_items(items)
    by_code = np.einsum("kq,kpq->kp", counts, curves.derivatives(x))
    natural = np.add.reduceat(by_code, curves.first[:-1])
    return np.asarray(np.einsum("jp,jpr->jr", natural, family.jacobian(items)))


def _at_bound(family: Family, parameters: Floats) -> NDArray[np.bool_]:
    fixed = np.zeros(len(parameters), bool)
    if family.name == "3pl":
        c = family.curves(parameters).c
        fixed[family.index[:, -1][c <= 1.01 * LEAST_C]] = True
    return fixed


def _by_item(whole: Floats, index: NDArray[np.int64]) -> Floats:
    """Of the covariance of the vector, the part of every item."""
    n, width = index.shape
    result = np.zeros((n, width, width))
    for j in range(n):
        own = index[j] >= 0
        result[j][np.ix_(own, own)] = whole[np.ix_(index[j][own], index[j][own])]
    return result


def _inverse(matrix: Floats, fixed: NDArray[np.bool_]) -> Floats:
    """The inverse among the entries that are not fixed; NaN if it is not positive definite."""
    free = np.flatnonzero(~fixed)
    result = np.zeros(matrix.shape)
    try:
        np.linalg.cholesky(matrix[np.ix_(free, free)])
        result[np.ix_(free, free)] = np.linalg.inv(matrix[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        result[:] = np.nan
    return result
