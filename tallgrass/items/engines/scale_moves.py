"""Moves of the blocked Gibbs sampler along which the likelihood does not change, compiled.

They move abilities and items together, in place or in scale, and the population of the abilities.
"""

import math

from tallgrass.inference.jit import stored_njit
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD


@stored_njit()
def log_prior_ratio(new, old, mean, sd):  # type: ignore[no-untyped-def]
    """Of a normal density at a new value to that at the old one."""
    return -0.5 * ((new - mean) ** 2 - (old - mean) ** 2) / sd**2


@stored_njit()
def accepts(rng, log_ratio):  # type: ignore[no-untyped-def]
    """Whether Metropolis accepts the move; NaN is refused."""
    return log_ratio >= 0.0 or math.log(rng.random()) < log_ratio


@stored_njit()
def shift(rng, theta, b, b_mean, b_sd, free, population):  # type: ignore[no-untyped-def]
    """Step 2."""
    if free:
        precision, pull = 1.0 / MEAN_SD**2, -population[0] / MEAN_SD**2
    else:
        precision, pull = float(len(theta)), 0.0
        for i in range(len(theta)):
            pull -= theta[i]
    for j in range(len(b)):
        precision += 1.0 / b_sd[j] ** 2
        pull -= (b[j] - b_mean[j]) / b_sd[j] ** 2
    move = pull / precision + rng.standard_normal() / math.sqrt(precision)
    for i in range(len(theta)):
        theta[i] += move
    for j in range(len(b)):
        b[j] += move
    if free:
        population[0] += move


@stored_njit()
def scale(  # type: ignore[no-untyped-def]
    rng, step, theta, log_a, b, log_a_mean, log_a_sd, b_mean, b_sd, free, population
):
    """Step 3; returns 1 if it was accepted, else 0."""
    log_s = step * rng.standard_normal()
    s = math.exp(log_s)
    if free:
        # The Jacobian s^U of the abilities is that of their density; m has one of its own.
        log_ratio = (len(b) + 1) * log_s
        log_ratio += log_prior_ratio(population[0] * s, population[0], 0.0, MEAN_SD)
        log_ratio += log_prior_ratio(population[1] + log_s, population[1], 0.0, LOG_SD_SD)
    else:
        log_ratio, square = (len(theta) + len(b)) * log_s, 0.0
        for i in range(len(theta)):
            square += theta[i] * theta[i]
        log_ratio -= 0.5 * square * (s * s - 1.0)
    for j in range(len(b)):
        log_ratio += log_prior_ratio(b[j] * s, b[j], b_mean[j], b_sd[j])
        log_ratio += log_prior_ratio(log_a[j] - log_s, log_a[j], log_a_mean[j], log_a_sd[j])
    if not accepts(rng, log_ratio):
        return 0
    for i in range(len(theta)):
        theta[i] *= s
    for j in range(len(b)):
        b[j] *= s
        log_a[j] -= log_s
    if free:
        population[0] *= s
        population[1] += log_s
    return 1


@stored_njit()
def draw_population(rng, theta, population):  # type: ignore[no-untyped-def]
    """Steps 5 and 6."""
    n, total = len(theta), 0.0
    for i in range(n):
        total += theta[i]
    variance = math.exp(2.0 * population[1])
    precision = n / variance + 1.0 / MEAN_SD**2
    mean = total / variance / precision + rng.standard_normal() / math.sqrt(precision)
    squares = 0.0
    for i in range(n):
        squares += (theta[i] - mean) ** 2
    # In log sigma the likelihood sigma^-n exp(-squares / (2 sigma^2)) is this inverse gamma.
    proposed = 0.5 * math.log(0.5 * squares / rng.standard_gamma(0.5 * n))
    if accepts(rng, log_prior_ratio(proposed, population[1], 0.0, LOG_SD_SD)):
        population[1] = proposed
    population[0] = mean
