"""Marginal estimators of any item model: abilities integrated out, parameters maximised by EM.

Source: Bock and Aitkin (1981). The M-step is Fisher scoring on the expected counts N of answers,

    g = sum_q sum_k N_kq d_kq,     F = sum_q n_q sum_k p_kq d_kq d_kq'

with d the derivatives of the log-probabilities p (:mod:`tallgrass.items.curves`), plus those of the
priors; a step that leaves the region, or loses expected likelihood, is halved. A free population
has the nodes m + s x, and its own M-step. ``2pl`` has engines
of its own (:mod:`tallgrass.items.engines.marginal`), which are faster; the two agree.
"""

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from tallgrass.items.curves import Curves
from tallgrass.items.engines.any_information import Known, covariance
from tallgrass.items.engines.climb import MOST_PASSES, Climb
from tallgrass.items.engines.estimates import ItemEstimates, answer_counts
from tallgrass.items.engines.family import LEAST_C, Family, family_of
from tallgrass.items.engines.population import maximise_population, population_density
from tallgrass.items.engines.quadrature import ByUser, Expected, by_user_coded, expect_answers
from tallgrass.items.models import ItemModelName
from tallgrass.items.priors import (
    STANDARD,
    STANDARD_POPULATION,
    Population,
    PriorChoice,
    item_priors,
)
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

TOLERANCE = 1e-5  # largest change of a parameter by an EM step
_STEPS, _HALVINGS = 3, 12
_RIDGE = 1e-8


def estimate(
    model: ItemModelName,
    responses: Responses,
    choice: PriorChoice | None = STANDARD,
    tolerance: float = TOLERANCE,
    anchors: Anchors | None = None,
) -> ItemEstimates:
    """Posterior mode, or maximum likelihood, of the items of any model.

    The abilities are N(0, 1), or, of a free population, N(m, s).

    Parameters
    ----------
    model : str
        ``1pl``, ``2pl``, ``3pl`` or ``graded``.
    choice : PriorChoice or None
        The priors of items and whether the population is free; None for maximum likelihood.
    tolerance : float
        EM stops when no parameter changes by more than this.
    anchors : Anchors, optional
        Items of known parameters. With priors they have these as prior means; by maximum likelihood
        they keep them, and mean and standard deviation of the abilities are estimated.

    Raises
    ------
    DataError
        When an item of ``graded`` has an answer between others that nobody gave.
    """
    return fitted(model, responses, choice, tolerance, anchors).estimates


class Fitted(NamedTuple):
    """Estimates, with the covariances of all of them and where each is in these."""

    estimates: ItemEstimates
    family: Family
    known: Known


def fitted(
    model: ItemModelName,
    responses: Responses,
    choice: PriorChoice | None,
    tolerance: float = TOLERANCE,
    anchors: Anchors | None = None,
) -> Fitted:
    """What :func:`estimate` gives, with covariances."""
    began = time.perf_counter()
    of_model = None if choice is None else replace(choice, model=model)
    priors = None if of_model is None else item_priors(responses, anchors, of_model)
    family = family_of(model, responses, priors, anchors if choice is None else None)
    free = anchors is not None and choice is None if priors is None else priors.free
    start = family.start(responses)
    data = by_user_coded(responses, family.curves(start).first)
    climb = _FamilyClimb(family, data, tolerance, free)
    vector, expected, converged = climb.run(np.concatenate([start, [0.0, 0.0]]) if free else start)
    parameters, mean, log_sd = climb.split(vector)
    population = (mean, float(np.exp(log_sd)))
    items = family.by_item(parameters)
    known = covariance(family, data, parameters, expected, climb.grid, population if free else None)
    curves = family.curves_of_items(items)
    a, c = curves.slope, curves.c
    thresholds = -curves.intercept / a[:, None]
    gradient = _into_a_b_c(family, items, curves)
    sd = np.sqrt(np.einsum("jki,jil,jkl->jk", gradient, known.items, gradient))
    n, share = answer_counts(responses)
    most = family.most
    in_use = family.thresholds.astype(float)
    # The location of an item is the mean of its thresholds.
    weight = np.isfinite(thresholds) / in_use[:, None]
    of_mean = np.einsum("jk,jki->ji", weight, gradient[:, 1 : 1 + most])
    b_sd = np.sqrt(np.einsum("ji,jil,jl->j", of_mean, known.items, of_mean))
    has_c, has_thresholds = model == "3pl", model == "graded"
    estimates = ItemEstimates(
        "mml" if choice is None else "map", responses.items, responses.users, a,
        np.nansum(weight * np.nan_to_num(thresholds), axis=1), sd[:, 0], b_sd, n, share,
        mean + population[1] * expected.theta, population[1] * expected.theta_sd,
        expected.log_lik, converged, climb.passes, time.perf_counter() - began,
        _notes(responses, family, curves, known.full, converged, climb),
        population=_population(population, known) if free else STANDARD_POPULATION,
        c=c if has_c else np.empty(0), c_sd=sd[:, -1] if has_c else np.empty(0),
        thresholds=thresholds if has_thresholds else np.empty((0, 0)),
        thresholds_sd=np.where(np.isfinite(thresholds), sd[:, 1 : 1 + most], np.nan)
        if has_thresholds else np.empty((0, 0)),
    )  # fmt: skip
    return Fitted(estimates, family, known)


def _population(population: tuple[float, float], known: Known) -> Population:
    mean_se, log_sd_se = np.sqrt(np.diag(known.population))
    return Population(*population, float(mean_se), population[1] * float(log_sd_se))


class _FamilyClimb(Climb):
    """EM of an item model, whose jumps stay in its region.

    The vector is that of the family, and m and log s of a free population after it.
    """

    def __init__(self, family: Family, data: ByUser, tolerance: float, free: bool) -> None:
        super().__init__(data, self._maximised, _no_slopes, self._log_prior, tolerance)
        self.family, self.free = family, free

    def split(self, vector: Floats) -> tuple[Floats, float, float]:
        """Parameters of the items, mean, and log s: 0 and 0 where they are not free."""
        if not self.free:
            return vector, 0.0, 0.0
        return vector[:-2], float(vector[-2]), float(vector[-1])

    def _expect(self, vector: Floats) -> Expected:
        self.passes += 1
        x, log_weight = self.grid
        parameters, mean, log_sd = self.split(vector)
        table = self.family.curves(parameters).log_probabilities(mean + np.exp(log_sd) * x)
        return expect_answers(self.data, np.ascontiguousarray(table), x, log_weight)

    def _maximised(self, expected: Expected, x: Floats, vector: Floats) -> None:
        parameters, mean, log_sd = self.split(vector)
        theta = mean + np.exp(log_sd) * x
        parameters[:] = m_step(self.family, expected.counts, theta, parameters)
        if self.free:
            has_priors = self.family.priors is not None
            vector[-2:] = maximise_population(expected, mean, log_sd, has_priors)

    def _log_prior(self, vector: Floats) -> float:
        parameters, mean, log_sd = self.split(vector)
        density = self.family.log_prior(parameters)
        if not self.free or self.family.priors is None:
            return density
        return density + population_density(mean, log_sd)

    def _admitted(self, jumped: Floats, plain: Floats) -> Floats:
        jumped = jumped.copy()
        parameters, _, _ = self.split(jumped)
        parameters[:] = self.family.bounded(parameters)
        return jumped if self.family.ordered(parameters).all() else plain


def _no_slopes(_: Floats) -> tuple[Floats, Floats]:
    """What the climb of the 2PL asks for in its E-step, which is another one here."""
    raise NotImplementedError("the E-step of an item model takes its curves")


def m_step(family: Family, counts: Floats, x: Floats, parameters: Floats) -> Floats:
    """Better parameters for these expected counts, shape (n_codes, n_nodes)."""
    for _ in range(_STEPS):
        gradient, information = gradient_and_information(family, counts, x, parameters)
        held = family.held(parameters, gradient)
        gradient = np.where(held, 0.0, gradient)
        free = sparse.diags((~held).astype(float), format="csc")
        information = free @ information @ free + sparse.diags(held.astype(float), format="csc")
        step = family.limited(spsolve(information.tocsc(), gradient))
        before = expected_values(family, counts, x, parameters)
        share = np.ones(len(family.thresholds))
        for _ in range(_HALVINGS):
            moved = family.bounded(parameters + family.scaled(step, share))
            after = np.where(
                family.ordered(moved), expected_values(family, counts, x, moved), -np.inf
            )
            if family.name == "1pl":
                before, after = before.sum(keepdims=True), after.sum(keepdims=True)
            worse = after < before - 1e-10 * np.abs(before)
            if not worse.any():
                parameters = moved
                break
            share = np.where(worse, share / 2, share)
        else:
            parameters = family.bounded(
                parameters + family.scaled(step, np.where(worse, 0.0, share))
            )
    return parameters


def expected_values(family: Family, counts: Floats, x: Floats, parameters: Floats) -> Floats:
    """By item the expected log-likelihood of the complete data plus the log-prior."""
    curves = family.curves(parameters)
    with np.errstate(invalid="ignore"):
        table = np.maximum(curves.log_probabilities(x), -700.0)
    total = np.add.reduceat((counts * table).sum(axis=1), curves.first[:-1])
    return np.asarray(total + family.log_priors(parameters))


def gradient_and_information(
    family: Family, counts: Floats, x: Floats, parameters: Floats
) -> tuple[Floats, sparse.csc_matrix]:
    """Of the expected log-likelihood plus log-prior, in the vector of parameters."""
    items = family.by_item(parameters)
    curves = family.curves_of_items(items)
    derivative, jacobian = curves.derivatives(x), family.jacobian(items)
    natural = np.add.reduceat(np.einsum("kq,kpq->kp", counts, derivative), curves.first[:-1])
    answered = np.add.reduceat(counts, curves.first[:-1])
    weight = answered[curves.item] * np.exp(curves.log_probabilities(x))
    blocks = np.add.reduceat(
        np.einsum("kq,kpq,krq->kpr", weight, derivative, derivative, optimize=True),
        curves.first[:-1],
    )
    blocks = np.einsum("jpi,jpr,jrk->jik", jacobian, blocks, jacobian, optimize=True)
    gradient_items = np.einsum("jp,jpr->jr", natural, jacobian)
    index = family.index
    used = index >= 0
    first, second = family.prior_slope(parameters)
    gradient = first + np.bincount(index[used], gradient_items[used], len(parameters))
    pairs = used[:, :, None] & used[:, None, :]
    rows = np.broadcast_to(index[:, :, None], pairs.shape)[pairs]
    columns = np.broadcast_to(index[:, None, :], pairs.shape)[pairs]
    shape = (len(parameters), len(parameters))
    matrix = sparse.csc_matrix((blocks[pairs], (rows, columns)), shape=shape)
    return gradient, matrix + sparse.diags(second + _RIDGE, format="csc")


def _into_a_b_c(family: Family, items: Floats, curves: Curves) -> Floats:
    """Derivatives of (a, b_k, c) for the coordinates, by item."""
    n, width = items.shape
    gradient = np.zeros((n, width, width))
    a = curves.slope
    places = np.arange(1, width - 1)
    if family.priors is None:
        gradient[:, 0, 0] = 1.0
        gradient[:, 1:-1, 0] = np.nan_to_num(curves.intercept) / a[:, None] ** 2
        gradient[:, places, places] = -1.0 / a[:, None]
    else:
        gradient[:, 0, 0] = a
        gradient[:, places, places] = 1.0
    gradient[:, -1, -1] = 1.0
    return gradient


def _notes(
    responses: Responses, family: Family, curves: Curves, full: bool, converged: bool, climb: Climb
) -> tuple[str, ...]:
    notes = []
    if family.name == "3pl" and (bound := curves.c <= 1.01 * LEAST_C).any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(bound)[:10])
        notes.append(f"{int(bound.sum())} items whose lower asymptote is at its bound, 0: {names}")
    if (curves.slope <= 0).any():
        names = ", ".join(responses.items[j] for j in np.flatnonzero(curves.slope <= 0)[:10])
        notes.append(
            f"{int((curves.slope <= 0).sum())} items with a negative discrimination: {names}"
        )
    if not full:
        notes.append("standard errors leave out the covariances between items (too many pairs)")
    if not converged:
        notes.append(f"EM did not converge in {MOST_PASSES} passes")
    if climb.coarse:
        notes.append("the narrowest ability is not resolved by the finest grid")
    return tuple(notes)
