"""Marginal estimators: abilities are integrated out, item parameters maximised by EM.

Source: Bock and Aitkin (1981). Both work with standardised abilities x = (theta - m) / s, so that
the grid is the same for every population: the logit ``slope theta + intercept`` is
``s slope x + (intercept + m slope)``.
"""

import time

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.engines.climb import MOST_PASSES, Climb
from tallgrass.items.engines.estimates import ItemEstimates, item_counts
from tallgrass.items.engines.family import rows_of
from tallgrass.items.engines.information import MOST_WORK, observed_information
from tallgrass.items.engines.maximise import newton_priors, newton_slopes
from tallgrass.items.engines.population import maximise_population, population_density
from tallgrass.items.engines.quadrature import ByUser, Expected, by_user
from tallgrass.items.engines.standard_errors import (
    Covariances,
    covariances,
    in_log_a_and_b,
    on_theta,
    population_border,
    prior_precision,
)
from tallgrass.items.priors import (
    B_SD,
    LOG_A_SD,
    STANDARD,
    STANDARD_POPULATION,
    ItemPriors,
    Population,
    PriorChoice,
    item_priors,
)
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

TOLERANCE = 1e-4  # largest change of a parameter by an EM step
# Covariances between items hold most of what is known of a free population: worth ten seconds.
MOST_WORK_FREE = 1e10
_FIXED = 1e12  # precision of a parameter that is not estimated


def calibrate_mml(
    responses: Responses,
    fixed: Anchors | None = None,
    tolerance: float = TOLERANCE,
    together: Anchors | None = None,
) -> ItemEstimates:
    """Marginal maximum likelihood without item priors, the default of mirt.

    Without ``fixed`` the abilities are N(0, 1) and fix the scale. An item that all users answered
    correctly, or all wrongly, has no maximum, so its slope and intercept get the priors N(1, 0.2)
    and N(0, 1).

    Parameters
    ----------
    fixed : Anchors, optional
        Items that keep these parameters, which are the scale; mean and standard deviation of the
        abilities are estimated (fixed-parameter calibration; Kim, 2006).
    tolerance : float
        EM stops when no parameter changes by more than this.
    together : Anchors, optional
        Items whose errors are wanted with their covariances, in ``ItemEstimates.together``.
    """
    began = time.perf_counter()
    n, n_correct = item_counts(responses)
    one_sided = (n_correct == 0) | (n_correct == n)
    pull = np.where(one_sided[:, None], [[LOG_A_SD**-2, B_SD**-2]], 0.0)
    log_odds = np.log((n_correct + 0.5) / (n - n_correct + 0.5))
    start = np.stack([np.ones(len(n)), np.clip(1.1 * log_odds, -4, 4)])
    rows = rows_of(responses, fixed)
    if fixed is not None:
        start[:, rows] = fixed.a, -fixed.a * fixed.b
        pull[rows] = 0.0
        start = np.column_stack([start, [0.0, 0.0]])
    kept = start[:, rows].copy()
    data = by_user(responses)

    def maximise(expected: Expected, x: Floats, parameters: Floats) -> None:
        items, mean, log_sd = _split(parameters, len(n))
        newton_slopes(
            expected.counts, mean + np.exp(log_sd) * x, items[0], items[1], pull, 1.0, 0.0
        )
        items[:, rows] = kept
        if fixed is not None:
            parameters[:, -1] = maximise_population(expected, mean, log_sd, has_priors=False)

    def slopes(parameters: Floats) -> tuple[Floats, Floats]:
        (slope, intercept), mean, log_sd = _split(parameters, len(n))
        return slope * np.exp(log_sd), intercept + mean * slope

    def log_prior(parameters: Floats) -> float:
        items, _, _ = _split(parameters, len(n))
        return float(-0.5 * np.sum(pull.T * (items - [[1.0], [0.0]]) ** 2))

    fit = Climb(data, maximise, slopes, log_prior, tolerance)
    parameters, expected, converged = fit.run(start)
    (slope, intercept), mean, log_sd = _split(parameters, len(n))
    alone = fixed is None and together is None
    most_work = MOST_WORK if alone else MOST_WORK_FREE
    information, full = observed_information(data, *slopes(parameters), *fit.grid, most_work)
    sd = float(np.exp(log_sd))
    precision = pull.copy()
    precision[rows] = _FIXED
    border = None
    if fixed is not None:
        information = on_theta(information, mean, sd)
        border = population_border(data, *slopes(parameters), fit.grid, mean, sd, has_priors=False)
    known = covariances(information, precision, border, rows_of(responses, together))
    # (a, b) from (slope, intercept): b = -intercept / slope.
    a, b = slope, -intercept / slope
    gradient = np.stack([-b / slope, -1.0 / slope], axis=1)
    b_sd = np.sqrt(np.einsum("jk,jkl,jl->j", gradient, known.items, gradient))
    notes = _notes(responses, one_sided, full, converged, fit.coarse)
    if (a <= 0).any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(a <= 0)[:10])
        notes += (f"{int((a <= 0).sum())} items with a negative discrimination: {names}",)
    return ItemEstimates(
        "mml", responses.items, responses.users, a, b, np.sqrt(known.items[:, 0, 0]), b_sd, n,
        n_correct / n, mean + sd * expected.theta, sd * expected.theta_sd, expected.log_lik,
        converged, fit.passes, time.perf_counter() - began, notes,
        STANDARD_POPULATION if fixed is None else _population(mean, sd, known), None,
        known.together,
    )  # fmt: skip


def calibrate_map(
    responses: Responses,
    anchors: Anchors | None = None,
    tolerance: float = TOLERANCE,
    choice: PriorChoice = STANDARD,
    most_work: float | None = None,
) -> ItemEstimates:
    """The posterior mode of (log a, b), and (m, log s) of a free population, under the priors.

    The abilities are integrated out.

    Parameters
    ----------
    tolerance : float
        EM stops when no parameter changes by more than this.
    choice : PriorChoice
        The priors, and whether the population is free.
    most_work : float, optional
        Pairs of answers times nodes, above which standard errors leave out the covariances between
        items.

    Raises
    ------
    DataError
        When an anchor has no response.
    """
    began = time.perf_counter()
    priors = item_priors(responses, anchors, choice)
    n, n_correct = item_counts(responses)
    data = by_user(responses)
    log_odds = np.log((n_correct + 0.5) / (n - n_correct + 0.5))
    start = np.stack([priors.log_a_mean, np.clip(-1.1 * log_odds, -4, 4)])
    start[1, priors.anchor] = priors.b_mean[priors.anchor]
    if priors.free:
        start = np.column_stack([start, [0.0, 0.0]])

    def maximise(expected: Expected, x: Floats, parameters: Floats) -> None:
        (log_a, b), mean, log_sd = _split(parameters, len(n))
        newton_priors(
            expected.counts, mean + np.exp(log_sd) * x, log_a, b, priors.log_a_mean,
            priors.log_a_sd, priors.b_mean, priors.b_sd,
        )  # fmt: skip
        if priors.free:
            parameters[:, -1] = maximise_population(expected, mean, log_sd, has_priors=True)

    def slopes(parameters: Floats) -> tuple[Floats, Floats]:
        (log_a, b), mean, log_sd = _split(parameters, len(n))
        a = np.exp(log_a)
        return a * np.exp(log_sd), a * (mean - b)

    def log_prior(parameters: Floats) -> float:
        (log_a, b), mean, log_sd = _split(parameters, len(n))
        units = (log_a - priors.log_a_mean) / priors.log_a_sd, (b - priors.b_mean) / priors.b_sd
        density = float(-0.5 * (np.sum(units[0] ** 2) + np.sum(units[1] ** 2)))
        return density + population_density(mean, log_sd) if priors.free else density

    fit = Climb(data, maximise, slopes, log_prior, tolerance)
    parameters, expected, converged = fit.run(start)
    (log_a, b), mean, log_sd = _split(parameters, len(n))
    sd = float(np.exp(log_sd))
    most_work = most_work or (MOST_WORK_FREE if priors.free else MOST_WORK)
    information, full = observed_information(data, *slopes(parameters), *fit.grid, most_work)
    known = _covariances_of_mode(
        data, information, expected, fit.grid, (log_a, b), priors, (mean, sd)
    )
    a = np.exp(log_a)
    return ItemEstimates(
        "map", responses.items, responses.users, a, b, a * np.sqrt(known.items[:, 0, 0]),
        np.sqrt(known.items[:, 1, 1]), n, n_correct / n, mean + sd * expected.theta,
        sd * expected.theta_sd, expected.log_lik, converged, fit.passes,
        time.perf_counter() - began,
        _notes(responses, (n_correct == 0) | (n_correct == n), full, converged, fit.coarse),
        _population(mean, sd, known) if priors.free else STANDARD_POPULATION,
    )  # fmt: skip


def _covariances_of_mode(
    data: ByUser,
    information: Floats,
    expected: Expected,
    grid: tuple[Floats, Floats],
    items: tuple[Floats, Floats],
    priors: ItemPriors,
    population: tuple[float, float],
) -> Covariances:
    """From the information in standardised abilities; ``items`` are log a and b."""
    (log_a, b), (mean, sd) = items, population
    border = None
    if priors.free:
        information = on_theta(information, mean, sd)
        a = np.exp(log_a)
        border = population_border(data, a * sd, a * (mean - b), grid, mean, sd, has_priors=True)
    nodes = mean + sd * grid[0]
    information, border = in_log_a_and_b(information, expected, nodes, log_a, b, border)
    return covariances(information, prior_precision(priors), border)


def _split(parameters: Floats, n_items: int) -> tuple[Floats, float, float]:
    """Views of the items' parameters, and mean and log s: 0 and 0 where they are not free."""
    if parameters.shape[1] == n_items:
        return parameters, 0.0, 0.0
    return parameters[:, :-1], float(parameters[0, -1]), float(parameters[1, -1])


def _population(mean: float, sd: float, known: Covariances) -> Population:
    mean_se, log_sd_se = np.sqrt(np.diag(known.population))
    return Population(mean, sd, float(mean_se), sd * float(log_sd_se))


def _notes(
    responses: Responses, one_sided: NDArray[np.bool_], full: bool, converged: bool, coarse: bool
) -> tuple[str, ...]:
    notes = []
    if one_sided.any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(one_sided)[:10])
        notes.append(f"{int(one_sided.sum())} items all right or all wrong: {names}")
    if not full:
        notes.append("standard errors leave out the covariances between items (too many pairs)")
    if not converged:
        notes.append(f"EM did not converge in {MOST_PASSES} passes")
    if coarse:
        notes.append("the narrowest ability is not resolved by the finest grid")
    return tuple(notes)
