"""How well items and persons fit the model, and the information of the items.

Fit statistics compare squared residuals ``(y - P)^2`` with their expectation ``P (1 - P)``
(Wright and Masters, 1982): *outfit* is the mean of the ratios, *infit* the ratio of the sums. Both
are about 1 if the model holds; answers are more erratic than it predicts above 1, less below.
Information follows Lord (1980), reliability Green et al. (1984).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallgrass.items.curves import Curves
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

_LEAST_VARIANCE = 1e-12  # of an answer that is almost certain


@dataclass(frozen=True, eq=False)
class Fit:
    """Fit statistics by item or by user; every array has shape (n,)."""

    infit: Floats
    outfit: Floats
    n: NDArray[np.int64]


def probability(theta: Floats, a: Floats, b: Floats) -> Floats:
    """``1 / (1 + exp(-a (theta - b)))`` of broadcast arrays."""
    z = np.asarray(a) * (np.asarray(theta) - np.asarray(b))
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z > 0, 1.0, e) / (1.0 + e))


def item_fit(responses: Responses, theta: Floats, a: Floats, b: Floats) -> Fit:
    """Fit of every item; theta by user, a and b by item.

    Estimated abilities fit the answers better than true ones, so the statistics of an item that
    fits lie below 1; :mod:`tallgrass.items.reference` says by how much.
    """
    return _fit(responses, theta, a, b, responses.item, len(responses.items))


def person_fit(responses: Responses, theta: Floats, a: Floats, b: Floats) -> Fit:
    """Fit of every user; arguments as :func:`item_fit`."""
    return _fit(responses, theta, a, b, responses.user, len(responses.users))


def item_fit_of(responses: Responses, theta: Floats, curves: Curves) -> Fit:
    """Fit of every item of any model: of the score, against its mean and variance."""
    return _fit_of(responses, theta, curves, responses.item, len(responses.items))


def person_fit_of(responses: Responses, theta: Floats, curves: Curves) -> Fit:
    """Fit of every user; arguments as :func:`item_fit_of`."""
    return _fit_of(responses, theta, curves, responses.user, len(responses.users))


def fits_of(responses: Responses, theta: Floats, curves: Curves) -> tuple[Fit, Fit]:
    """Fit of every item and of every user; arguments as :func:`item_fit_of`."""
    mean, variance = score_moments(responses, theta, curves)
    of = np.maximum(variance, _LEAST_VARIANCE), (responses.correct - mean) ** 2
    return (
        _ratios(*of, responses.item, len(responses.items)),
        _ratios(*of, responses.user, len(responses.users)),
    )


def score_moments(responses: Responses, theta: Floats, curves: Curves) -> tuple[Floats, Floats]:
    """Mean and variance of the score of every response, shape (n_responses,) each."""
    mean, variance = np.empty(len(responses)), np.empty(len(responses))
    starts = np.searchsorted(responses.item, np.arange(len(responses.items) + 1))
    for j in range(len(responses.items)):  # responses are sorted by item
        rows = slice(starts[j], starts[j + 1])
        own = curves.chosen([j])
        of_item = own.moments(theta[responses.user[rows]])
        mean[rows], variance[rows] = of_item[0][0], of_item[1][0]
    return mean, variance


def _fit_of(
    responses: Responses,
    theta: Floats,
    curves: Curves,
    group: NDArray[np.int32],
    n_groups: int,
) -> Fit:
    mean, variance = score_moments(responses, theta, curves)
    return _ratios(
        np.maximum(variance, _LEAST_VARIANCE), (responses.correct - mean) ** 2, group, n_groups
    )


def _fit(
    responses: Responses,
    theta: Floats,
    a: Floats,
    b: Floats,
    group: NDArray[np.int32],
    n_groups: int,
) -> Fit:
    p = probability(theta[responses.user], a[responses.item], b[responses.item])
    variance = np.maximum(p * (1 - p), _LEAST_VARIANCE)
    return _ratios(variance, (responses.correct - p) ** 2, group, n_groups)


def _ratios(variance: Floats, squared: Floats, group: NDArray[np.int32], n_groups: int) -> Fit:
    def total(values: Floats) -> Floats:
        return np.bincount(group, values, n_groups)

    n = np.bincount(group, minlength=n_groups)
    outfit = total(squared / variance) / n
    infit = total(squared) / total(variance)
    return Fit(infit, outfit, n)


def item_information(theta: ArrayLike, a: Floats, b: Floats) -> Floats:
    """Fisher information ``a^2 P (1 - P)`` about an ability, shape (n_items, n_points)."""
    p = probability(np.asarray(theta, np.float64)[None, :], a[:, None], b[:, None])
    return np.asarray(a[:, None] ** 2 * p * (1 - p))


def information_of_test(theta: ArrayLike, a: Floats, b: Floats) -> Floats:
    """Information of all items together, shape (n_points,); ``1 / sqrt`` of it is theta's SE."""
    return np.asarray(item_information(theta, a, b).sum(axis=0))


def marginal_reliability(theta_sd: Floats, population_sd: float = 1.0) -> float:
    """Share of the population's variance that the responses explain: 1 - mean SD^2 / variance."""
    return float(1.0 - np.mean(np.square(theta_sd)) / population_sd**2)


def empirical_reliability(theta: Floats, theta_sd: Floats) -> float:
    """Variance of the estimated abilities, divided by itself plus the mean squared SD."""
    spread = float(np.var(theta))
    return spread / (spread + float(np.mean(np.square(theta_sd))))
