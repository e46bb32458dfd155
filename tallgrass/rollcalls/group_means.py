"""Means of parties or groups given their members, drawn from exact conditionals.

Coordinates are standard normal, and the posterior stays the same: every function returns the
log-density to add, up to a constant. They belong to :mod:`tallgrass.rollcalls.coordinates`.
"""

from typing import NamedTuple

import pytensor.tensor as pt

from tallgrass.rollcalls.coordinates import Pair, Prior, Tensor


class PartyMeans(NamedTuple):
    """Party means given their members, lower mean first, and their log-density."""

    mu: tuple[Tensor, Tensor]
    log_density: Tensor


def ordered_party_means(
    member_means: Pair, member_variance: Pair, mu: Prior, eps_gap: Tensor, eps_level: Tensor
) -> PartyMeans:
    """Draw ``mu_D < mu_R`` from their exact conditional given the members' means.

    Without the order the conditional is two independent Gaussians (conjugate). Their difference
    is sampled as ``gap = G exp(r eps_gap) > 0``, where G is the gap of the members' means and r its
    relative standard deviation; given the gap, the level is Gaussian, through
    ``eps_level ~ N(0, 1)``.

    Parameters
    ----------
    member_means : pair of scalars
        Mean position of the members of each party, lower mean first.
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
    means = means_given_gap(mean[1], variance, total, gap, surplus, eps_level)
    return PartyMeans(means, log_density)


def truncated_pair(
    member_means: Pair, member_variance: Pair, mu: Prior, eps_gap: Tensor, eps_level: Tensor
) -> PartyMeans:
    """As :func:`ordered_party_means` where the members' means may be equal or in the other order.

    The gap of the means, in units of its standard deviation r without the order, is
    ``log(1 + exp(eps_gap + expectation))``: for an expectation far above 0 nearly Gaussian, for one
    far below 0 nearly exponential.
    """
    precision = mu.sigma**-2
    variance = [1 / (precision + 1 / v) for v in member_variance]
    mean = [
        shrunk * (precision * mu.mu + m / v)
        for shrunk, m, v in zip(variance, member_means, member_variance, strict=True)
    ]
    total = variance[0] + variance[1]
    r = pt.sqrt(total)
    expectation = (mean[1] - mean[0]) / r
    z = eps_gap + expectation
    gap = pt.softplus(z)
    surplus = gap - expectation
    # d gap / d eps_gap = sigmoid(z); r cancels between the unit of the gap and its density
    log_density = -(surplus**2) / 2 - pt.softplus(-z)
    means = means_given_gap(mean[1], variance, total, r * gap, r * surplus, eps_level)
    return PartyMeans(means, log_density)


def free_mean(member_mean: Tensor, member_variance: Tensor, mu: Prior, eps: Tensor) -> Tensor:
    """The mean of a group that no order holds, from its exact conditional given its members' mean.

    ``member_variance`` is ``sigma_g^2 / n_g``; ``eps ~ N(0, 1)``.
    """
    precision = mu.sigma**-2
    variance = 1 / (precision + 1 / member_variance)
    mean = variance * (precision * mu.mu + member_mean / member_variance)
    return mean + pt.sqrt(variance) * eps


def means_given_gap(
    upper_mean: Tensor,
    variance: Pair,
    total: Tensor,
    gap: Tensor,
    surplus: Tensor,
    eps_level: Tensor,
) -> tuple[Tensor, Tensor]:
    """Two Gaussian means, lower mean first, drawn given their gap through ``eps_level ~ N(0, 1)``.

    ``upper_mean`` is the expectation of the upper mean, ``total`` the sum of the variances, and
    ``surplus`` the gap minus its expectation.
    """
    upper = upper_mean + variance[1] / total * surplus
    upper += pt.sqrt(variance[0] * variance[1] / total) * eps_level
    return upper - gap, upper
