"""Mean and standard deviation of the abilities with 95 % intervals, from draws or estimates."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.priors import Population

Floats = NDArray[np.float64]

TAILS = (0.025, 0.975)
Z = 1.959963984540054  # half the width of a 95 % interval of N(0, 1)


class PopulationSummary(NamedTuple):
    """Mean and standard deviation of the abilities with 95 % intervals; N(0, 1) if not ``free``."""

    mean: float = 0.0
    mean_se: float = 0.0
    mean_low: float = 0.0
    mean_high: float = 0.0
    sd: float = 1.0
    sd_se: float = 0.0
    sd_low: float = 1.0
    sd_high: float = 1.0
    free: bool = False


STANDARD = PopulationSummary()


def population_estimated(population: Population) -> PopulationSummary:
    """Of point estimates with standard errors."""
    mean, sd, mean_se, sd_se = population
    if not (mean_se or sd_se):
        return PopulationSummary()
    factor = np.exp(Z * sd_se / sd)  # on the log scale the interval stays positive
    return PopulationSummary(
        mean, mean_se, mean - Z * mean_se, mean + Z * mean_se,
        sd, sd_se, sd / factor, sd * factor, True,
    )  # fmt: skip


def population_drawn(mean: Floats, sd: Floats) -> PopulationSummary:
    """Of draws."""
    (low, high), (sd_low, sd_high) = (np.quantile(draws, TAILS) for draws in (mean, sd))
    return PopulationSummary(
        float(mean.mean()), float(mean.std(ddof=1)), float(low), float(high),
        float(sd.mean()), float(sd.std(ddof=1)), float(sd_low), float(sd_high), True,
    )  # fmt: skip
