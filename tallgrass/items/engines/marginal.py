"""Marginal estimators: abilities are integrated out, item parameters maximised by EM.

Sources: Bock and Aitkin (1981), accelerated by SQUAREM (Varadhan and Roland, 2008). Standard errors
come from the observed information by Louis' identity.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri

from tallgrass.items.engines.estimates import ItemEstimates, item_counts
from tallgrass.items.engines.information import observed_information
from tallgrass.items.engines.maximise import newton_priors, newton_slopes
from tallgrass.items.engines.quadrature import ByUser, Expected, by_user, expect, grid, nodes_for
from tallgrass.items.priors import B_SD, LOG_A_SD, ItemPriors, item_priors
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

TOLERANCE = 1e-4  # largest change of a parameter by an EM step
MOST_PASSES = 2000


def calibrate_mml(
    responses: Responses, anchors: Anchors | None = None, tolerance: float = TOLERANCE
) -> ItemEstimates:
    """Marginal maximum likelihood without item priors, the default of mirt.

    Anchors are ignored, because the N(0, 1) abilities fix the scale. An item that all users
    answered correctly, or all wrongly, has no maximum, so its slope and intercept get the priors
    N(1, 0.2) and N(0, 1).

    Parameters
    ----------
    tolerance : float
        EM stops when no parameter changes by more than this.
    """
    began = time.perf_counter()
    n, n_correct = item_counts(responses)
    one_sided = (n_correct == 0) | (n_correct == n)
    pull = np.where(one_sided[:, None], [[LOG_A_SD**-2, B_SD**-2]], 0.0)
    data = by_user(responses)
    log_odds = np.log((n_correct + 0.5) / (n - n_correct + 0.5))
    start = np.stack([np.ones(len(n)), np.clip(1.1 * log_odds, -4, 4)])

    def maximise(counts: Floats, x: Floats, parameters: Floats) -> None:
        newton_slopes(counts, x, parameters[0], parameters[1], pull, 1.0, 0.0)

    fit = _Fit(data, maximise, lambda p: (p[0], p[1]), _pulled(pull), tolerance)
    parameters, expected, converged = fit.run(start)
    slope, intercept = parameters
    information, full = observed_information(data, slope, intercept, *fit.grid)
    # (a, b) from (slope, intercept): b = -intercept / slope.
    variance = _covariances(information, pull)
    a, b = slope, -intercept / slope
    gradient = np.stack([-b / slope, -1.0 / slope], axis=1)
    b_sd = np.sqrt(np.einsum("jk,jkl,jl->j", gradient, variance, gradient))
    notes = _notes(responses, one_sided, full, converged, fit.coarse)
    if (a <= 0).any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(a <= 0)[:10])
        notes += (f"{int((a <= 0).sum())} items with a negative discrimination: {names}",)
    return ItemEstimates(
        "mml", responses.items, responses.users, a, b, np.sqrt(variance[:, 0, 0]), b_sd, n,
        n_correct / n, expected.theta, expected.theta_sd, expected.log_lik, converged, fit.passes,
        time.perf_counter() - began, notes,
    )  # fmt: skip


def calibrate_map(
    responses: Responses, anchors: Anchors | None = None, tolerance: float = TOLERANCE
) -> ItemEstimates:
    """The posterior mode of (log a, b) under the model's priors, abilities integrated out.

    Parameters
    ----------
    tolerance : float
        EM stops when no parameter changes by more than this.

    Raises
    ------
    DataError
        When an anchor has no response.
    """
    began = time.perf_counter()
    priors = item_priors(responses, anchors)
    n, n_correct = item_counts(responses)
    data = by_user(responses)
    log_odds = np.log((n_correct + 0.5) / (n - n_correct + 0.5))
    start = np.stack([priors.log_a_mean, np.clip(-1.1 * log_odds, -4, 4)])
    start[1, priors.anchor] = priors.b_mean[priors.anchor]

    def maximise(counts: Floats, x: Floats, parameters: Floats) -> None:
        log_a, b = parameters
        newton_priors(
            counts, x, log_a, b, priors.log_a_mean, priors.log_a_sd, priors.b_mean, priors.b_sd
        )

    fit = _Fit(data, maximise, _slopes_of, _prior_density(priors), tolerance)
    parameters, expected, converged = fit.run(start)
    log_a, b = parameters
    a = np.exp(log_a)
    information, full = observed_information(data, a, -a * b, *fit.grid)
    variance = _covariances(*_in_log_a_and_b(information, expected, fit.grid[0], log_a, b, priors))
    return ItemEstimates(
        "map", responses.items, responses.users, a, b, a * np.sqrt(variance[:, 0, 0]),
        np.sqrt(variance[:, 1, 1]), n, n_correct / n, expected.theta, expected.theta_sd,
        expected.log_lik, converged, fit.passes, time.perf_counter() - began,
        _notes(responses, (n_correct == 0) | (n_correct == n), full, converged, fit.coarse),
    )  # fmt: skip


class _Fit:
    """Accelerated EM; the grid is refined until it resolves the narrowest posterior."""

    def __init__(
        self,
        data: ByUser,
        maximise: Callable[[Floats, Floats, Floats], None],
        slopes: Callable[[Floats], tuple[Floats, Floats]],
        log_prior: Callable[[Floats], float],
        tolerance: float,
    ) -> None:
        self.data, self.maximise, self.slopes = data, maximise, slopes
        self.log_prior, self.tolerance = log_prior, tolerance
        self.passes = 0
        self.n_nodes = nodes_for(1.0)
        self.grid = grid(self.n_nodes)
        self.coarse = False

    def run(self, parameters: Floats) -> tuple[Floats, Expected, bool]:
        """Parameters at the maximum, the E-step there, and whether EM converged."""
        while True:
            parameters, converged = self._climb(parameters)
            expected = self._expect(parameters)
            smallest = float(expected.theta_sd.min())
            n_needed = nodes_for(smallest)
            if n_needed <= self.n_nodes:
                self.coarse = (self.grid[0][1] - self.grid[0][0]) > 1.5 * smallest
                return parameters, expected, converged
            # At most double: a posterior between two nodes looks narrower than it is.
            self.n_nodes = min(n_needed, 2 * self.n_nodes - 1)
            self.grid = grid(self.n_nodes)

    def _expect(self, parameters: Floats) -> Expected:
        self.passes += 1
        slope, intercept = self.slopes(parameters)
        return expect(self.data, slope, intercept, *self.grid)

    def _step(self, parameters: Floats) -> tuple[Floats, float]:
        """One EM step, and the objective before it."""
        expected = self._expect(parameters)
        moved = parameters.copy()
        self.maximise(expected.counts, self.grid[0], moved)
        return moved, expected.log_lik + self.log_prior(parameters)

    def _climb(self, first: Floats) -> tuple[Floats, bool]:
        best = -np.inf
        safe = first
        while self.passes < MOST_PASSES:
            second, objective = self._step(first)
            if objective < best - 1e-8 * abs(best):
                # The extrapolation went too far: return to the point of plain EM.
                first, best = safe, -np.inf
                continue
            best = objective
            if np.abs(second - first).max() < self.tolerance:
                # When EM is slow, a small step does not mean a near maximum: extrapolate again.
                third, _ = self._step(second)
                if np.abs(third - second).max() < self.tolerance / 10:
                    return third, True
            else:
                third, _ = self._step(second)
            safe = third
            r, v = second - first, (third - second) - (second - first)
            length = -np.sqrt(np.sum(r * r) / max(np.sum(v * v), 1e-300))
            length = min(length, -1.0)
            moved = first - 2.0 * length * r + length**2 * v
            # A far jump can be too far for single items, so each parameter moves by at most 1.
            first = third + np.clip(moved - third, -1.0, 1.0)
        return first, False


def _slopes_of(parameters: Floats) -> tuple[Floats, Floats]:
    a = np.exp(parameters[0])
    return a, -a * parameters[1]


def _pulled(pull: Floats) -> Callable[[Floats], float]:
    return lambda p: float(-0.5 * np.sum(pull.T * (p - [[1.0], [0.0]]) ** 2))


def _prior_density(priors: ItemPriors) -> Callable[[Floats], float]:
    def density(parameters: Floats) -> float:
        log_a = (parameters[0] - priors.log_a_mean) / priors.log_a_sd
        b = (parameters[1] - priors.b_mean) / priors.b_sd
        return float(-0.5 * (np.sum(log_a**2) + np.sum(b**2)))

    return density


def _in_log_a_and_b(
    information: Floats, expected: Expected, x: Floats, log_a: Floats, b: Floats, priors: ItemPriors
) -> tuple[Floats, Floats]:
    """The information in (log a, b), and the priors' precisions, shape (n_items, 2).

    slope = exp(log a), intercept = -b exp(log a). The priors move the mode away from the maximum of
    the likelihood, so the gradient is not zero there and the curvature of the map counts.
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
    if information.ndim == 3:
        transformed = np.einsum("jki,jkl,jlm->jim", jacobian, information, jacobian) - curvature
    else:
        n = len(a)
        blocks = information.reshape(n, 2, n, 2)
        blocks = np.einsum("jki,jklm,lmn->jiln", jacobian, blocks, jacobian, optimize=True)
        blocks[np.arange(n), :, np.arange(n), :] -= curvature
        transformed = blocks.reshape(2 * n, 2 * n)
    return transformed, np.stack([priors.log_a_sd**-2, priors.b_sd**-2], axis=1)


def _covariances(information: Floats, precision: Floats) -> Floats:
    """The 2 x 2 covariances of the items, shape (n_items, 2, 2), from information plus precision.

    NaN for an item whose information is not positive definite.
    """
    n = len(precision)
    if information.ndim == 3:
        blocks = information + precision[:, :, None] * np.eye(2)
    else:
        matrix = information + np.diag(precision.ravel())
        try:
            return _diagonal_blocks(matrix)
        except np.linalg.LinAlgError:
            blocks = matrix.reshape(n, 2, n, 2)[np.arange(n), :, np.arange(n), :]
    determinant = np.linalg.det(blocks)
    indefinite = (determinant <= 0) | (blocks[:, 0, 0] <= 0)
    inverse = np.linalg.inv(np.where(indefinite[:, None, None], np.eye(2), blocks))
    return np.where(indefinite[:, None, None], np.nan, inverse)


def _diagonal_blocks(matrix: Floats) -> Floats:
    """The 2 x 2 diagonal blocks of the inverse, by Cholesky.

    Raises
    ------
    LinAlgError
        When the matrix is not positive definite.
    """
    # The matrix is symmetric, and its transpose has LAPACK's column order.
    triangle, failed = dpotrf(matrix.T, lower=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    inverse, _ = dpotri(triangle, lower=1, overwrite_c=1)
    first = np.arange(0, len(matrix), 2)
    blocks = np.empty((len(first), 2, 2))
    blocks[:, 0, 0], blocks[:, 1, 1] = inverse[first, first], inverse[first + 1, first + 1]
    blocks[:, 0, 1] = blocks[:, 1, 0] = inverse[first + 1, first]
    return blocks


def _notes(
    responses: Responses, one_sided: NDArray[np.bool_], full: bool, converged: bool, coarse: bool
) -> tuple[str, ...]:
    notes = []
    if one_sided.any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(one_sided)[:10])
        notes.append(f"{int(one_sided.sum())} items all right or all wrong: {names}")
    if not full:
        notes.append("standard errors leave out the covariances between items (too many pairs)")
    if not converged:
        notes.append(f"EM did not converge in {MOST_PASSES} passes")
    if coarse:
        notes.append("the narrowest ability is not resolved by the finest grid")
    return tuple(notes)
