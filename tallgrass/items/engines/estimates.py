"""The result of a point estimator of item parameters."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.model import ItemCentre
from tallgrass.items.priors import STANDARD_POPULATION, ItemPriors, Population
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemEstimates:
    """Point estimates of item parameters and abilities, on the scale ``a (theta - b)``.

    Parameters
    ----------
    engine : str
        ``mml`` or ``map``.
    items, users : tuple of str
        Names, in the order of the arrays.
    a, b : ndarray, shape (n_items,)
        Discrimination and difficulty.
    a_sd, b_sd : ndarray, shape (n_items,)
        Standard errors from the observed information (of the posterior, for ``map``).
    n : ndarray of int64, shape (n_items,)
        Responses per item.
    share_correct : ndarray, shape (n_items,)
        Share of correct responses per item.
    theta, theta_sd : ndarray, shape (n_users,)
        Mean and standard deviation of each ability given the item parameters (EAP).
    log_lik : float
        Marginal log-likelihood of the responses, abilities integrated out.
    converged : bool
        Whether the largest change fell below the tolerance.
    iterations : int
        Passes over the responses.
    seconds : float
        Time in seconds, standard errors included.
    notes : tuple of str
        What the user should know, such as items that everyone answered correctly.
    population : Population
        Mean and standard deviation of the abilities.
    link : Link or None
        The link to the scale of the anchors, where the estimates were linked.
    together : ndarray, shape (2 k, 2 k)
        Covariance of (slope, intercept) of the items that were asked for; empty without.
    c, c_sd : ndarray, shape (n_items,)
        Lower asymptotes of ``3pl``; empty of other models.
    thresholds, thresholds_sd : ndarray, shape (n_items, most)
        Of ``graded``, NaN beyond those of an item; empty of other models. There ``b`` is their
        mean.
    """

    engine: str
    items: tuple[str, ...]
    users: tuple[str, ...]
    a: Floats
    b: Floats
    a_sd: Floats
    b_sd: Floats
    n: NDArray[np.int64]
    share_correct: Floats
    theta: Floats
    theta_sd: Floats
    log_lik: float
    converged: bool
    iterations: int
    seconds: float
    notes: tuple[str, ...] = field(default=())
    population: Population = STANDARD_POPULATION
    link: "Link | None" = None
    together: Floats = field(default_factory=lambda: np.empty((0, 0)))
    c: Floats = field(default_factory=lambda: np.empty(0))
    c_sd: Floats = field(default_factory=lambda: np.empty(0))
    thresholds: Floats = field(default_factory=lambda: np.empty((0, 0)))
    thresholds_sd: Floats = field(default_factory=lambda: np.empty((0, 0)))


class Link(NamedTuple):
    """``theta_bank = A theta + B``, with standard errors, by so many anchors."""

    a: float
    b: float
    a_se: float
    b_se: float
    n_anchors: int


def item_counts(responses: Responses) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Responses and correct responses of every item, shape (n_items,)."""
    n_items = len(responses.items)
    n = np.bincount(responses.item, minlength=n_items)
    n_correct = np.bincount(responses.item[responses.correct == 1], minlength=n_items)
    return n.astype(np.int64), n_correct.astype(np.int64)


def answer_counts(responses: Responses) -> tuple[NDArray[np.int64], Floats]:
    """Responses of every item, and the share of the points that can be had: of right answers.

    Of graded items a point is a step above the lowest answer, up to the highest that was given.
    """
    n_items = len(responses.items)
    n = np.bincount(responses.item, minlength=n_items).astype(np.int64)
    highest = np.ones(n_items, np.int64)
    np.maximum.at(highest, responses.item, responses.correct.astype(np.int64))
    return n, np.bincount(responses.item, responses.correct, n_items) / (n * highest)


def one_sided_items(responses: Responses) -> tuple[str, ...]:
    """Items that all users answered correctly, or all wrongly; only the prior bounds them."""
    n, n_correct = item_counts(responses)
    return tuple(responses.items[j] for j in np.flatnonzero((n_correct == 0) | (n_correct == n)))


def centre_of(estimates: ItemEstimates, priors: ItemPriors) -> ItemCentre:
    """The centre of the posterior, from estimates of :func:`calibrate_map`.

    An undefined standard error is replaced by the standard deviation of the prior.
    """
    log_a_sd = estimates.a_sd / estimates.a
    return ItemCentre(
        log_a=np.log(estimates.a),
        log_a_sd=np.where(np.isfinite(log_a_sd), log_a_sd, priors.log_a_sd),
        b=estimates.b,
        b_sd=np.where(np.isfinite(estimates.b_sd), estimates.b_sd, priors.b_sd),
        theta=estimates.theta,
        theta_sd=estimates.theta_sd,
        population=(estimates.population.mean, float(np.log(estimates.population.sd))),
    )
