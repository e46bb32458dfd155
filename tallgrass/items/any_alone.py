"""Estimate one item of ``1pl``, ``3pl`` or ``graded`` from its responses alone, without its prior.

The likelihood is that of :mod:`tallgrass.items.single_anchor`. What is maximised over is b of
``1pl``, whose a all items share; log a, b and c of ``3pl``, where c keeps its prior about what it
was, because a few hundred answers hardly tell it; and log a, the first threshold and the logarithms
of the steps of ``graded``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tallgrass.items.curves import Curves
from tallgrass.items.models import ItemModelName
from tallgrass.items.priors import ANCHOR_C
from tallgrass.items.single_anchor import NODES, WEIGHTS, Alone

Floats = NDArray[np.float64]

_FARTHEST = {"log_a": 3.0, "b": 8.0, "step": 6.0, "c": 6.0}
_STEP = 1e-4
_C = (0.005, 0.9)  # within, so that the logit has an end


def responses_alone_of(
    model: ItemModelName,
    scores: NDArray[np.int8],
    abilities: tuple[Floats, Floats],
    fitted: Curves,
    c_before: float = 0.0,
) -> Alone:
    """Log a and the location b of one item, from its responses alone.

    Parameters
    ----------
    scores : ndarray, shape (n_responses,)
        Answers to the item: 0, 1, ...
    abilities : tuple of ndarray, shape (n_responses,) each
        Mean and standard deviation of the ability of each response's user.
    fitted : Curves
        The item with which the abilities were estimated; the maximisation starts there.
    c_before : float
        Of ``3pl``: what c was.
    """
    theta, theta_sd = abilities
    nodes = (theta[:, None] + theta_sd[:, None] * NODES).ravel()
    shape, rows = (len(scores), len(NODES)), np.arange(len(scores))
    prior_c = float(np.clip(c_before, *_C))
    item = _Item(model, fitted)

    def log_probability(curve: Curves) -> Floats:
        return curve.log_probabilities(nodes).reshape(-1, *shape)[scores, rows]

    base = np.log(WEIGHTS) - log_probability(fitted)

    def objective(u: Floats) -> tuple[float, Floats]:
        """Minus the log-likelihood, with the prior of c, and its gradient."""
        curve = item.curve(u)
        total = base + log_probability(curve)
        highest = total.max(axis=1, keepdims=True)
        weight = np.exp(total - highest)
        norm = weight.sum(axis=1, keepdims=True)
        derivatives = curve.derivatives(nodes)
        of_answers = derivatives.reshape(*derivatives.shape[:2], *shape)[scores, :, rows]
        natural = np.einsum("npq,nq->p", of_answers, weight / norm)
        value = float((highest + np.log(norm)).sum())
        gradient = natural @ item.jacobian(u)
        if model == "3pl":
            c = float(curve.c[0])
            value += ANCHOR_C * (prior_c * np.log(c) + (1 - prior_c) * np.log1p(-c))
            gradient[-1] += ANCHOR_C * (prior_c - c)
        return -value, -gradient

    bounds = item.bounds()
    optimum = minimize(objective, item.start, jac=True, method="L-BFGS-B", bounds=bounds)
    inside = all(low < x < high for x, (low, high) in zip(optimum.x, bounds, strict=True))
    steps = np.eye(len(optimum.x)) * _STEP
    hessian = np.array(
        [(objective(optimum.x + s)[1] - objective(optimum.x - s)[1]) / (2 * _STEP) for s in steps]
    )
    hessian = (hessian + hessian.T) / 2
    if not inside or np.linalg.eigvalsh(hessian).min() <= 0:
        return Alone(np.full(2, np.nan), np.full((2, 2), np.nan))
    turn = item.location(optimum.x)
    cuts = item.cuts(optimum.x)
    mean = np.array([np.log(item.curve(optimum.x).slope[0]), cuts.mean()])
    return Alone(mean, turn @ np.linalg.inv(hessian) @ turn.T)


class _Item:
    """One item in the coordinates of the maximisation: log a, first b and log steps, logit c."""

    def __init__(self, model: ItemModelName, fitted: Curves) -> None:
        self.model, self.slope = model, float(fitted.slope[0])
        self.shared = model == "1pl"
        cuts = -fitted.intercept[0] / self.slope
        cuts = cuts[np.isfinite(cuts)]
        start = [] if self.shared else [np.log(self.slope)]
        start += [cuts[0], *np.log(np.diff(cuts))]
        if model == "3pl":
            c = np.clip(fitted.c[0], *_C)
            start.append(np.log(c) - np.log1p(-c))
        self.start, self.n_cuts = np.array(start, float), len(cuts)

    def _parts(self, u: Floats) -> tuple[float, Floats]:
        """The slope, and the first b with the log steps."""
        if self.shared:
            return self.slope, u[:1]
        return float(np.exp(u[0])), u[1 : 1 + self.n_cuts]

    def cuts(self, u: Floats) -> Floats:
        """Difficulty, or thresholds."""
        raw = self._parts(u)[1]
        return np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))

    def curve(self, u: Floats) -> Curves:
        """The response curve."""
        slope, _ = self._parts(u)
        c = 1 / (1 + np.exp(-u[-1])) if self.model == "3pl" else 0.0
        return Curves(np.array([slope]), -slope * self.cuts(u)[None, :], np.array([c]))

    def _of_cuts(self, u: Floats) -> Floats:
        """Derivatives of the cuts for the first one and the log steps."""
        steps = np.concatenate([[1.0], np.exp(self._parts(u)[1][1:])])
        return np.asarray(np.tril(np.ones((self.n_cuts, self.n_cuts))) * steps)

    def jacobian(self, u: Floats) -> Floats:
        """Derivatives of slope, intercepts and c for the coordinates."""
        slope, _ = self._parts(u)
        first = 0 if self.shared else 1
        result = np.zeros((2 + self.n_cuts, len(u)))
        if not self.shared:
            result[0, 0] = slope
            result[1:-1, 0] = -slope * self.cuts(u)
        result[1:-1, first : first + self.n_cuts] = -slope * self._of_cuts(u)
        if self.model == "3pl":
            c = self.curve(u).c[0]
            result[-1, -1] = c * (1 - c)
        return result

    def location(self, u: Floats) -> Floats:
        """Derivatives of log a and of the mean of the cuts, shape (2, n_coordinates)."""
        first = 0 if self.shared else 1
        result = np.zeros((2, len(u)))
        result[0, 0] = 0.0 if self.shared else 1.0
        result[1, first : first + self.n_cuts] = self._of_cuts(u).mean(axis=0)
        return result

    def bounds(self) -> list[tuple[float, float]]:
        """How far from the start: farther, there is no maximum to find."""
        reach = [] if self.shared else [_FARTHEST["log_a"]]
        reach += [_FARTHEST["b"], *[_FARTHEST["step"]] * (self.n_cuts - 1)]
        reach += [_FARTHEST["c"]] if self.model == "3pl" else []
        return [(x - far, x + far) for x, far in zip(self.start, reach, strict=True)]
