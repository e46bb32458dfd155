"""Probability of a right answer, and abilities of new persons, from draws of a calibration.

This file is copied into the MLflow model of a run, and works there without Tallgrass: it imports
NumPy and pandas only.

With P(answer at least k) = c + (1 - c) / (1 + exp(-a (theta - b_k))), answers y, log-likelihood L
with derivative S, and information I, a person's ability is estimated as

    eap    mean of the posterior under the population's normal prior (Bock and Mislevy, 1982)
    map    maximum of that posterior; standard error 1 / sqrt(I + 1 / sd^2)
    wle    root of S + J / (2 I), J = sum p' p'' / p over answers; standard error 1 / sqrt(I)

(Warm, 1989; Penfield and Bergeron, 2005, for graded answers). ``wle`` has no prior and is finite
where all answers are right or wrong. All three are sought within six standard deviations of the
population about its mean.
"""

import numpy as np
import pandas as pd

Array = np.ndarray

_GRID = np.linspace(-6, 6, 121)  # abilities, in standard deviations of the population
_LEAST = 1e-300
_STEPS, _NEAR = 40, 1e-7  # of a root that is bracketed
METHODS = ("eap", "map", "wle")
ERRORS = {"eap": "eap_sd", "map": "map_se", "wle": "wle_se"}


class Items:
    """Items of known parameters, and the population that persons are from.

    Parameters
    ----------
    a : ndarray, shape (n_items,)
        Discriminations.
    b : ndarray, shape (n_items, most)
        Difficulties, or thresholds in rising order; NaN beyond those of an item.
    c : ndarray, shape (n_items,)
        Lower asymptotes.
    mean, sd : float
        Of the population.
    """

    def __init__(
        self, a: np.ndarray, b: np.ndarray, c: np.ndarray, mean: float = 0.0, sd: float = 1.0
    ) -> None:
        self.a, self.b, self.c, self.mean, self.sd = a, b, c, mean, sd
        self.highest = np.isfinite(b).sum(axis=1)

    def score(self, answers: np.ndarray, methods: tuple[str, ...] = METHODS) -> dict[str, Array]:
        """Abilities of persons with standard errors.

        Parameters
        ----------
        answers : ndarray of int, shape (n_persons, n_items)
            Answers from 0; -1 where there is none.
        methods : tuple of str
            Which of eap, map and wle.

        Returns
        -------
        dict of str to ndarray, shape (n_persons,)
            ``n`` answers, and by method its estimate and standard error; NaN without an answer
            for wle.
        """
        theta = self.mean + self.sd * _GRID
        answered = (answers >= 0).astype(float)
        curves = [self._curves(j, theta) for j in range(len(self.a))]
        log_lik = np.zeros((len(answers), len(theta)))
        for k in range(int(self.highest.max()) + 1):
            table = [np.log(p[k]) if k < len(p) else np.zeros(len(theta)) for p, _, _ in curves]
            log_lik += (answers == k).astype(float) @ np.array(table)
        weighted = information = None
        if "wle" in methods:
            weighted = answered @ np.array([(f * s / p).sum(axis=0) for p, f, s in curves])
            information = answered @ np.array([(f**2 / p).sum(axis=0) for p, f, _ in curves])
        log_prior = -0.5 * _GRID**2
        result: dict[str, Array] = {"n": (answers >= 0).sum(axis=1)}
        if "eap" in methods:
            weight = _normalised(log_lik + log_prior)
            mean = weight @ theta
            result["eap"] = mean
            result["eap_sd"] = np.sqrt(np.maximum(weight @ theta**2 - mean**2, 0.0))
        if "map" in methods:
            at = np.argmax(log_lik + log_prior, axis=1)
            found, info = self._root(answers, theta, at, prior=True)
            result["map"], result["map_se"] = found, 1 / np.sqrt(info + self.sd**-2)
        if weighted is not None and information is not None:
            slope = weighted / (2 * np.maximum(information, _LEAST))
            step = theta[1] - theta[0]
            area = np.cumsum((slope[:, 1:] + slope[:, :-1]) * (step / 2), axis=1)
            log_lik[:, 1:] += area
            at = np.argmax(log_lik, axis=1)
            found, info = self._root(answers, theta, at, prior=False)
            known = result["n"] > 0
            result["wle"] = np.where(known, found, np.nan)
            with np.errstate(divide="ignore"):
                result["wle_se"] = np.where(known, 1 / np.sqrt(info), np.nan)
        return result

    def _root(
        self, answers: np.ndarray, theta: np.ndarray, at: np.ndarray, prior: bool
    ) -> tuple[Array, Array]:
        """The root between the neighbours of the best node, by Newton's method with bisection."""
        last = len(theta) - 1
        low, high = theta[np.maximum(at - 1, 0)], theta[np.minimum(at + 1, last)]
        x = theta[at].copy()
        open_ = np.arange(len(x))
        information = np.zeros(len(x))
        for _ in range(_STEPS):
            slope, info, j = self._sums(answers[open_], x[open_])
            information[open_] = info
            if prior:
                value = slope - (x[open_] - self.mean) / self.sd**2
                curvature = info + self.sd**-2
            else:
                curvature = np.maximum(info, _LEAST)
                value = slope + j / (2 * curvature)
            rising = value > 0
            low[open_] = np.where(rising, x[open_], low[open_])
            high[open_] = np.where(rising, high[open_], x[open_])
            new = x[open_] + value / curvature
            outside = (new <= low[open_]) | (new >= high[open_])
            new = np.where(outside, (low[open_] + high[open_]) / 2, new)
            moved = np.abs(new - x[open_]) > _NEAR
            x[open_] = new
            open_ = open_[moved]
            if not len(open_):
                break
        return x, information

    def _sums(self, answers: np.ndarray, x: np.ndarray) -> tuple[Array, Array, Array]:
        """S, I and J of every person at an ability of their own."""
        if (self.highest == 1).all():
            return self._sums_of_two(answers, x)
        slope, information, j_sum = np.zeros(len(x)), np.zeros(len(x)), np.zeros(len(x))
        for j in range(len(self.a)):
            rows = np.flatnonzero(answers[:, j] >= 0)
            if not len(rows):
                continue
            p, first, second = self._curves(j, x[rows])
            places = np.arange(len(rows))
            given = answers[rows, j]
            slope[rows] += first[given, places] / p[given, places]
            information[rows] += (first**2 / p).sum(axis=0)
            j_sum[rows] += (first * second / p).sum(axis=0)
        return slope, information, j_sum

    def _sums_of_two(self, answers: np.ndarray, x: np.ndarray) -> tuple[Array, Array, Array]:
        """The same where all answers are 0 or 1: all items at once."""
        s = 1 / (1 + np.exp(-np.clip(self.a * (x[:, None] - self.b[:, 0]), -500, 500)))
        p = self.c + (1 - self.c) * s
        first = (1 - self.c) * self.a * s * (1 - s)
        ratio = np.where(answers >= 0, first / np.maximum(p * (1 - p), _LEAST), 0.0)
        information = ratio * first
        slope = (ratio * (answers - p)).sum(axis=1)
        j_sum = (information * self.a * (1 - 2 * s)).sum(axis=1)
        return slope, information.sum(axis=1), j_sum

    def _curves(self, j: int, x: np.ndarray) -> tuple[Array, Array, Array]:
        """Probabilities of the answers to an item, and two derivatives: shape (n_answers, n)."""
        a, c = self.a[j], self.c[j]
        z = a * (x - self.b[j, : self.highest[j], None])
        s = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        ends = np.ones((1, len(x))), np.zeros((1, len(x)))
        at_least = np.concatenate([ends[0], c + (1 - c) * s, ends[1]])
        first = (1 - c) * a * s * (1 - s)
        second = a * first * (1 - 2 * s)
        first, second = (np.concatenate([ends[1], d, ends[1]]) for d in (first, second))
        p = np.maximum(at_least[:-1] - at_least[1:], _LEAST)
        return p, first[:-1] - first[1:], second[:-1] - second[1:]


class Posterior:
    """Draws of the items of one calibration, thinned.

    Parameters
    ----------
    path : str
        An ``.npz`` file with ``a`` and ``b`` (draw, item), ``mean`` and ``sd`` of the population
        (draw), and the names ``item``. Of some models also ``c`` (draw, item), and ``thresholds``
        (draw, item, most) with ``lowest`` (item), the answer that counts as 0.
    """

    def __init__(self, path: str) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._a, b = (arrays[n].astype(np.float64) for n in ("a", "b"))
            self._mean, self._sd = (arrays[n].astype(np.float64) for n in ("mean", "sd"))
            names = arrays["item"]
            graded = "thresholds" in arrays
            self._b = arrays["thresholds"].astype(np.float64) if graded else b[:, :, None]
            self._c = arrays["c"].astype(np.float64) if "c" in arrays else np.zeros_like(self._a)
            self._lowest = arrays["lowest"] if graded else np.zeros(len(names), int)
        self._graded = graded
        self._columns = {str(name): j for j, name in enumerate(names)}
        self._items = Items(
            self._a.mean(axis=0), self._b.mean(axis=0), self._c.mean(axis=0),
            float(self._mean.mean()), float(self._sd.mean()),
        )  # fmt: skip

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Score persons by their answers, and predict answers that are not there.

        A person's ability has the population's normal prior; its posterior is on a grid, for each
        draw of the items. Persons need not have been in the calibration.

        Parameters
        ----------
        rows : DataFrame
            Columns ``person`` (any names), ``item`` and ``response``: 1, 0 (of graded items the
            answers as they were calibrated), or NaN where the probability of a right answer is
            asked for.

        Returns
        -------
        DataFrame
            ``probability`` of a right answer, given the person's answers to other items (of graded
            items the expected share of the points); ``theta`` and ``theta_sd``: mean and standard
            deviation of the person's ability over all draws; and at the mean of the draws ``eap``,
            ``eap_sd``, ``map``, ``map_se``, ``wle`` and ``wle_se``, as of ``tallgrass score``.

        Raises
        ------
        ValueError
            When an item is not one of the run, or a response is none of its answers.
        """
        places = _places(rows["item"], self._columns)
        given = rows["response"].to_numpy(float) - self._lowest[places]
        known = np.isfinite(given)
        highest = self._items.highest[places]
        if (
            not np.isin(given[known] % 1, (0.0,)).all()
            or ((given[known] < 0) | (given[known] > highest[known])).any()
        ):
            raise ValueError(
                "responses are answers that were calibrated, or missing"
                if self._graded
                else "responses are 1, 0 or missing"
            )
        columns = ["probability", "theta", "theta_sd"]
        result = pd.DataFrame(np.nan, index=rows.index, columns=columns, dtype=float)
        persons, names = pd.factorize(rows["person"], use_na_sentinel=False)
        answers = np.full((len(names), len(self._columns)), -1, np.int16)
        answers[persons[known], places[known]] = given[known].astype(np.int16)
        for positions in rows.groupby("person", sort=False, dropna=False).indices.values():
            result.iloc[positions] = self._of_person(places[positions], given[positions])
        scores = self._items.score(answers)
        for name in (name for method in METHODS for name in (method, ERRORS[method])):
            result[name] = scores[name][persons]
        return result

    def _of_person(self, items: np.ndarray, given: np.ndarray) -> np.ndarray:
        """One person's rows: shape (n, 3)."""
        theta = self._mean[:, None] + self._sd[:, None] * _GRID  # draw, grid
        share, log_likelihood = [], []
        for j, answer in zip(items, given, strict=True):
            at_least = self._at_least(j, theta)  # draw, threshold, grid
            share.append(at_least.mean(axis=1))
            if not np.isfinite(answer):
                log_likelihood.append(np.zeros_like(theta))
                continue
            k = int(answer)
            more = at_least[:, k - 1] if k > 0 else np.ones_like(theta)
            less = at_least[:, k] if k < at_least.shape[1] else np.zeros_like(theta)
            log_likelihood.append(np.log(np.maximum(more - less, _LEAST)))
        right, log_lik = np.stack(share, axis=1), np.stack(log_likelihood, axis=1)
        prior = -(_GRID**2) / 2
        total = log_lik.sum(axis=1) + prior
        # Without the row's own answer, which must not predict itself.
        others = _normalised(total[:, None] - log_lik)
        probability = (right * others).sum(axis=2).mean(axis=0)
        weight = _normalised(total)
        mean = (weight * theta).sum(axis=1)
        variance = (weight * theta**2).sum(axis=1) - mean**2
        sd = np.sqrt(variance.mean() + mean.var())
        rows = np.full((len(items), 3), [0.0, mean.mean(), sd])
        rows[:, 0] = probability
        return rows

    def _at_least(self, j: int, theta: np.ndarray) -> np.ndarray:
        b = self._b[:, j, : self._items.highest[j]]
        eta = self._a[:, j, None, None] * (theta[:, None, :] - b[:, :, None])
        c = self._c[:, j, None, None]
        return np.asarray(c + (1 - c) / (1 + np.exp(-np.clip(eta, -500, 500))))


def _normalised(log_weight: np.ndarray) -> np.ndarray:
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def _places(names: "pd.Series", known: dict[str, int]) -> np.ndarray:
    unknown = [name for name in dict.fromkeys(names.astype(str)) if name not in known]
    if unknown:
        raise ValueError(f"not an item of the run: {', '.join(unknown[:5])}")
    return np.array([known[name] for name in names.astype(str)], int)
