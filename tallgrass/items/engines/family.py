"""The parameters of an item model as the maximisations hold them, and its priors.

The global vector holds every parameter that is estimated. By item there are 2 + most of them:
slope, intercepts, and c; ``index`` says where each is in the vector, and -1 that the
item, or the model, has none. Items of ``1pl`` share their slope.

With priors the coordinates are those that the priors are of: log a, the difficulties b_k, and c,
and the mode is that of their density, as it is for ``2pl``.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.items.curves import Curves
from tallgrass.items.models import ItemModelName
from tallgrass.items.priors import ItemPriors
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

LEAST_C = 2e-5  # a lower asymptote at this is at its bound, 0
_MOST_C = 0.95
_MOST_SLOPE, _MOST_INTERCEPT = 30.0, 60.0
_START_C = 0.15
_NEAR = 1e-6
_FAR_C = 0.2  # a step in c; in other parameters it is 1


@dataclass(frozen=True, eq=False)
class Family:
    """An item model of some items, its coordinates and priors.

    Parameters
    ----------
    name : str
        ``1pl``, ``2pl``, ``3pl`` or ``graded``.
    thresholds : ndarray of int64, shape (n_items,)
        Thresholds of every item; 1 where answers are 0 and 1.
    priors : ItemPriors or None
        None for maximum likelihood: then the coordinates are slopes and intercepts.
    rows : ndarray of int64, shape (n_fixed,)
        Items that keep the parameters of ``known``, by maximum likelihood.
    known : Curves or None
        Their curves.
    """

    name: ItemModelName
    thresholds: NDArray[np.int64]
    priors: ItemPriors | None
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    known: Curves | None = None

    @property
    def most(self) -> int:
        """The largest number of thresholds."""
        return int(self.thresholds.max())

    @property
    def index(self) -> NDArray[np.int64]:
        """Place of slope, intercepts and c in the vector, shape (n_items, 2 + most)."""
        n, most = len(self.thresholds), self.most
        index = np.full((n, most + 2), -1, np.int64)
        used = np.zeros(index.shape, bool)
        used[:, 1:-1] = np.arange(most) < self.thresholds[:, None]
        used[:, -1] = self.name == "3pl"
        used[:, 0] = self.name != "1pl"
        shared = int(self.name == "1pl")
        index[used] = shared + np.arange(int(used.sum()))
        if shared:
            index[:, 0] = 0
        return index

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which entries of the vector keep their values."""
        index = self.index
        fixed = np.zeros(int(index.max()) + 1, bool)
        own = index[self.rows]
        fixed[own[own >= 0]] = True
        return fixed

    def by_item(self, parameters: Floats) -> Floats:
        """The vector by item, shape (n_items, 2 + most); NaN where there is none."""
        index = self.index
        return np.where(index < 0, np.nan, parameters[index])

    def curves(self, parameters: Floats) -> Curves:
        """The response curves."""
        return self.curves_of_items(self.by_item(parameters))

    def curves_of_items(self, items: Floats) -> Curves:
        """The response curves of parameters by item."""
        slope, intercept = items[:, 0], items[:, 1:-1]
        if self.priors is not None:
            slope = np.exp(slope)
            intercept = -slope[:, None] * intercept
        c = items[:, -1] if self.name == "3pl" else np.zeros(len(items))
        return Curves(slope, intercept, c)

    def jacobian(self, items: Floats) -> Floats:
        """Derivatives of slope, intercepts and c for the coordinates, by item.

        Shape (n_items, 2 + most, 2 + most), rows are what is derived.
        """
        n, width = items.shape
        result = np.broadcast_to(np.eye(width), (n, width, width)).copy()
        if self.priors is None:
            return result
        a, b = np.exp(items[:, 0]), np.nan_to_num(items[:, 1:-1])
        result[:, 0, 0] = a
        result[:, 1:-1, 0] = -a[:, None] * b
        places = np.arange(1, width - 1)
        result[:, places, places] = -a[:, None]
        return result

    def log_prior(self, parameters: Floats) -> float:
        """Log-density of (log a, b, c), up to a constant."""
        return float(self.log_priors(parameters).sum())

    def log_priors(self, parameters: Floats) -> Floats:
        """By item, shape (n_items,); a slope that items share counts with the first."""
        items = self.by_item(parameters)
        if self.priors is None:
            return np.zeros(len(items))
        priors = self.priors
        of_a = -0.5 * ((items[:, 0] - priors.log_a_mean) / priors.log_a_sd) ** 2
        if self.name == "1pl":
            of_a[1:] = 0.0
        of_b = (items[:, 1:-1] - priors.b_means(self.most)) / priors.b_sd[:, None]
        values = of_a - 0.5 * np.nansum(of_b**2, axis=1)
        if self.name == "3pl":
            c, (alpha, beta) = items[:, -1], priors.c_beta.T
            values += (alpha - 1) * np.log(c) + (beta - 1) * np.log1p(-c)
        return np.asarray(values)

    def prior_slope(self, parameters: Floats) -> tuple[Floats, Floats]:
        """First derivative of the log-prior and minus its second, of every entry of the vector."""
        first, second = np.zeros(len(parameters)), np.zeros(len(parameters))
        if self.priors is None:
            return first, second
        priors, items, index = self.priors, self.by_item(parameters), self.index
        rows = slice(0, 1 if self.name == "1pl" else len(items))
        place = index[rows, 0]
        first[place] = (priors.log_a_mean[rows] - items[rows, 0]) / priors.log_a_sd[rows] ** 2
        second[place] = priors.log_a_sd[rows] ** -2
        used = index[:, 1:-1] >= 0
        place = index[:, 1:-1][used]
        precision = np.broadcast_to(priors.b_sd[:, None] ** -2, used.shape)[used]
        mean = priors.b_means(self.most)[used]
        first[place], second[place] = (mean - items[:, 1:-1][used]) * precision, precision
        if self.name == "3pl":
            c, (alpha, beta) = items[:, -1], priors.c_beta.T
            first[index[:, -1]] = (alpha - 1) / c - (beta - 1) / (1 - c)
            second[index[:, -1]] = (alpha - 1) / c**2 + (beta - 1) / (1 - c) ** 2
        return first, second

    def start(self, responses: Responses) -> Floats:
        """Where the climb begins: shares of answers, slopes of 1, a little guessing."""
        scores = responses.correct.astype(np.int64)
        n = np.bincount(responses.item, minlength=len(self.thresholds))
        items = np.zeros((len(self.thresholds), self.most + 2))
        items[:, 0] = 0.0 if self.priors is not None else 1.0
        if self.priors is not None:
            items[:, 0] = self.priors.log_a_mean
        for k in range(self.most):
            above = np.bincount(responses.item[scores > k], minlength=len(n))
            odds = np.log((above + 0.5) / (n - above + 0.5))
            items[:, 1 + k] = np.clip(1.1 * odds, -6, 6) * (1.0 if self.priors is None else -1.0)
        items[:, -1] = _START_C if self.priors is None else self.priors.c_mean
        if self.known is not None:
            items[self.rows, 0] = self.known.slope
            items[self.rows, 1 : 1 + self.known.intercept.shape[1]] = self.known.intercept
            items[self.rows, -1] = self.known.c
            if self.name == "1pl":
                items[:, 0] = self.known.slope.mean()
        index = self.index
        vector = np.zeros(int(index.max()) + 1)
        vector[index[index >= 0]] = items[index >= 0]
        return self.bounded(vector)

    def bounded(self, parameters: Floats) -> Floats:
        """The vector within bounds beyond which the likelihood is flat."""
        index, result = self.index, parameters.copy()
        slope = index[:, 0]
        steep = np.log(_MOST_SLOPE) if self.priors is not None else _MOST_SLOPE
        result[slope] = np.clip(result[slope], -steep, steep)
        cuts = index[:, 1:-1][index[:, 1:-1] >= 0]
        result[cuts] = np.clip(result[cuts], -_MOST_INTERCEPT, _MOST_INTERCEPT)
        if self.name == "3pl":
            c = index[:, -1]
            result[c] = np.clip(result[c], LEAST_C, _MOST_C)
        return result

    def held(self, parameters: Floats, gradient: Floats) -> NDArray[np.bool_]:
        """Which entries stay: those of known items, and at a bound that they would cross."""
        outward = parameters + np.sign(gradient) * _NEAR
        crossed = (self.bounded(outward) - outward) * np.sign(gradient) < -_NEAR / 2
        return np.asarray(crossed | self.fixed)

    def ordered(self, parameters: Floats) -> NDArray[np.bool_]:
        """Whether the thresholds of an item rise, shape (n_items,)."""
        steps = np.diff(self.by_item(parameters)[:, 1:-1], axis=1)
        steps = steps if self.priors is not None else -steps
        return np.asarray(~(steps <= 0).any(axis=1))

    def limited(self, step: Floats) -> Floats:
        """The step, shortened by item where an entry would move too far at once."""
        by_item = np.abs(np.nan_to_num(self.by_item(step)))
        by_item[:, -1] /= _FAR_C
        shares = 1.0 / np.maximum(by_item.max(axis=1), 1.0)
        return self.scaled(step, shares)

    def scaled(self, step: Floats, shares: Floats) -> Floats:
        """The step times the share of its item; of 1pl, times the least share."""
        if self.name == "1pl":
            return np.asarray(step * shares.min())
        index = self.index
        result, used = step.copy(), index >= 0
        result[index[used]] *= np.broadcast_to(shares[:, None], index.shape)[used]
        return result


def family_of(
    name: ItemModelName,
    responses: Responses,
    priors: ItemPriors | None,
    fixed: Anchors | None = None,
) -> Family:
    """The item model of these responses; items of ``fixed`` keep their parameters.

    Raises
    ------
    DataError
        When an item of ``graded`` has an answer between others that nobody gave, or one answer.
    """
    family = Family(name, _thresholds(name, responses), priors)
    if fixed is None:
        return family
    return replace(family, rows=rows_of(responses, fixed), known=fixed.curves)


def rows_of(responses: Responses, anchors: Anchors | None) -> NDArray[np.int64]:
    """Indices of the anchors among the items, in the anchors' order."""
    position = {name: j for j, name in enumerate(responses.items)}
    names = () if anchors is None else anchors.items
    return np.array([position[name] for name in names], np.int64)


def _thresholds(name: ItemModelName, responses: Responses) -> NDArray[np.int64]:
    n_items = len(responses.items)
    if name != "graded":
        return np.ones(n_items, np.int64)
    most = int(responses.correct.max()) + 1
    key = responses.item.astype(np.int64) * most + responses.correct
    given = np.bincount(key, minlength=n_items * most).reshape(n_items, most) > 0
    thresholds = given.shape[1] - 1 - np.argmax(given[:, ::-1], axis=1)
    for j, highest in enumerate(thresholds):
        if highest == 0:
            raise DataError(
                f"item {responses.items[j]}: all answers are the same", 0, "leave it out (ignore)"
            )
        absent = np.flatnonzero(~given[j, : highest + 1])
        if len(absent):
            raise DataError(
                f"item {responses.items[j]}: nobody gave an answer between others",
                int(absent[0]),
                "join it with a neighbouring answer, so that the answers of an item are 0, 1, 2, "
                "... without a gap",
            )
    return np.asarray(thresholds, np.int64)
