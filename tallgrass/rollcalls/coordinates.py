"""Changes of variables under which the posterior of an ideal-point model is round.

The likelihood depends on ``beta_j xi_i - alpha_j`` only, which does not change when all positions
are shifted and stretched and the roll calls with them. Textbook coordinates put that motion along
a ridge; here it has variables of its own. The posterior is the same: every function returns, or
states, the log-Jacobian that belongs into the log-density, up to a constant.

Names. ``v``: standardised positions, party means at -1 and +1. ``a``, ``b``: intercept and slope of
a roll call for these positions. ``s``, ``mid``: scale and centre, ``xi = mid + s v``,
``beta = b / s``, ``alpha = a + beta mid``. ``tau_g = sigma_g / s``: spread within party g.
All of it works on PyTensor variables; the inverses alone take arrays.
"""

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy.optimize import brentq

from tallgrass.inference.priors import PriorSpec

Tensor = Any  # a PyTensor variable; PyTensor's own types do not name dtype or rank
Pair = Sequence[Any]  # one scalar a party, Democrat first


class RollCalls(NamedTuple):
    """Intercepts and slopes, and the log-Jacobian of (a, b) for the coordinates they came from."""

    a: Tensor
    b: Tensor
    log_jacobian: Tensor


class Location(NamedTuple):
    """The centre of the scale, and what integrating and redrawing it adds to the log-density."""

    mid: Tensor
    log_density: Tensor


class PartyMeans(NamedTuple):
    """Party means given their members, lower one first, and their log-density."""

    mu: tuple[Tensor, Tensor]
    log_density: Tensor


class Deviations(NamedTuple):
    """Deviations, and by deviation the log-Jacobian for its coordinate."""

    value: Tensor
    log_jacobian: Tensor


class Spread(NamedTuple):
    """Logarithm of a spread, and the log-Jacobian for its coordinate."""

    log_tau: Tensor
    log_jacobian: Tensor


def zero_sum_weights(n: int) -> NDArray[np.float64]:
    """Weights w, length n, such that ``[y, 0] + w sum(y)`` has sum zero and keeps lengths.

    Orthonormal: the sum of squares is that of y (length n - 1) and the Jacobian is 1. The basis
    is the Householder reflection of PyMC's ZeroSumTransform.
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
    # Scattered into place and shifted by data vectors: concatenating the groups would cost
    # several seconds of compilation for the splits in its gradient.
    v = pytensor.shared(np.where(groups == 1, 1.0, -1.0), name="side")
    for g, free in enumerate(y):
        rows = np.flatnonzero(groups == g)
        weights = np.zeros(len(groups))
        weights[rows] = zero_sum_weights(len(rows))
        v = v + pytensor.shared(weights, name=f"weights_{g}") * pt.sum(free)
        v = pt.inc_subtensor(v[pytensor.shared(rows[:-1], name=f"rows_{g}")], free)
    return v


def rollcalls_from_logits(at_democrats: Tensor, at_republicans: Tensor) -> RollCalls:
    """A roll call by its logits at the two party centres: ``b v - a`` at v = -1 and at v = +1.

    Different people inform the two, so they are nearly independent. For slopes of either sign.
    """
    b = (at_republicans - at_democrats) / 2
    a = -(at_republicans + at_democrats) / 2
    return RollCalls(a, b, pt.constant(0.0))


def rollcalls_positive(log_b: Tensor, kappa: Tensor, pivot: Tensor) -> RollCalls:
    """A roll call with b > 0 by its log-slope and its scaled logit at the point ``pivot`` of v.

    ``a = b pivot - kappa (1 + b)``; the pivot is where the votes say most about the roll call.
    """
    b = pt.exp(log_b)
    return RollCalls(b * pivot - kappa * (1 + b), b, pt.sum(log_b + pt.log1p(b)))


def deviations(
    z: Tensor, expected: Tensor, sigma: Tensor, information: Tensor, estimate: Tensor
) -> Deviations:
    """Deviations ``N(0, sigma)`` of logits from what is expected of them, in coordinates z.

    Votes tell of a logit about as much as a normal variable would with this information I about
    this estimate e. Given all else the deviation is then about ``N(w (e - expected), s^2)`` with
    ``s = sigma / sqrt(1 + I sigma^2)`` and ``w = I s^2``; z is its standard score. For a small
    sigma that is the deviation in units of sigma, for a large one the logit itself: neither the
    funnel of centred deviations at sigma -> 0 nor the ridge of non-centred ones (partial
    non-centring, Papaspiliopoulos, Roberts and Skoeld 2007, section 4).
    """
    left_open = 1 / (1 + information * sigma**2)  # share of the variance: 1 - w
    scale = sigma * pt.sqrt(left_open)
    drawn = (1 - left_open) * (estimate - expected)
    return Deviations(drawn + scale * z, pt.log(sigma) + 0.5 * pt.log(left_open))


def deviations_inverse(
    logits: NDArray[np.float64],
    expected: NDArray[np.float64],
    sigma: float,
    information: NDArray[np.float64],
    estimate: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The z of :func:`deviations` that gives these logits; all arrays of one shape."""
    scale = sigma / np.sqrt(1 + information * sigma**2)
    drawn = information * scale**2 * (estimate - expected)
    return np.asarray((logits - expected - drawn) / scale)


def log_scale(b: Tensor, log_b: Tensor | None, prior: PriorSpec, eps: Tensor, n: int) -> Tensor:
    """Log of s where ``b / s`` has the spread its prior expects; ``eps`` (about N(0, 1)) moves it.

    ``log_b`` is given for positive slopes. The Jacobian of (b, eps) -> (b, log s) is constant.
    """
    if prior.distribution in ("lognormal", "lognormal_reparam"):
        return pt.mean(log_b) - prior.mu + prior.sigma * eps / np.sqrt(n)
    mean_square = prior.mu**2 + prior.sigma**2
    return 0.5 * pt.log(pt.mean(b**2) / mean_square) + eps / np.sqrt(2 * n)


def log_spread(sum_of_squares: Tensor, n: int, eps: Tensor) -> Tensor:
    """Log of tau of a party of n from its members' squared deviations; constant Jacobian in eps."""
    return 0.5 * pt.log(sum_of_squares / n) + eps / np.sqrt(2 * n)


def log_spread_of_few(eps: Tensor) -> Spread:
    """Log of tau of a party of few, in some unit: ``eps - w^2 / 8``, ``w = sqrt(1 + eps^2) - eps``.

    Few members may lie so close together that their spread could be 0. The density of log tau
    then falls like tau, slowly, and chains are long in that tail; that of eps falls like
    ``exp(-eps^2 / 2)``. Above the unit eps soon is log tau itself.
    """
    root = pt.sqrt(1 + eps**2)
    square = (root - eps) ** 2
    return Spread(eps - square / 8, pt.log1p(square / (4 * root)))


def log_spread_of_few_inverse(log_tau: float) -> float:
    """The eps of :func:`log_spread_of_few` that gives this logarithm of tau."""
    return float(
        brentq(
            lambda eps: eps - (np.sqrt(1 + eps**2) - eps) ** 2 / 8 - log_tau,
            log_tau - 1.0,
            max(log_tau, 0.0) + 1.0,
        )
    )


def prior_logp(prior: PriorSpec, x: Tensor, log_x: Tensor | None = None) -> Tensor:
    """Summed log-density of a prior at x, without its constants.

    ``log_x`` saves a logarithm where x was made from it.
    """
    if prior.distribution in ("lognormal", "lognormal_reparam"):
        log_x = pt.log(x) if log_x is None else log_x
        return -pt.sum(((log_x - prior.mu) / prior.sigma) ** 2) / 2 - pt.sum(log_x)
    return -pt.sum(((x - prior.mu) / prior.sigma) ** 2) / 2


def location(
    a: Tensor,
    beta: Tensor,
    alpha: PriorSpec,
    s: Tensor,
    mean_variance: Pair,
    mu: PriorSpec,
    eps: Tensor,
) -> Location:
    """The centre ``mid``, Gaussian given everything else, through ``eps ~ N(0, 1)``.

    ``alpha_j = a_j + beta_j mid ~ N(m, sd^2)`` and the party means of the members
    ``mid -/+ s ~ N(mu.mu, mean_variance_g)``, where mean_variance is, by party, the variance of
    mu plus ``sigma_g^2 / n_g``. Completing the square in mid leaves
    ``exp(-(C - B^2 / A) / 2) / sqrt(A)``.
    """
    side = (-s - mu.mu, s - mu.mu)
    intercept = a - alpha.mu
    weight = alpha.sigma**-2
    big_a = _total(1 / v for v in mean_variance) + weight * pt.sum(beta**2)
    big_b = _total(x / v for x, v in zip(side, mean_variance, strict=True))
    big_b += weight * pt.sum(intercept * beta)
    big_c = _total(x**2 / v for x, v in zip(side, mean_variance, strict=True))
    big_c += weight * pt.sum(intercept**2)
    log_density = -(big_c - big_b**2 / big_a + pt.log(big_a)) / 2
    log_density -= _total(pt.log(v) for v in mean_variance) / 2
    return Location(-big_b / big_a + eps / pt.sqrt(big_a), log_density)


def ordered_party_means(
    member_means: Pair, member_variance: Pair, mu: PriorSpec, eps_gap: Tensor, eps_level: Tensor
) -> PartyMeans:
    """Draw ``mu_D < mu_R`` from their exact conditional given the members' means.

    Without the order the conditional is two independent Gaussians (conjugate). Their difference
    is sampled as ``gap = G exp(r eps_gap) > 0``, G the gap of the members' means, r its relative
    standard deviation; the level given the gap is Gaussian, through ``eps_level ~ N(0, 1)``.

    Parameters
    ----------
    member_means : pair of scalars
        Mean position of the members of each party, lower one first.
    member_variance : pair of scalars
        ``sigma_g^2 / n_g``.
    """
    precision = mu.sigma**-2
    variance = [1 / (precision + 1 / v) for v in member_variance]
    mean = [
        shrunk * (precision * mu.mu + m / v)
        for shrunk, m, v in zip(variance, member_means, member_variance, strict=True)
    ]
    total = variance[0] + variance[1]
    members_gap = member_means[1] - member_means[0]
    r = pt.sqrt(total) / members_gap
    log_gap = pt.log(members_gap) + r * eps_gap
    gap = pt.exp(log_gap)
    surplus = gap - (mean[1] - mean[0])
    # d gap / d eps_gap = gap r
    log_density = -(surplus**2 / total + pt.log(total)) / 2 + log_gap + pt.log(r)
    upper = mean[1] + variance[1] / total * surplus
    upper += pt.sqrt(variance[0] * variance[1] / total) * eps_level
    return PartyMeans((upper - gap, upper), log_density)


def _total(terms: Iterable[Tensor]) -> Tensor:
    # Scalars added one by one fuse into one compiled expression; a stacked vector does not.
    return functools.reduce(operator.add, terms)
