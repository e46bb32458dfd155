"""What infit and outfit are where the model holds: reference distributions from replications.

Estimated abilities lie near the answers that they come from, so the mean squares of an item or user
that fits lie below 1, by more the fewer responses a user has, and the usual deviates (Wright and
Masters, 1982) accuse what fits. Here answers are drawn again from the fitted model, items and
abilities are estimated again from them, and the statistic T of the answers that were given is
placed among those of the repeats:

    y' ~ p(y' | theta, a, b),  (a', b') from y',  theta' = E(theta | y', a', b'),  T' = T(y')

With draws from the posterior, (theta, a, b) are draws: a posterior predictive check (Gelman, Meng
and Stern, 1996). With point estimates theta is drawn from the posterior of each ability: a
parametric bootstrap, in which item parameters with priors are drawn as normal too.

The estimates have followed the answers already, so T varies about the mean of its repeats less than
they do, and such p-values crowd about a half (Bayarri and Berger, 2000). So the same is done with
answers that are known to fit (the double bootstrap; Davison and Hinkley, 1997, 3.9): a few repeats
are each placed among repeats of their own, and mean and standard deviation of these deviates, one
pair for all items and one for all users, correct those of the answers that were given.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.engines.information import observed_information
from tallgrass.items.engines.quadrature import ByUser, abilities, expect, grid, nodes_for
from tallgrass.items.fit import Fit, item_fit, person_fit, probability
from tallgrass.items.placement import Correction, Placed, cube_root, place
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]
Answers = NDArray[np.int8]
Rows = NDArray[np.bool_]

REPEATS = 50
SETS, REPEATS_OF_SET = 8, 15  # answers that fit, and the repeats of each
_MOST_OF_SET = 50_000  # responses of a set: more users tell nothing more
_FEWEST_NODES, _MOST_NODES = 41, 241
_SEED = 1
_NO_STEP = 1e-12  # variance of an item whose information is not positive definite


@dataclass(frozen=True, eq=False)
class Estimates:
    """Point estimates on any scale.

    Parameters
    ----------
    a, b : ndarray, shape (n_items,)
        Discrimination and difficulty.
    theta, theta_sd : ndarray, shape (n_users,)
        Abilities.
    mean, sd : float
        Of the population.
    precision : ndarray, shape (n_items, 2)
        Of the priors of log a and b; 0 without priors.
    """

    a: Floats
    b: Floats
    theta: Floats
    theta_sd: Floats
    mean: float
    sd: float
    precision: Floats


class HasFits(Protocol):
    """Estimates, of which it matters here how answers fit them."""

    @property
    def fits(self) -> tuple[Fit, Fit]:
        """Of items and of users."""


@dataclass(frozen=True, eq=False)
class _Point:
    """Slopes and intercepts on standardised abilities, and theirs: what answers come from."""

    slope: Floats
    intercept: Floats
    x: Floats
    fits: tuple[Fit, Fit]


def placed_fit(
    responses: Responses, estimates: Estimates, draws: dict[str, Floats] | None = None
) -> tuple[Placed, Placed]:
    """Fit of items and of users, placed among repeats.

    Parameters
    ----------
    draws : dict of str to ndarray, optional
        Draws of ``a``, ``b``, shape (n_draws, n_items), and ``theta``, shape (n_draws, n_users),
        row by row from the same point; without ``theta``, abilities are drawn as normal.

    Examples
    --------
    >>> items, users = placed_fit(responses, estimates)  # doctest: +SKIP
    >>> np.abs(items.infit_z).max()  # doctest: +SKIP
    2.4
    """

    def replication(of: Responses, kept: Rows) -> _Replication:
        part = replace(estimates, theta=estimates.theta[kept], theta_sd=estimates.theta_sd[kept])
        return _Replication(of, part, draws)

    return placed_among(responses, replication)


class Replication[Point: HasFits](Protocol):
    """Answers of some users that are drawn again, and estimates from them."""

    def given(self) -> Point:
        """The estimates, and the fit of the answers that were given."""

    def spread(self, point: Point, generator: np.random.Generator) -> Point:
        """Abilities and items drawn about these estimates."""

    def drawn(self, point: Point, place: float) -> Point:
        """A draw from the posterior, at this place (0 to 1) among all, where there are draws."""

    def repeated(
        self, source: Point, centre: Point, answers: Answers, generator: np.random.Generator
    ) -> tuple[Point, Answers]:
        """Answers drawn from ``source``, and what is estimated from them near ``centre``."""


def placed_among[Point: HasFits](
    responses: Responses, make: "Callable[[Responses, Rows], Replication[Point]]"
) -> tuple[Placed, Placed]:
    """Fit of items and of users, placed among repeats.

    Parameters
    ----------
    make : callable
        Gives the replication of responses of some of the users, and of a mask of these.
    """
    generator = np.random.default_rng(_SEED)
    corrections = _corrections(responses, make, generator)
    replication = make(responses, np.ones(len(responses.users), bool))
    given = replication.given()
    repeats = []
    for k in range(REPEATS):
        source = replication.drawn(replication.spread(given, generator), k / (REPEATS - 1))
        repeats.append(replication.repeated(source, given, responses.correct, generator)[0].fits)
    items, users = (
        place(given.fits[k], [fits[k] for fits in repeats], corrections[k]) for k in range(2)
    )
    return items, users


def _corrections[Point: HasFits](
    responses: Responses,
    make: "Callable[[Responses, Rows], Replication[Point]]",
    generator: np.random.Generator,
) -> list[dict[str, "Correction"]]:
    """Of items and of users, by statistic, from answers that fit."""
    some = _some_users(len(responses.users), len(responses), generator)
    chosen = some[responses.user] >= 0
    part = Responses(
        tuple(name for name, row in zip(responses.users, some, strict=True) if row >= 0),
        responses.items,
        some[responses.user[chosen]].astype(np.int32),
        responses.item[chosen],
        responses.correct[chosen],
        responses.graded,
    )
    replication = make(part, some >= 0)
    centre = replication.given()
    sets = []
    for _ in range(SETS):
        source = replication.spread(centre, generator)
        given, answers = replication.repeated(source, centre, part.correct, generator)
        repeats = []
        for _ in range(REPEATS_OF_SET):
            source = replication.spread(given, generator)
            repeats.append(replication.repeated(source, given, answers, generator)[0].fits)
        sets.append((given.fits, repeats))
    return [
        {
            name: Correction.of(
                [cube_root(given[k], name) for given, _ in sets],
                [np.array([cube_root(f[k], name) for f in repeats]) for _, repeats in sets],
            )
            for name in ("infit", "outfit")
        }
        for k in range(2)
    ]


def _some_users(
    n_users: int, n_responses: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """New index of every user, -1 for one that is left out."""
    n = max(1, min(n_users, int(n_users * _MOST_OF_SET / max(n_responses, 1))))
    index = np.full(n_users, -1)
    index[np.sort(generator.choice(n_users, n, replace=False))] = np.arange(n)
    return index


class _Replication:
    """Estimates from other answers of the same users to the same items."""

    def __init__(
        self, responses: Responses, estimates: Estimates, draws: dict[str, Floats] | None = None
    ) -> None:
        self.responses, self.mean, self.sd = responses, estimates.mean, estimates.sd
        self.draws = draws
        self.order = np.argsort(responses.user, kind="stable")
        counts = np.bincount(responses.user, minlength=len(responses.users))
        self.bounds = np.concatenate([[0], np.cumsum(counts)])
        self.x_sd = estimates.theta_sd / estimates.sd
        nodes = min(max(nodes_for(float(self.x_sd.min())), _FEWEST_NODES), _MOST_NODES)
        self.nodes = grid(nodes)
        # Of standardised abilities.
        self.slope = estimates.a * estimates.sd
        self.intercept = estimates.a * (estimates.mean - estimates.b)
        data = self._data(responses.correct)
        blocks, _ = observed_information(data, self.slope, self.intercept, *self.nodes, 0.0)
        # Rows: log a and b; columns: slope and intercept.
        turn = np.zeros_like(blocks)
        turn[:, 0, 0] = 1.0 / self.slope
        turn[:, 1, 0] = estimates.sd * self.intercept / self.slope**2
        turn[:, 1, 1] = -estimates.sd / self.slope
        information = blocks + np.einsum("jki,jk,jkl->jil", turn, estimates.precision, turn)
        definite = (np.linalg.det(information) > 0) & (information[:, 0, 0] > 0)
        information = np.where(definite[:, None, None], information, np.eye(2) / _NO_STEP)
        self._covariance = np.linalg.inv(information)
        # Under priors the parameters are uncertain; without, they are those of the bootstrap.
        known = estimates.precision.any(axis=1) & definite
        root = np.linalg.cholesky(self._covariance)
        self._spread = np.where(known[:, None, None], root, 0.0)

    def given(self) -> _Point:
        """At the estimates."""
        return self.at(self.responses.correct, self.slope, self.intercept)

    def spread(self, point: _Point, generator: np.random.Generator) -> _Point:
        """Abilities, and item parameters under priors, drawn about estimates as normal."""
        x = point.x + self.x_sd * generator.standard_normal(len(point.x))
        unit = generator.standard_normal((len(point.slope), 2))
        slope, intercept = np.einsum("jkl,jl->kj", self._spread, unit)
        return replace(point, x=x, slope=point.slope + slope, intercept=point.intercept + intercept)

    def drawn(self, point: _Point, place: float) -> _Point:
        """A draw from the posterior, at this place (0 to 1) among all draws, if there are some."""
        if (draws := self.draws) is None:
            return point
        row = round(place * (len(draws["a"]) - 1))
        a, b = draws["a"][row], draws["b"][row]
        x = point.x
        if "theta" in draws:
            x = (np.asarray(draws["theta"][row], np.float64) - self.mean) / self.sd
        return replace(point, slope=a * self.sd, intercept=a * (self.mean - b), x=x)

    def repeated(
        self, source: _Point, centre: _Point, answers: Answers, generator: np.random.Generator
    ) -> tuple[_Point, Answers]:
        """Answers drawn from ``source``, and what is estimated from them.

        Items take one Newton step from ``centre``, the estimates from ``answers``, where the
        priors' gradient is minus that of ``answers``.
        """
        r = self.responses
        p = _chance(source.x[r.user], source.slope[r.item], source.intercept[r.item])
        new = (generator.random(len(p)) < p).astype(np.int8)
        pull = self._score(new, centre) - self._score(answers, centre)
        moved = np.einsum("jkl,jl->jk", self._covariance, pull)
        return self.at(new, centre.slope + moved[:, 0], centre.intercept + moved[:, 1]), new

    def at(self, correct: Answers, slope: Floats, intercept: Floats) -> _Point:
        """Abilities from these answers, and the fit of items and users."""
        r = self.responses
        x = abilities(self._data(correct), slope, intercept, *self.nodes)
        answered = r.answered(correct)
        of = answered, x, slope, -intercept / slope
        return _Point(slope, intercept, x, (item_fit(*of), person_fit(*of)))

    def _data(self, correct: Answers) -> ByUser:
        code = (2 * self.responses.item[self.order] + correct[self.order]).astype(np.int32)
        return ByUser(code, self.bounds, len(self.responses.items))

    def _score(self, correct: Answers, at: _Point) -> Floats:
        """Gradient of the marginal log-likelihood in slope and intercept, shape (n_items, 2)."""
        x, log_weight = self.nodes
        counts = expect(self._data(correct), at.slope, at.intercept, x, log_weight).counts
        p = _chance(x, at.slope[:, None], at.intercept[:, None])
        residual = counts[1::2] - (counts[0::2] + counts[1::2]) * p
        return np.stack([residual @ x, residual.sum(axis=1)], axis=1)


def _chance(x: Floats, slope: Floats, intercept: Floats) -> Floats:
    return probability(x + intercept / slope, slope, np.zeros(1))
