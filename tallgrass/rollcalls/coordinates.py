"""Changes of variables in which the posterior of an ideal-point model is nearly round.

The likelihood depends only on ``beta_j xi_i - alpha_j``, which does not change if all positions and
roll calls are shifted and scaled together. In textbook coordinates this makes a ridge; here the
shift and the scale have their own variables. The posterior stays the same: every function returns,
or states, the log-Jacobian to add to the log-density, up to a constant.

Names. ``v``: standardised positions, party means at -1 and +1. ``a``, ``b``: intercept and slope of
a roll call for these positions. ``s``, ``mid``: scale and centre, ``xi = mid + s v``,
``beta = b / s``, ``alpha = a + beta mid``. ``tau_g = sigma_g / s``: spread within party g.
The functions take PyTensor variables, except the inverses, which take arrays.
"""

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
import scipy
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, numbers
from tallgrass.inference.priors import PriorNumbers, PriorSpec

Tensor = Any  # a PyTensor variable; PyTensor's own types do not name dtype or rank
Pair = Sequence[Any]  # one scalar per party, lower mean first (Democrat)
Prior = PriorSpec | PriorNumbers


class RollCalls(NamedTuple):
    """Intercepts and slopes, and the log-Jacobian of (a, b) with respect to their coordinates."""

    a: Tensor
    b: Tensor
    log_jacobian: Tensor


class Location(NamedTuple):
    """The centre of the scale, and the log-density after it is integrated out and drawn anew."""

    mid: Tensor
    log_density: Tensor


class Deviations(NamedTuple):
    """Deviations, and the log-Jacobian of each with respect to its coordinate."""

    value: Tensor
    log_jacobian: Tensor


class Stretched(NamedTuple):
    """Log of the factor that makes ``free`` into deviations, and the dummy, which is N(0, 1)."""

    log_factor: Tensor
    dummy: Tensor


class Spread(NamedTuple):
    """Logarithm of a spread, and the log-Jacobian with respect to its coordinate."""

    log_tau: Tensor
    log_jacobian: Tensor


def zero_sum_weights(n: int) -> NDArray[np.float64]:
    """Weights w, length n, such that ``[y, 0] + w sum(y)`` has sum zero and the length of y.

    The map is orthonormal: the sum of squares is that of y (length n - 1) and the Jacobian is 1.
    The basis is the Householder reflection of PyMC's ZeroSumTransform.
    """
    weights = np.full(n, -1 / (np.sqrt(n) + n))
    weights[-1] = -1 / np.sqrt(n)
    return weights


def zero_sum_inverse(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coordinates y, length n - 1, of a vector x with sum zero: ``x = [y, 0] + w sum(y)``."""
    n = len(x)
    return np.asarray(x[:-1] - zero_sum_weights(n)[:-1] * (-x[-1] * np.sqrt(n)))


def standardised_positions(y: Pair, groups: NDArray[np.int8]) -> Tensor:
    """Positions v whose group means are exactly -1 and +1.

    Parameters
    ----------
    y : pair of tensors
        Coordinates of the deviations of group 0 and group 1, lengths n_g - 1.
    groups : ndarray, shape (n,)
        Group of every legislator, in the order of v.
    """
    # The gradient of a concatenation takes several seconds longer to compile.
    v = numbers(np.where(groups == 1, 1.0, -1.0))
    for g, free in enumerate(y):
        rows = np.flatnonzero(groups == g)
        weights = np.zeros(len(groups))
        weights[rows] = zero_sum_weights(len(rows))
        v = v + numbers(weights) * pt.sum(free)
        v = pt.inc_subtensor(v[integers(rows[:-1])], free)
    return v


def positions_of_groups(
    y: Sequence[Tensor], groups: NDArray[np.int8], means: Sequence[Tensor]
) -> Tensor:
    """Positions whose groups have these means; ``y`` are the coordinates of the deviations."""
    v = numbers(np.zeros(len(groups)))
    for g, (free, mean) in enumerate(zip(y, means, strict=True)):
        rows = np.flatnonzero(groups == g)
        weights = np.zeros(len(groups))
        weights[rows] = zero_sum_weights(len(rows))
        v = v + numbers(weights) * pt.sum(free) + numbers(groups == g) * mean
        v = pt.inc_subtensor(v[integers(rows[:-1])], free)
    return v


def rollcalls_from_logits(at_democrats: Tensor, at_republicans: Tensor) -> RollCalls:
    """Roll calls by their logits ``b v - a`` at the party centres, v = -1 and v = +1.

    The two logits rest on the votes of different people, so they are nearly independent. Slopes may
    have either sign.
    """
    b = (at_republicans - at_democrats) / 2
    a = -(at_republicans + at_democrats) / 2
    return RollCalls(a, b, pt.constant(0.0))


def rollcalls_positive(log_b: Tensor, kappa: Tensor, pivot: Tensor) -> RollCalls:
    """Roll calls with b > 0 by their log-slope and their scaled logit at the position ``pivot``.

    ``a = b pivot - kappa (1 + b)``; the pivot is where the votes are most informative.
    """
    b = pt.exp(log_b)
    return RollCalls(b * pivot - kappa * (1 + b), b, pt.sum(log_b + pt.log1p(b)))


def deviations(
    z: Tensor, expected: Tensor, sigma: Tensor, information: Tensor, estimate: Tensor
) -> Deviations:
    """Deviations ``N(0, sigma)`` of logits from their expectation, in coordinates z.

    The votes are about as informative as a normal estimate e of the logit with information I. Given
    all else the deviation is then about ``N(w (e - expected), s^2)`` with
    ``s = sigma / sqrt(1 + I sigma^2)`` and ``w = I s^2``, and z is its standard score. For a small
    sigma z is the deviation in units of sigma, for a large sigma the logit itself. This avoids both
    the funnel of centred deviations at sigma -> 0 and the ridge of non-centred ones (partial
    non-centring, Papaspiliopoulos, Roberts and Skoeld 2007, section 4).
    """
    open_share = 1 / (1 + information * sigma**2)  # share of the variance: 1 - w
    scale = sigma * pt.sqrt(open_share)
    expected_shift = (1 - open_share) * (estimate - expected)
    return Deviations(expected_shift + scale * z, pt.log(sigma) + 0.5 * pt.log(open_share))


def deviations_inverse(
    logits: NDArray[np.float64],
    expected: NDArray[np.float64],
    sigma: float | NDArray[np.float64],
    information: NDArray[np.float64],
    estimate: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The z of :func:`deviations` that gives these logits; all arrays have one shape."""
    scale = sigma / np.sqrt(1 + information * sigma**2)
    expected_shift = information * scale**2 * (estimate - expected)
    return np.asarray((logits - expected - expected_shift) / scale)


def log_scale(b: Tensor, log_b: Tensor | None, prior: Prior, eps: Tensor, n: Tensor) -> Tensor:
    """Log of s, such that ``b / s`` has about the spread of its prior; ``eps`` is about N(0, 1).

    Positive slopes need ``log_b``. The Jacobian of (b, eps) -> (b, log s) is constant.
    """
    if prior.distribution in ("lognormal", "lognormal_reparam"):
        return pt.sum(log_b) / n - prior.mu + prior.sigma * eps / pt.sqrt(n)
    mean_square = prior.mu**2 + prior.sigma**2
    return 0.5 * pt.log(pt.sum(b**2) / n / mean_square) + eps / pt.sqrt(2 * n)


def log_spread(sum_of_squares: Tensor, n: Tensor, eps: Tensor) -> Tensor:
    """Log of tau of n members from their squared deviations; the Jacobian in eps is constant."""
    return 0.5 * pt.log(sum_of_squares / n) + eps / pt.sqrt(2 * n)


def stretched(squares: Tensor, extent: Tensor, usual: Tensor, width: Tensor) -> Stretched:
    """Deviations y of many members by their length, ``log |y| = usual + extent``, and direction.

    How far all members of a group lie from its mean, in half gaps, is what the votes know least:
    it moves every member at once, further than they move one by one. As a coordinate it has a step
    of its own. The direction of y is that of ``free``, of length m, whose own length is a dummy
    that no other density sees: ``(log |free| - usual) / width ~ N(0, 1)``. In polar coordinates
    ``free`` has the volume ``|free|^m d(log |free|)`` and y has ``|y|^m d(extent)``, so that the
    log-Jacobian of (free, extent) -> (y, log |free|) is ``m log_factor``.

    Parameters
    ----------
    squares : tensor
        Sum of squares of ``free``.
    usual : tensor
        About the log of the length of y.
    width : tensor
        About the error of that log, so that the direction along y is no longer than others.
    """
    dummy = 0.5 * pt.log(squares) - usual
    return Stretched(extent - dummy, dummy / width)


def log_spread_of_few(eps: Tensor) -> Spread:
    """Log of tau of few members, in some unit: ``eps - w^2 / 8``, ``w = sqrt(1 + eps^2) - eps``.

    The votes of few members may not exclude a spread of 0. The density of log tau then falls only
    as tau, and chains stay long in that tail; the density of eps falls as ``exp(-eps^2 / 2)``. For
    spreads above the unit, eps is nearly log tau.
    """
    root = pt.sqrt(1 + eps**2)
    square = (root - eps) ** 2
    return Spread(eps - square / 8, pt.log1p(square / (4 * root)))


def log_spread_of_few_inverse(log_tau: float) -> float:
    """The eps of :func:`log_spread_of_few` that gives this log tau."""
    return float(
        scipy.optimize.brentq(
            lambda eps: eps - (np.sqrt(1 + eps**2) - eps) ** 2 / 8 - log_tau,
            log_tau - 1.0,
            max(log_tau, 0.0) + 1.0,
        )
    )


def prior_logp(prior: Prior, x: Tensor, log_x: Tensor | None = None) -> Tensor:
    """Summed log-density of a prior at x, up to a constant.

    ``log_x`` saves a logarithm if it is known.
    """
    if prior.distribution in ("lognormal", "lognormal_reparam"):
        log_x = pt.log(x) if log_x is None else log_x
        return -pt.sum(((log_x - prior.mu) / prior.sigma) ** 2) / 2 - pt.sum(log_x)
    return -pt.sum(((x - prior.mu) / prior.sigma) ** 2) / 2


def location(
    a: Tensor,
    beta: Tensor,
    alpha: Prior,
    s: Tensor,
    mean_variance: Pair,
    mu: Prior,
    eps: Tensor,
) -> Location:
    """The centre ``mid`` by :func:`centre`, for the party means of the members.

    ``mid -/+ s ~ N(mu.mu, mean_variance_g)``, where mean_variance is, by party, the variance of mu
    plus ``sigma_g^2 / n_g``.
    """
    offsets = (-s - mu.mu, s - mu.mu)
    mid, log_density = centre(a - alpha.mu, beta, alpha.sigma**-2, offsets, mean_variance, eps)
    return Location(mid, log_density - _total(pt.log(v) for v in mean_variance) / 2)


def centre(
    intercept: Tensor,
    beta: Tensor,
    precision: Tensor,
    offsets: Pair,
    variances: Pair,
    eps: Tensor,
) -> Location:
    """The centre ``mid``, Gaussian given everything else, through ``eps ~ N(0, 1)``.

    ``intercept_j + beta_j mid ~ N(0, 1 / precision)``, and ``mid + x ~ N(0, v)`` for every offset x
    and its variance v. Completing the square in mid leaves ``exp(-(C - B^2 / A) / 2) / sqrt(A)``.
    The factors ``1 / sqrt(v)`` are left to the caller.
    """
    big_a = _total(1 / v for v in variances) + precision * pt.sum(beta**2)
    big_b = _total(x / v for x, v in zip(offsets, variances, strict=True))
    big_b += precision * pt.sum(intercept * beta)
    big_c = _total(x**2 / v for x, v in zip(offsets, variances, strict=True))
    big_c += precision * pt.sum(intercept**2)
    log_density = -(big_c - big_b**2 / big_a + pt.log(big_a)) / 2
    return Location(-big_b / big_a + eps / pt.sqrt(big_a), log_density)


def _total(terms: Iterable[Tensor]) -> Tensor:
    # Added one by one, scalars fuse into one compiled expression; a stacked vector does not.
    return functools.reduce(operator.add, terms)
