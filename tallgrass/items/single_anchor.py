"""Estimate the parameters of one item from its responses alone, without the item's prior.

    L(log a, b) = prod_u  integral  P(y_u | a, b, theta) p_u(theta) d theta

p_u is the ability of user u given all other items and the prior: the posterior of the ability, as
a normal density, with the answer to this item divided out. L is maximised over log a and b, and the
curvature there is the information of the responses. Only the means and standard deviations of the
abilities are needed, so the method suits every engine and has no Monte Carlo error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]

NODES, WEIGHTS = hermegauss(9)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
_FARTHEST = (3.0, 8.0)  # of log a and b from the start: farther, there is no maximum to find
_STEP = 1e-4


@dataclass(frozen=True)
class Alone:
    """Maximum of the likelihood in (log a, b), shape (2,), and its covariance; NaN if none."""

    mean: Floats
    covariance: Floats


def responses_alone(
    correct: NDArray[np.int8],
    theta: Floats,
    theta_sd: Floats,
    fitted: tuple[float, float],
    start: tuple[float, float],
) -> Alone:
    """The estimate of one item from its responses alone.

    Parameters
    ----------
    correct : ndarray, shape (n_responses,)
        Responses to the item, 0 or 1.
    theta, theta_sd : ndarray, shape (n_responses,)
        Posterior of the ability of each response's user.
    fitted : tuple of float
        log a and b with which the abilities were estimated.
    start : tuple of float
        log a and b where the maximisation starts.
    """
    nodes = theta[:, None] + theta_sd[:, None] * NODES
    sign = np.where(correct == 1, 1.0, -1.0)[:, None]

    def log_probability(log_a: float, b: float) -> Floats:
        return np.asarray(-np.logaddexp(0.0, -sign * np.exp(log_a) * (nodes - b)))

    base = np.log(WEIGHTS) - log_probability(*fitted)

    def objective(x: Floats) -> tuple[float, Floats]:
        """Minus the log-likelihood and its gradient."""
        log_p = log_probability(x[0], x[1])
        total = base + log_p
        highest = total.max(axis=1, keepdims=True)
        weight = np.exp(total - highest)
        norm = weight.sum(axis=1, keepdims=True)
        a = np.exp(x[0])
        residual = (weight / norm) * sign * -np.expm1(log_p)  # y - P, by node
        gradient = np.array([(residual * a * (nodes - x[1])).sum(), -a * residual.sum()])
        return -float((highest + np.log(norm)).sum()), -gradient

    bounds = [
        (centre - reach, centre + reach) for centre, reach in zip(start, _FARTHEST, strict=True)
    ]
    optimum = minimize(objective, np.array(start), jac=True, method="L-BFGS-B", bounds=bounds)
    inside = all(low < x < high for x, (low, high) in zip(optimum.x, bounds, strict=True))
    steps = np.eye(2) * _STEP
    hessian = np.array(
        [(objective(optimum.x + s)[1] - objective(optimum.x - s)[1]) / (2 * _STEP) for s in steps]
    )
    if not inside or np.linalg.eigvalsh((hessian + hessian.T) / 2).min() <= 0:
        return Alone(np.full(2, np.nan), np.full((2, 2), np.nan))
    return Alone(optimum.x, np.linalg.inv((hessian + hessian.T) / 2))
