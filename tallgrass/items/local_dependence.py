"""Local dependence of items: pairs whose answers agree more than one ability explains (Yen's Q3).

Q3 of two items is the correlation of their residuals, answer minus expected score at the estimated
ability, over the users who answered both (Yen, 1984). It is not 0 where the model holds, because
the ability is estimated from the same answers. With w_j the slope of the expected score of item j,
and J the information of all answers of a user and of the population together, to first order

    E(r_j r_k) = -w_j w_k / J,    Var(r_j r_k) = Var(y_j) Var(y_k)

as the error of an ability is the sum of the scores of its answers over J. The excess of Q3 over
what is expected, in standard deviations, is about N(0, 1) where there is no dependence.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

from tallgrass.items.curves import Curves
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

LIMIT = 0.1  # an excess of Q3 that matters
BY_CHANCE = 0.01  # share of calibrations without dependence in which any pair is flagged
FEWEST = 50  # users who answered both items
MOST_ITEMS, MOST_USERS = 1000, 20_000
KEPT = 1000  # pairs in the table
_PART = 2000  # users at a time
_SPARSE = 0.1  # share of answers, below which tables of users and items are kept sparse
_SEED = 1
_OF_WORST = {"": "q3", "_expected": "expected", "_z": "z"}


@dataclass(frozen=True, eq=False)
class LocalDependence:
    """Pairs of items, and what was looked at.

    Parameters
    ----------
    pairs : DataFrame
        item, other, n, q3, expected, z, p and flagged, the farthest from expectation first; at
        most 1000 pairs.
    n_pairs, n_flagged : int
        Pairs that were looked at (at least 50 users answered both), and flagged among them.
    mean : float
        Of Q3 over all pairs; NaN without pairs.
    n_items, n_users : int
        Items and users that were looked at.
    left_out : str
        What was not looked at, in words; empty where all was.
    """

    pairs: pd.DataFrame
    n_pairs: int
    n_flagged: int
    mean: float
    n_items: int
    n_users: int
    left_out: str = ""

    @property
    def worst(self) -> str:
        """The two items that are farthest from expectation, or empty."""
        return "" if self.pairs.empty else "{item}, {other}".format(**self.pairs.iloc[0])

    @property
    def metrics(self) -> dict[str, float]:
        """Counts of pairs, the mean of Q3, and the pair that is farthest from expectation."""
        counts = {"q3/n_pairs": float(self.n_pairs), "q3/n_flagged": float(self.n_flagged)}
        if self.pairs.empty:
            return counts
        worst = self.pairs.iloc[0]
        of_worst = {f"q3/worst{end}": float(worst[name]) for end, name in _OF_WORST.items()}
        return counts | of_worst | {"q3/mean": self.mean}


def local_dependence(
    responses: Responses, theta: Floats, curves: Curves, population_sd: float = 1.0
) -> LocalDependence:
    """Q3 of all pairs of items.

    The work grows with the square of the number of items. Of more than 1000 items those with the
    most responses are taken, and of more than 20 000 users a random part.

    Parameters
    ----------
    theta : ndarray, shape (n_users,)
        Estimated abilities (means of the posterior).
    curves : Curves
        The items at their estimates.
    population_sd : float
        Standard deviation of the abilities.

    Examples
    --------
    >>> found = local_dependence(responses, theta, curves)  # doctest: +SKIP
    >>> found.pairs[["item", "other", "q3", "z"]].head(1)  # doctest: +SKIP
      item other        q3         z
    0   q7    q8  0.412000  9.800000
    """
    items, users = _looked_at(responses)
    sums = _sums(responses, theta, curves, population_sd, items, users)
    first, second = np.triu_indices(len(items), 1)
    n = sums.n[first, second]
    enough = n >= FEWEST
    q3, expected, z = _deviates(sums, first[enough], second[enough], n[enough])
    known = np.isfinite(z)
    first, second, n = first[enough][known], second[enough][known], n[enough][known]
    q3, expected, z = q3[known], expected[known], z[known]
    p = 2 * norm.sf(np.abs(z))
    flagged = (p * len(z) < BY_CHANCE) & (np.abs(q3 - expected) >= LIMIT)
    order = np.lexsort((-np.abs(z), ~flagged))[:KEPT]
    names = np.asarray(responses.items, object)[items]
    pairs = pd.DataFrame(
        {
            "item": names[first[order]],
            "other": names[second[order]],
            "n": n[order].astype(np.int64),
            "q3": q3[order],
            "expected": expected[order],
            "z": z[order],
            "p": p[order],
            "flagged": flagged[order],
        }
    )
    return LocalDependence(
        pairs=pairs,
        n_pairs=len(z),
        n_flagged=int(flagged.sum()),
        mean=float(q3.mean()) if len(q3) else float("nan"),
        n_items=len(items),
        n_users=len(users),
        left_out=_left_out(responses, len(items), len(users)),
    )


def _looked_at(responses: Responses) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the items and users that are looked at."""
    n_items, n_users = len(responses.items), len(responses.users)
    items, users = np.arange(n_items), np.arange(n_users)
    if n_items > MOST_ITEMS:
        counts = np.bincount(responses.item, minlength=n_items)
        items = np.sort(np.argsort(-counts, kind="stable")[:MOST_ITEMS])
    if n_users > MOST_USERS:
        generator = np.random.default_rng(_SEED)
        users = np.sort(generator.choice(n_users, MOST_USERS, replace=False))
    return items, users


def _left_out(responses: Responses, n_items: int, n_users: int) -> str:
    parts = []
    if n_items < len(responses.items):
        parts.append(f"the {len(responses.items) - n_items:,} items with the fewest responses")
    if n_users < len(responses.users):
        parts.append(f"{len(responses.users) - n_users:,} users, chosen at random")
    return " and ".join(parts)


@dataclass(frozen=True, eq=False)
class _Answers:
    """Of every answer that is looked at: its place, residual, variance, and pull on the ability."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    residual: Floats
    variance: Floats
    pull: Floats  # w_j / sqrt(J)


@dataclass(eq=False)
class _Sums:
    """Sums over users who answered both items, shape (n_items, n_items) each."""

    n: Floats
    product: Floats  # of residuals
    own: Floats  # residual of the row's item
    square: Floats
    pull: Floats
    variance: Floats  # of the product


def _sums(
    responses: Responses,
    theta: Floats,
    curves: Curves,
    population_sd: float,
    items: NDArray[np.int64],
    users: NDArray[np.int64],
) -> _Sums:
    answers = _answers(responses, theta, curves, population_sd, items, users)
    order = np.argsort(answers.row, kind="stable")
    shape = (len(users), len(items))
    columns = [
        sparse.csr_matrix((values, (answers.row[order], answers.column[order])), shape)
        for values in (
            np.ones(len(order)), answers.residual[order], answers.variance[order],
            answers.pull[order],
        )
    ]  # fmt: skip
    dense = len(order) > _SPARSE * shape[0] * shape[1]
    sums = _Sums(*np.zeros((6, len(items), len(items))))
    for low in range(0, len(users), _PART):
        given, residual, variance, pull = (
            part.toarray() if dense else part
            for part in (column[low : low + _PART] for column in columns)
        )
        square = residual**2 if dense else residual.multiply(residual)
        for total, left, right in (
            (sums.n, given, given),
            (sums.product, residual, residual),
            (sums.own, residual, given),
            (sums.square, square, given),
            (sums.pull, pull, pull),
            (sums.variance, variance, variance),
        ):
            together = left.T @ right
            np.add(total, together if dense else together.toarray(), out=total)
    return sums


def _answers(
    responses: Responses,
    theta: Floats,
    curves: Curves,
    population_sd: float,
    items: NDArray[np.int64],
    users: NDArray[np.int64],
) -> _Answers:
    row_of = np.full(len(responses.users), -1)
    row_of[users] = np.arange(len(users))
    column_of = np.full(len(responses.items), -1)
    column_of[items] = np.arange(len(items))
    # The other items play no part in a pair, but tell of the ability too.
    information = np.full(len(users), population_sd**-2.0)
    parts = []
    starts = np.searchsorted(responses.item, np.arange(len(responses.items) + 1))
    for j in range(len(responses.items)):  # responses are sorted by item
        of_item = slice(starts[j], starts[j + 1])
        row = row_of[responses.user[of_item]]
        chosen = row >= 0
        row, score = row[chosen], responses.correct[of_item][chosen]
        at = theta[users[row]]
        own = curves.chosen([j])
        mean, variance, slope, informed = _moments(own, at)
        np.add.at(information, row, informed)
        if column_of[j] >= 0:
            column = np.full(len(row), column_of[j])
            parts.append((row, column, score - mean, variance, slope))
    row, column, residual, variance, slope = (np.concatenate(p) for p in zip(*parts, strict=True))
    return _Answers(row, column, residual, variance, slope / np.sqrt(information[row]))


def _moments(curve: Curves, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Of one item's score: mean, variance, slope of the mean, and its information."""
    p, by_ability = np.exp(curve.log_probabilities(theta)), curve.by_ability(theta)
    score = curve.score[:, None]
    mean = np.asarray((p * score).sum(axis=0), np.float64)
    variance: Floats = np.maximum((p * score**2).sum(axis=0) - mean**2, 0.0)
    slope: Floats = (p * score * by_ability).sum(axis=0)
    information: Floats = (p * by_ability**2).sum(axis=0)
    return mean, variance, slope, information


def _deviates(
    sums: _Sums, first: NDArray[np.int64], second: NDArray[np.int64], n: Floats
) -> tuple[Floats, Floats, Floats]:
    """Q3, what is expected of it, and the difference in standard deviations; NaN if undefined."""
    there, back = (first, second), (second, first)
    covariance = sums.product[there] - sums.own[there] * sums.own[back] / n
    spread = np.sqrt(
        (sums.square[there] - sums.own[there] ** 2 / n)
        * (sums.square[back] - sums.own[back] ** 2 / n)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        q3, expected = covariance / spread, -sums.pull[there] / spread
        z = (covariance + sums.pull[there]) / np.sqrt(sums.variance[there])
    return q3, expected, z
