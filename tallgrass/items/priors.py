"""Priors of items and abilities: the same for all items except the anchors.

    log a ~ N(0, 0.2), b ~ N(0, 1)    an anchor: log a ~ N(log a_previous, 0.05),
                                                 b ~ N(b_previous, 0.05)
    theta ~ N(0, 1)                   a free population: theta ~ N(m, s),
                                                 m ~ N(0, 1), log s ~ N(0, 0.5)

Without anchors the abilities fix the scale, so they are N(0, 1). With anchors the scale is that of
the anchors, and a cohort may be abler than the one that they were calibrated on: its mean and
standard deviation must be free, or the other items take up the difference.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.priors import PriorSpec
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

LOG_A_SD, B_SD, ANCHOR_SD = 0.2, 1.0, 0.05
MEAN_SD, LOG_SD_SD = 1.0, 0.5  # of a free population: m, and the logarithm of s
A_PRIOR, B_PRIOR = PriorSpec("lognormal", (0.0, LOG_A_SD)), PriorSpec("normal", (0.0, B_SD))
C_BETA = (5.0, 17.0)  # of c, the lower asymptote: BILOG's for five alternatives, with mean 0.23


@dataclass(frozen=True)
class PriorChoice:
    """The priors of items that are no anchors, and whether the population is free.

    Parameters
    ----------
    a : PriorSpec
        A log-normal distribution.
    b : PriorSpec
        A normal distribution.
    free : bool
        Whether mean and standard deviation of the abilities are estimated; else N(0, 1).
    c : tuple of float
        The two parameters of the beta distribution of the lower asymptotes of ``3pl``.
    """

    a: PriorSpec = A_PRIOR
    b: PriorSpec = B_PRIOR
    free: bool = False
    c: tuple[float, float] = C_BETA


STANDARD = PriorChoice()


class Population(NamedTuple):
    """Mean and standard deviation of the abilities, with their standard errors.

    The errors are 0 for N(0, 1), which is not estimated, and NaN where they are not known.
    """

    mean: float = 0.0
    sd: float = 1.0
    mean_se: float = 0.0
    sd_se: float = 0.0


STANDARD_POPULATION = Population()


@dataclass(frozen=True, eq=False)
class ItemPriors:
    """Normal priors of log a and b by item; every array has shape (n_items,).

    ``anchor`` tells which items are anchors, ``free`` whether the abilities are N(m, s) and not
    N(0, 1); ``c_beta`` are the parameters of the beta distribution of lower asymptotes.
    """

    log_a_mean: Floats
    log_a_sd: Floats
    b_mean: Floats
    b_sd: Floats
    anchor: NDArray[np.bool_]
    free: bool = False
    c_beta: tuple[float, float] = C_BETA

    @property
    def c_mean(self) -> float:
        """Prior mean of the lower asymptotes."""
        return self.c_beta[0] / sum(self.c_beta)


def item_priors(
    responses: Responses, anchors: Anchors | None = None, choice: PriorChoice = STANDARD
) -> ItemPriors:
    """The priors of the items of these responses, and of their users.

    Raises
    ------
    DataError
        When an anchor is not among the items.
    """
    n = len(responses.items)
    priors = ItemPriors(
        np.full(n, choice.a.mu),
        np.full(n, choice.a.sigma),
        np.full(n, choice.b.mu),
        np.full(n, choice.b.sigma),
        np.zeros(n, bool),
        choice.free,
        choice.c,
    )
    if anchors is None or not anchors.items:
        return priors
    position = {name: j for j, name in enumerate(responses.items)}
    for name in anchors.items:
        if name not in position:
            raise DataError("anchor without a response", name, "leave it out, or add its responses")
    rows = np.array([position[name] for name in anchors.items])
    priors.log_a_mean[rows] = np.log(anchors.a)
    priors.b_mean[rows] = anchors.b
    priors.log_a_sd[rows] = priors.b_sd[rows] = ANCHOR_SD
    priors.anchor[rows] = True
    return priors
