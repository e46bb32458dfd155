"""What the responses to one item say of its parameters, without the item's prior.

    L(log a, b) = prod_u  integral  P(y_u | a, b, theta) p_u(theta) d theta

p_u is what all other items and the prior say of user u: the posterior of the ability, as a normal
density, with this item's own answer divided out. Maximised on log a and b; the curvature there is
the information of the responses. It needs abilities with standard deviations and no draws, so it
is the same for every engine and has no Monte Carlo error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_FARTHEST = (3.0, 8.0)  # of log a and b from where they were: beyond, the responses say nothing
_STEP = 1e-4


@dataclass(frozen=True)
class Alone:
    """Maximum of the likelihood in (log a, b), shape (2,), and its covariance; NaN without one."""

    mean: Floats
    covariance: Floats


def responses_alone(
    correct: NDArray[np.int8],
    theta: Floats,
    theta_sd: Floats,
    fitted: tuple[float, float],
    start: tuple[float, float],
) -> Alone:
    """What the responses to one item say of it.

    Parameters
    ----------
    correct : ndarray, shape (n_responses,)
        Its responses, 0 or 1.
    theta, theta_sd : ndarray, shape (n_responses,)
        Posterior of the abilities of those who gave them.
    fitted : tuple of float
        log a and b that those abilities were estimated with.
    start : tuple of float
        log a and b to start from.
    """
    nodes = theta[:, None] + theta_sd[:, None] * _NODES
    sign = np.where(correct == 1, 1.0, -1.0)[:, None]

    def log_probability(log_a: float, b: float) -> Floats:
        return np.asarray(-np.logaddexp(0.0, -sign * np.exp(log_a) * (nodes - b)))

    base = np.log(_WEIGHTS) - log_probability(*fitted)

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

    bounds = [(middle - far, middle + far) for middle, far in zip(start, _FARTHEST, strict=True)]
    found = minimize(objective, np.array(start), jac=True, method="L-BFGS-B", bounds=bounds)
    inside = all(low < x < high for x, (low, high) in zip(found.x, bounds, strict=True))
    steps = np.eye(2) * _STEP
    hessian = np.array(
        [(objective(found.x + s)[1] - objective(found.x - s)[1]) / (2 * _STEP) for s in steps]
    )
    if not inside or np.linalg.eigvalsh((hessian + hessian.T) / 2).min() <= 0:
        return Alone(np.full(2, np.nan), np.full((2, 2), np.nan))
    return Alone(found.x, np.linalg.inv((hessian + hessian.T) / 2))
