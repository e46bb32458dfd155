"""Reference distributions of infit and outfit for items of any model.

As :mod:`tallgrass.items.reference` has them for ``2pl``: answers are drawn again from the fitted
model, abilities and items are estimated again from them, items by one Newton step on the marginal
likelihood, and the fit that was found is placed among that of the repeats. Where items have priors
they are drawn as normal about their estimates.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.curves import Curves
from tallgrass.items.engines.any_information import covariance, gradient_by_item
from tallgrass.items.engines.family import Family
from tallgrass.items.engines.quadrature import (
    Expected,
    by_user_coded,
    expect_answers,
    grid,
    nodes_for,
)
from tallgrass.items.fit import Fit, fits_of
from tallgrass.items.models import ItemModelName
from tallgrass.items.placement import Placed
from tallgrass.items.priors import ItemPriors
from tallgrass.items.reference import Rows, placed_among
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]
Answers = NDArray[np.int8]

_FEWEST_NODES, _MOST_NODES = 41, 241


def placed_fit_of(
    model: ItemModelName,
    responses: Responses,
    curves: Curves,
    population: tuple[float, float],
    priors: ItemPriors | None,
) -> tuple[Placed, Placed]:
    """Fit of items and of users, placed among repeats.

    Parameters
    ----------
    curves : Curves
        The items at their estimates.
    population : tuple of float
        Mean and standard deviation of the abilities.
    priors : ItemPriors or None
        None for maximum likelihood.

    Examples
    --------
    >>> items, users = placed_fit_of("3pl", responses, curves, (0, 1), None)  # doctest: +SKIP
    """
    if priors is not None and (curves.slope <= 0).any():
        priors = None  # log a has no value there

    def replication(of: Responses, kept: Rows) -> _Replication:
        return _Replication(model, of, curves, population, priors)

    return placed_among(responses, replication)


@dataclass(frozen=True, eq=False)
class _Point:
    """Parameters of items, standardised abilities, and what answers say at them."""

    vector: Floats
    x: Floats
    score: Floats  # gradient of the marginal log-likelihood
    fits: tuple[Fit, Fit]


class _Replication:
    """Estimates from other answers of the same users to the same items."""

    def __init__(
        self,
        model: ItemModelName,
        responses: Responses,
        curves: Curves,
        population: tuple[float, float],
        priors: ItemPriors | None,
    ) -> None:
        self.responses = responses
        self.mean, self.sd = population
        self.family = Family(model, curves.categories - 1, priors)
        self.first = curves.first
        self.index = self.family.index
        self.start = self._vector(curves)
        self.nodes = grid(_FEWEST_NODES)
        narrow = float(self._expected(responses.correct, self.start).theta_sd.min())
        self.nodes = grid(min(max(nodes_for(narrow), _FEWEST_NODES), _MOST_NODES))
        expected = self._expected(responses.correct, self.start)
        self.x_sd = expected.theta_sd
        data = by_user_coded(responses, self.first)
        known = covariance(
            self.family, data, self.start, expected, self.nodes, population, most_work=0.0
        )
        # Where the information is not positive definite, items stay where they are.
        n = len(self.start)
        self._whole = np.nan_to_num(known.whole[:n, :n])
        self._items = np.nan_to_num(known.items)
        values, vectors = np.linalg.eigh(self._whole if known.full else self._items)
        self._root = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]

    def given(self) -> _Point:
        """At the estimates."""
        return self._at(self.responses.correct, self.start)

    def spread(self, point: _Point, generator: np.random.Generator) -> _Point:
        """Abilities, and item parameters under priors, drawn about estimates as normal."""
        x = point.x + self.x_sd * generator.standard_normal(len(point.x))
        if self.family.priors is None:
            return replace(point, x=x)
        if len(self._whole):
            step = self._root @ generator.standard_normal(len(self._whole))
        else:
            unit = generator.standard_normal(self._root.shape[:2])
            step = self._in_vector(np.einsum("jkl,jl->jk", self._root, unit))
        return replace(point, x=x, vector=self._valid(point.vector + step, point.vector))

    def drawn(self, point: _Point, place: float) -> _Point:
        """The same point: it is drawn as normal."""
        return point

    def repeated(
        self, source: _Point, centre: _Point, answers: Answers, generator: np.random.Generator
    ) -> tuple[_Point, Answers]:
        """Answers drawn from ``source``, and what is estimated from them.

        Items take one Newton step from ``centre``, the estimates from ``answers``, where the
        priors' gradient is minus that of ``answers``.
        """
        new = self._answers(source, generator)
        pull = self._score(self._expected(new, centre.vector), centre.vector) - centre.score
        if len(self._whole):
            step = self._whole @ pull
        else:
            by_item = np.where(self.index < 0, 0.0, pull[self.index])
            step = self._in_vector(np.einsum("jkl,jl->jk", self._items, by_item))
        vector = self._valid(centre.vector + self.family.limited(step), centre.vector)
        return self._at(new, vector), new

    def _at(self, correct: Answers, vector: Floats) -> _Point:
        expected = self._expected(correct, vector)
        r = self.responses
        answered = r.answered(correct)
        theta = self.mean + self.sd * expected.theta
        fits = fits_of(answered, theta, self.family.curves(vector))
        return _Point(vector, expected.theta, self._score(expected, vector), fits)

    def _expected(self, correct: Answers, vector: Floats) -> Expected:
        """The E-step of these answers, with standardised abilities."""
        r, (x, log_weight) = self.responses, self.nodes
        answered = r.answered(correct)
        table = self.family.curves(vector).log_probabilities(self.mean + self.sd * x)
        data = by_user_coded(answered, self.first)
        return expect_answers(data, np.ascontiguousarray(table), x, log_weight)

    def _score(self, expected: Expected, vector: Floats) -> Floats:
        theta = self.mean + self.sd * self.nodes[0]
        by_item = gradient_by_item(self.family, expected.counts, theta, self.family.by_item(vector))
        return self._in_vector(by_item)

    def _in_vector(self, by_item: Floats) -> Floats:
        used = self.index >= 0
        return np.bincount(self.index[used], by_item[used], len(self.start))

    def _vector(self, curves: Curves) -> Floats:
        """The parameters in the coordinates of the family."""
        slope, cuts = curves.slope, curves.intercept
        if self.family.priors is not None:
            slope, cuts = np.log(slope), -curves.intercept / curves.slope[:, None]
        items = np.concatenate([slope[:, None], cuts, curves.c[:, None]], axis=1)
        vector, used = np.zeros(int(self.index.max()) + 1), self.index >= 0
        vector[self.index[used]] = items[used]
        return self.family.bounded(vector)

    def _valid(self, vector: Floats, otherwise: Floats) -> Floats:
        """The vector within its region; items whose thresholds would not rise keep theirs."""
        vector = self.family.bounded(vector)
        kept = self.index[~self.family.ordered(vector)]
        vector[kept[kept >= 0]] = otherwise[kept[kept >= 0]]
        return vector

    def _answers(self, source: _Point, generator: np.random.Generator) -> Answers:
        """An answer for every response, drawn from the model."""
        r, curves = self.responses, self.family.curves(source.vector)
        theta, uniform = self.mean + self.sd * source.x, generator.random(len(r))
        new = np.empty(len(r), np.int8)
        starts = np.searchsorted(r.item, np.arange(len(r.items) + 1))
        for j in range(len(r.items)):  # responses are sorted by item
            rows = slice(starts[j], starts[j + 1])
            p = np.exp(curves.chosen([j]).log_probabilities(theta[r.user[rows]]))
            new[rows] = (uniform[rows] > np.cumsum(p, axis=0)[:-1]).sum(axis=0)
        return new
