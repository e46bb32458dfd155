"""Priors of items and abilities: the same for all items except the anchors.

    log a ~ N(0, 0.2), b ~ N(0, 1)    an anchor: log a ~ N(log a_previous, 0.05),
                                                 b ~ N(b_previous, 0.05)
    theta ~ N(0, 1)                   a free population: theta ~ N(m, s),
                                                 m ~ N(0, 1), log s ~ N(0, 0.5)

Of ``3pl``, c ~ Beta(5, 17), and an anchor's c ~ Beta(1 + 100 c_previous, 1 + 100 (1 - c_previous)),
whose mode is the previous value and whose standard deviation is about 0.04. Every threshold of
``graded`` has the prior of b; an anchor's those about its previous ones. Items of ``1pl`` share one
a: with anchors it has theirs as prior.

Without anchors the abilities fix the scale, so they are N(0, 1). With anchors the scale is that of
the anchors, and a cohort may be abler than the one that they were calibrated on: its mean and
standard deviation must be free, or the other items take up the difference.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.priors import PriorSpec
from tallgrass.items.models import ItemModelName
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

LOG_A_SD, B_SD, ANCHOR_SD = 0.2, 1.0, 0.05
MEAN_SD, LOG_SD_SD = 1.0, 0.5  # of a free population: m, and the logarithm of s
A_PRIOR, B_PRIOR = PriorSpec("lognormal", (0.0, LOG_A_SD)), PriorSpec("normal", (0.0, B_SD))
ANCHOR_C = 100.0  # answers that the prior of an anchor's c counts for
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
    model : str
        The item model that they are of.
    """

    a: PriorSpec = A_PRIOR
    b: PriorSpec = B_PRIOR
    free: bool = False
    c: tuple[float, float] = C_BETA
    model: ItemModelName = "2pl"


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
    N(0, 1). ``c_beta``, shape (n_items, 2), are the parameters of the beta distributions of lower
    asymptotes, and ``thresholds``, shape (n_items, most), the prior means of thresholds that are
    not ``b_mean``, NaN elsewhere.
    """

    log_a_mean: Floats
    log_a_sd: Floats
    b_mean: Floats
    b_sd: Floats
    anchor: NDArray[np.bool_]
    free: bool = False
    c_beta: Floats = field(default_factory=lambda: np.empty((0, 2)))
    thresholds: Floats = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def c_mean(self) -> Floats:
        """Prior means of the lower asymptotes."""
        return np.asarray(self.c_beta[:, 0] / self.c_beta.sum(axis=1))

    def b_means(self, most: int) -> Floats:
        """Prior means of all thresholds, shape (n_items, most)."""
        means = np.repeat(self.b_mean[:, None], most, axis=1)
        if self.thresholds.size:
            known = self.thresholds[:, :most]
            means[:, : known.shape[1]] = np.where(
                np.isfinite(known), known, means[:, : known.shape[1]]
            )
        return means


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
        np.tile(choice.c, (n, 1)),
        np.full((n, anchors.thresholds.shape[1]), np.nan)
        if anchors is not None and choice.model == "graded"
        else np.empty((0, 0)),
    )
    if anchors is None or not anchors.items:
        return priors
    position = {name: j for j, name in enumerate(responses.items)}
    for name in anchors.items:
        if name not in position:
            raise DataError("anchor without a response", name, "leave it out, or add its responses")
    rows = np.array([position[name] for name in anchors.items])
    # One a for all items is known as soon as that of the anchors is.
    of_a = slice(None) if choice.model == "1pl" else rows
    priors.log_a_mean[of_a] = (
        np.log(anchors.a).mean() if choice.model == "1pl" else np.log(anchors.a)
    )
    priors.b_mean[rows] = anchors.b
    priors.log_a_sd[of_a] = priors.b_sd[rows] = ANCHOR_SD
    priors.anchor[rows] = True
    if choice.model == "3pl":
        priors.c_beta[rows] = 1 + ANCHOR_C * np.stack([anchors.c, 1 - anchors.c], axis=1)
    if choice.model == "graded":
        priors.thresholds[rows] = anchors.thresholds
    return priors
