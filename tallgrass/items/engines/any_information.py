"""Observed information of the marginal likelihood of any item model (Louis, 1982).

    I = E[complete information] - Cov[complete score]

over the posterior of each ability. The complete information is minus the derivative of the expected
gradient, by central differences; the covariance is exact, user by user.
"""

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.engines.family import LEAST_C, Family
from tallgrass.items.engines.quadrature import ByUser, Expected, user_posterior

Floats = NDArray[np.float64]

MOST_WORK = 2e10  # products; this many take some seconds
_MOST_ENTRIES = 4000  # local parameters, whose matrix takes 128 MB
_STEP = 1e-5


def covariance(
    family: Family,
    data: ByUser,
    parameters: Floats,
    expected: Expected,
    grid: tuple[Floats, Floats],
    most_work: float = MOST_WORK,
) -> tuple[Floats, bool]:
    """Covariances of the parameters of every item, and whether those between items were counted.

    A parameter at its bound is taken as known. Entries are NaN where the information is not
    positive definite.

    Returns
    -------
    ndarray, shape (n_items, 2 + most, 2 + most)
        In the coordinates of the family; 0 where an item has no such parameter.
    bool
        Whether the information holds the covariances between items.
    """
    x, log_weight = grid
    index = family.index
    n, width = index.shape
    sizes = np.diff(data.bounds).astype(float) * width
    work = float(np.sum(sizes**2)) * len(x)
    full = (work < most_work and n * width <= _MOST_ENTRIES) or family.name == "1pl"
    complete = _complete(family, expected.counts, x, family.by_item(parameters))
    scores = _scores(family, parameters, x)
    table = np.ascontiguousarray(family.curves(parameters).log_probabilities(x))
    code_item = family.curves(parameters).item
    local = np.arange(n * width).reshape(n, width)
    total = np.zeros((n * width, n * width)) if full else np.zeros((n, width, width))
    density = np.empty(len(x))
    for low, high in zip(data.bounds[:-1], data.bounds[1:], strict=True):
        code = data.code[low:high]
        user_posterior(code, table, log_weight, density)
        chosen = scores[code]
        mean = chosen @ density
        if full:
            rows = chosen.reshape(-1, len(x))
            flat = mean.ravel()
            place = local[code_item[code]].ravel()
            total[np.ix_(place, place)] += (rows * density) @ rows.T - np.outer(flat, flat)
        else:
            of_item = np.einsum("kpq,krq,q->kpr", chosen, chosen, density, optimize=True)
            total[code_item[code]] += of_item - mean[:, :, None] * mean[:, None, :]
    _, second = family.prior_slope(parameters)
    fixed = _at_bound(family, parameters)
    if full:
        matrix = -total
        for j in range(n):
            matrix[np.ix_(local[j], local[j])] += complete[j]
        return _inverted(matrix, index, second, fixed), True
    blocks = complete - total
    known = np.zeros((n, width, width))
    for j in range(n):
        used = index[j] >= 0
        place = index[j][used]
        block = blocks[j][np.ix_(used, used)] + np.diag(second[place])
        known[j][np.ix_(used, used)] = _inverse(block, fixed[place])
    return known, False


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
        up = _gradient(family, counts, x, items + moved)
        down = _gradient(family, counts, x, items - moved)
        result[:, :, k] = -(up - down) / (2 * _STEP)
    unused = family.index < 0
    unused[:, 0] = False
    result[unused[:, :, None] | unused[:, None, :]] = 0.0
    return np.asarray((result + result.transpose(0, 2, 1)) / 2)


def _gradient(family: Family, counts: Floats, x: Floats, items: Floats) -> Floats:
    """Of the expected log-likelihood without priors, in the coordinates, by item."""
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


def _inverted(
    matrix: Floats, index: NDArray[np.int64], second: Floats, fixed: NDArray[np.bool_]
) -> Floats:
    """The inverse of the information in the vector, by item."""
    n, width = index.shape
    used = np.flatnonzero(index.ravel() >= 0)
    place = index.ravel()[used]
    whole = np.zeros((len(second), len(second)))
    np.add.at(whole, (place[:, None], place[None, :]), matrix[np.ix_(used, used)])
    inverse = _inverse(whole + np.diag(second), fixed)
    result = np.zeros((n, width, width))
    for j in range(n):
        own = index[j] >= 0
        result[j][np.ix_(own, own)] = inverse[np.ix_(index[j][own], index[j][own])]
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
