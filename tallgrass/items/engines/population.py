"""The M-step of a free population N(m, s): its mean and the logarithm of its standard deviation.

The abilities are the missing data. With U users, S1 and S2 the sums of the posterior means of theta
and theta^2, and t = log s, what is maximised is

    Q(m, t) = -U t - (S2 - 2 m S1 + U m^2) exp(-2 t) / 2 - m^2 / 2 - t^2 / (2 * 0.5^2)

(the last two terms are the priors; without them the maximum is m = S1 / U, s^2 = S2 / U - m^2).
"""

import math

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.engines.quadrature import Expected
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD

Floats = NDArray[np.float64]

_ROUNDS, _NEWTON_STEPS = 20, 20
_NEAR = 1e-12


def maximise_population(
    expected: Expected, mean: float, log_sd: float, has_priors: bool
) -> tuple[float, float]:
    """The mean and log s that maximise Q, after an E-step at ``mean`` and ``log_sd``.

    ``expected.theta`` is of (theta - m) / s.
    """
    sd = math.exp(log_sd)
    theta = mean + sd * expected.theta
    n = len(theta)
    first = float(theta.sum())
    second = float((theta**2).sum() + sd**2 * (expected.theta_sd**2).sum())
    if not has_priors:
        average = first / n
        return average, 0.5 * math.log(second / n - average**2)
    for _ in range(_ROUNDS):
        before = mean, log_sd
        mean = first / (n + math.exp(2 * log_sd) / MEAN_SD**2)
        squares = second - 2 * mean * first + n * mean**2
        for _ in range(_NEWTON_STEPS):
            pull = squares * math.exp(-2 * log_sd)
            step = (pull - n - log_sd / LOG_SD_SD**2) / (2 * pull + 1 / LOG_SD_SD**2)
            log_sd += step
            if abs(step) < _NEAR:
                break
        if max(abs(mean - before[0]), abs(log_sd - before[1])) < _NEAR:
            break
    return mean, log_sd


def population_density(mean: float, log_sd: float) -> float:
    """Log-density of the priors of m and log s, up to a constant."""
    return -0.5 * ((mean / MEAN_SD) ** 2 + (log_sd / LOG_SD_SD) ** 2)
