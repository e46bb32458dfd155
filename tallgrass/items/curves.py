"""Item models: the probability of every answer at every ability, with its derivatives.

With the logistic function s and the difficulties b_1 < b_2 < ... of an item,

    P(answer at least k | theta) = c + (1 - c) s(a (theta - b_k))

``1pl``: one a for all items, c = 0, answers 0 and 1 (Rasch, 1960). ``2pl``: an a by item
(Birnbaum, 1968). ``3pl``: a lower asymptote c by item too, the chance of a right answer by
guessing. ``graded`` (Samejima, 1969): c = 0 and answers 0, 1, ..., K - 1 with K - 1 difficulties,
which are called thresholds. In slopes and intercepts, a (theta - b_k) = a theta + d_k.

Logarithms of differences of two logistic functions are formed without cancellation:

    s(u) - s(v) = s(u) s(-v) (1 - exp(v - u))
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """The response curves of some items, of any of the models.

    Answers of all items are numbered in sequence, item by item: their *codes*.

    Parameters
    ----------
    slope : ndarray, shape (n_items,)
        Discriminations a.
    intercept : ndarray, shape (n_items, most)
        ``-a b_k`` of every threshold; NaN beyond the thresholds of an item.
    c : ndarray, shape (n_items,)
        Lower asymptotes, 0 where the model has none.

    Examples
    --------
    >>> import numpy as np
    >>> curves = curves_of(np.array([1.0]), np.array([[0.0]]), np.array([0.2]))
    >>> np.exp(curves.log_probabilities([0.0])).round(2).tolist()
    [[0.4], [0.6]]
    """

    slope: Floats
    intercept: Floats
    c: Floats

    def chosen(self, rows: NDArray[np.bool_] | NDArray[np.int64] | list[int]) -> "Curves":
        """Those of some items, by a mask or by their places."""
        return Curves(self.slope[rows], self.intercept[rows], self.c[rows])

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """Number of answers of every item, shape (n_items,)."""
        return np.asarray(1 + np.isfinite(self.intercept).sum(axis=1), np.int64)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """Code of the lowest answer of every item, and the number of codes: (n_items + 1,)."""
        return np.concatenate([[0], np.cumsum(self.categories)])

    @cached_property
    def item(self) -> NDArray[np.int64]:
        """Item of every code."""
        return np.repeat(np.arange(len(self.slope)), self.categories)

    @cached_property
    def score(self) -> NDArray[np.int64]:
        """Answer of every code: 0, 1, ..."""
        return np.asarray(np.arange(self.first[-1]) - self.first[self.item])

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        """Intercepts of this answer's threshold, and of the next; inf and -inf at the ends."""
        last = self.score == self.categories[self.item] - 1
        lower = self.intercept[self.item, np.maximum(self.score - 1, 0)]
        upper = self.intercept[self.item, np.where(last, 0, self.score)]
        return np.where(self.score == 0, np.inf, lower), np.where(last, -np.inf, upper)

    def log_probabilities(self, theta: ArrayLike) -> Floats:
        """Log-probability of every answer at every ability, shape (n_codes, n_points)."""
        u, v = self._logits(theta)
        with np.errstate(divide="ignore"):
            value = log_expit(u) + log_expit(-v) + self._gap[:, None]
        c = self.c[self.item][:, None]
        if c.any():
            right = (self.score == 1)[:, None]
            value = np.where(right, np.log(c + (1 - c) * expit(u)), np.log1p(-c) + log_expit(-v))
        return np.asarray(value)

    def derivatives(self, theta: ArrayLike) -> Floats:
        """Of the log-probabilities for slope, intercepts and c.

        Returns
        -------
        ndarray, shape (n_codes, 2 + most, n_points)
            In the order slope, every intercept, c; 0 where an answer does not depend on one.
        """
        x = np.asarray(theta, np.float64)
        u, v = self._logits(x)
        inverse = self._inverse_gap[:, None]
        for_u, for_v = expit(-u) + inverse, -expit(v) - inverse
        c = self.c[self.item][:, None]
        right = (self.score == 1)[:, None]
        for_c = np.zeros_like(u)
        if c.any():
            s = expit(u)
            p = c + (1 - c) * s
            for_c = np.where(right, (1 - s) / p, -1 / (1 - c))
            for_u = np.where(right, (1 - c) * s * (1 - s) / p, 0.0)
            for_v = np.where(right, 0.0, -expit(v))
        most = self.intercept.shape[1]
        result = np.zeros((len(u), 2 + most, len(x)))
        result[:, 0] = (for_u + for_v) * x
        codes = np.arange(len(u))
        has_lower = self.score > 0
        has_upper = self.score < self.categories[self.item] - 1
        result[codes[has_lower], self.score[has_lower]] += for_u[has_lower]
        result[codes[has_upper], self.score[has_upper] + 1] += for_v[has_upper]
        result[:, -1] = for_c
        return result

    def by_ability(self, theta: ArrayLike) -> Floats:
        """Derivatives of the log-probabilities for the ability, shape (n_codes, n_points)."""
        intercepts = self.derivatives(theta)[:, 1:-1].sum(axis=1)
        return np.asarray(self.slope[self.item][:, None] * intercepts)

    def moments(self, theta: ArrayLike) -> tuple[Floats, Floats]:
        """Mean and variance of the score of every item, shape (n_items, n_points) each."""
        p, score = np.exp(self.log_probabilities(theta)), self.score[:, None]
        mean = np.add.reduceat(p * score, self.first[:-1])
        square = np.add.reduceat(p * score**2, self.first[:-1])
        return mean, np.maximum(square - mean**2, 0.0)

    def information(self, theta: ArrayLike) -> Floats:
        """Fisher information of every item about an ability, shape (n_items, n_points)."""
        p, slope = np.exp(self.log_probabilities(theta)), self.by_ability(theta)
        return np.asarray(np.add.reduceat(p * slope**2, self.first[:-1]))

    def _logits(self, theta: ArrayLike) -> tuple[Floats, Floats]:
        along = self.slope[self.item][:, None] * np.asarray(theta, np.float64)
        lower, upper = self._bounds
        return along + lower[:, None], along + upper[:, None]

    @cached_property
    def _gap(self) -> Floats:
        """log(1 - exp(v - u)) of every code; 0 at the ends."""
        lower, upper = self._bounds
        return np.asarray(np.log(-np.expm1(upper - lower)))

    @cached_property
    def _inverse_gap(self) -> Floats:
        """1 / (exp(u - v) - 1) of every code; 0 at the ends."""
        lower, upper = self._bounds
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / np.expm1(lower - upper))


def curves_of(a: Floats, thresholds: Floats, c: Floats | None = None) -> Curves:
    """Curves from discriminations, thresholds (or difficulties) and lower asymptotes.

    Parameters
    ----------
    a : ndarray, shape (n_items,)
        Discriminations.
    thresholds : ndarray, shape (n_items,) or (n_items, most)
        Difficulties, or thresholds in rising order with NaN beyond those of an item.
    c : ndarray, shape (n_items,), optional
        Lower asymptotes; 0 without.
    """
    rows = thresholds if thresholds.ndim == 2 else thresholds[:, None]
    return Curves(a, -a[:, None] * rows, np.zeros(len(a)) if c is None else c)
