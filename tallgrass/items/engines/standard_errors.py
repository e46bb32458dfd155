"""Standard errors of marginal estimates, from the observed information by Louis' identity.

    I = E[complete information] - Cov[complete score]

over the posterior of each ability, in slopes and intercepts (see
:mod:`tallgrass.items.engines.information`), then in the parameters that are estimated. A free
population N(m, s) adds two parameters. With x = (theta - m) / s and t = log s their complete score
is (x / s, x^2 - 1), their complete information [[U / s^2, 2 sum x / s], [., 2 sum x^2]], and they
share no complete information with the items.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpotri

from tallgrass.items.engines.information import population_scores
from tallgrass.items.engines.quadrature import ByUser, Expected
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD, ItemPriors

Floats = NDArray[np.float64]


class Border(NamedTuple):
    """Information between items and population, shape (2 n_items, 2), and of the population."""

    items: Floats
    population: Floats


class Covariances(NamedTuple):
    """Of the items, shape (n_items, 2, 2), and of (m, log s), shape (2, 2); NaN if not known.

    ``together``, shape (2 k, 2 k), is that of the items asked for, which share the population's.
    """

    items: Floats
    population: Floats
    together: Floats = np.empty((0, 0))


def on_theta(information: Floats, mean: float, sd: float) -> Floats:
    """The information in slope and intercept of theta, from that in those of (theta - m) / s."""
    turn = np.array([[sd, 0.0], [mean, 1.0]])  # rows: slope and intercept of the latter
    if information.ndim == 3:
        return np.asarray(turn.T @ information @ turn)
    n = len(information) // 2
    blocks = information.reshape(n, 2, n, 2)
    turned = np.einsum("ki,jklm,mn->jiln", turn, blocks, turn, optimize=True)
    return np.asarray(turned.reshape(2 * n, 2 * n))


def population_border(
    data: ByUser, slope: Floats, intercept: Floats, grid: tuple[Floats, Floats], mean: float,
    sd: float, has_priors: bool,
) -> Border:  # fmt: skip
    """The rows of the information that a free population adds.

    Parameters
    ----------
    slope, intercept : ndarray, shape (n_items,)
        Of standardised abilities.
    has_priors : bool
        Whether m and log s have their priors.
    """
    x, log_weight = grid
    crossed, of_users, sums = population_scores(data, slope, intercept, x, log_weight)
    n_users = len(data.bounds) - 1
    scale = np.array([1.0 / sd, 1.0])  # of the score in x and in x^2
    turn = np.array([[sd, 0.0], [mean, 1.0]])
    items = -(turn.T @ crossed) * scale
    complete = np.array([[n_users / sd**2, 2 * sums[0] / sd], [2 * sums[0] / sd, 2 * sums[1]]])
    population = complete - of_users * np.outer(scale, scale)
    if has_priors:
        population += np.diag([MEAN_SD**-2, LOG_SD_SD**-2])
    return Border(items.reshape(-1, 2), population)


def in_log_a_and_b(
    information: Floats, expected: Expected, x: Floats, log_a: Floats, b: Floats,
    border: Border | None = None,
) -> tuple[Floats, Border | None]:  # fmt: skip
    """The information in (log a, b) from that in slope and intercept of theta.

    slope = exp(log a), intercept = -b exp(log a). The priors move the mode away from the maximum of
    the likelihood, so the gradient is not zero there and the curvature of the map counts.

    Parameters
    ----------
    x : ndarray, shape (n_nodes,)
        The nodes, on the scale of theta.
    """
    a = np.exp(log_a)
    n_wrong, n_correct = expected.counts[0::2], expected.counts[1::2]
    p = 1.0 / (1.0 + np.exp(-a[:, None] * (x - b[:, None])))
    residual = n_correct - (n_wrong + n_correct) * p
    g_slope, g_intercept = residual @ x, residual.sum(axis=1)
    jacobian = np.zeros((len(a), 2, 2))  # rows: slope, intercept; columns: log a, b
    jacobian[:, 0, 0], jacobian[:, 1, 0], jacobian[:, 1, 1] = a, -a * b, -a
    curvature = np.zeros_like(jacobian)
    curvature[:, 0, 0] = a * g_slope - a * b * g_intercept
    curvature[:, 0, 1] = curvature[:, 1, 0] = -a * g_intercept
    if border is not None:
        turned = np.einsum("jki,jkp->jip", jacobian, border.items.reshape(-1, 2, 2))
        border = Border(turned.reshape(-1, 2), border.population)
    if information.ndim == 3:
        blocks = np.einsum("jki,jkl,jlm->jim", jacobian, information, jacobian) - curvature
        return blocks, border
    n = len(a)
    blocks = information.reshape(n, 2, n, 2)
    blocks = np.einsum("jki,jklm,lmn->jiln", jacobian, blocks, jacobian, optimize=True)
    blocks[np.arange(n), :, np.arange(n), :] -= curvature
    return blocks.reshape(2 * n, 2 * n), border


def prior_precision(priors: ItemPriors) -> Floats:
    """Precisions of log a and b, shape (n_items, 2)."""
    return np.stack([priors.log_a_sd**-2, priors.b_sd**-2], axis=1)


def covariances(
    information: Floats,
    precision: Floats,
    border: Border | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Covariances:
    """Inverse of the information plus the priors' precision, shape (n_items, 2).

    ``rows`` are the items whose covariances with each other are wanted. NaN for an item whose
    information is not positive definite, and for the population where the covariances between items
    are not counted: they hold most of what is known of it.
    """
    n = len(precision)
    unknown = np.full((2, 2), np.nan)
    if information.ndim == 3:
        return Covariances(_inverses(information + precision[:, :, None] * np.eye(2)), unknown)
    matrix = information + np.diag(precision.ravel())
    try:
        factor = cho_factor(matrix, lower=True)
        inverse, _ = dpotri(factor[0], lower=1)
        blocks = _diagonal_blocks(inverse)
        if border is None:
            chosen = np.array([] if rows is None else rows, np.int64)
            index = np.stack([2 * chosen, 2 * chosen + 1], axis=1).ravel()
            columns = np.eye(len(matrix))[:, index]
            return Covariances(blocks, unknown, cho_solve(factor, columns)[index])
        # The inverse of a bordered matrix, by the Schur complement of the items.
        share = cho_solve(factor, border.items)
        population = np.linalg.inv(border.population - border.items.T @ share)
        np.linalg.cholesky(population)
        pairs = share.reshape(n, 2, 2)
        return Covariances(blocks + pairs @ population @ pairs.transpose(0, 2, 1), population)
    except (LinAlgError, np.linalg.LinAlgError):
        pass
    return Covariances(
        _inverses(matrix.reshape(n, 2, n, 2)[np.arange(n), :, np.arange(n)]), unknown
    )


def _inverses(blocks: Floats) -> Floats:
    """Inverses of 2 x 2 matrices; NaN where one is not positive definite."""
    determinant = np.linalg.det(blocks)
    indefinite = ((determinant <= 0) | (blocks[:, 0, 0] <= 0))[:, None, None]
    inverse = np.linalg.inv(np.where(indefinite, np.eye(2), blocks))
    return np.where(indefinite, np.nan, inverse)


def _diagonal_blocks(lower: Floats) -> Floats:
    """The 2 x 2 diagonal blocks of a symmetric matrix, of which the lower triangle is given."""
    first = np.arange(0, len(lower), 2)
    blocks = np.empty((len(first), 2, 2))
    blocks[:, 0, 0], blocks[:, 1, 1] = lower[first, first], lower[first + 1, first + 1]
    blocks[:, 0, 1] = blocks[:, 1, 0] = lower[first + 1, first]
    return blocks
