"""Graphs of the item models beside ``2pl``, for NUTS: ``1pl``, ``3pl`` and ``graded``.

All three are sums of the log-likelihood L of :mod:`tallgrass.inference.kernel.sparse`, which is
compiled code. With z = a (theta - b) and s the logistic function, a right answer of ``3pl`` has

    log(c + (1 - c) s(z)) = log s(z) - log s(z - log c)

so its log-likelihood is L of all answers, plus the number of wrong answers times log(1 - c), minus
L of the right answers alone with the intercept a b + log c. An answer k of ``graded`` has

    log(s(z_k) - s(z_k+1)) = log s(z_k) + log s(-z_k+1) + log(1 - exp(-a (b_k+1 - b_k)))

so it counts as right for its own threshold and wrong for the next one, and the last term depends on
the item alone. Thresholds b_1 < b_2 < ... of an item have independent normal priors on the region
where they rise; they are sampled as the first and the logarithms of the steps. The abilities are
N(0, 1), which fixes the scale, or, where anchors hold it, N(m, s).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, number, numbers
from tallgrass.inference.kernel.sparse import SortedResponses, response_loglik
from tallgrass.items.model import (
    POPULATION,
    PUBLIC,
    SPREAD,
    ItemModel,
    free_population,
    sorted_by_item,
    start_of_population,
)
from tallgrass.items.models import ItemModelName
from tallgrass.items.priors import Floats, ItemPriors
from tallgrass.items.responses import Responses

PUBLIC_OF: dict[str, tuple[str, ...]] = {
    "1pl": PUBLIC,
    "2pl": PUBLIC,
    "3pl": ("a", "b", "c", "theta"),
    "graded": ("a", "b", "threshold_b", "theta"),
}
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class OtherCentre:
    """Where chains start: estimates with standard deviations.

    Parameters
    ----------
    log_a, log_a_sd, c : ndarray, shape (n_items,)
        Of every item; ``c`` plays no part where the model has none.
    b, b_sd : ndarray, shape (n_thresholds,)
        Difficulties, or all thresholds item by item.
    theta, theta_sd : ndarray, shape (n_users,)
        Of every user.
    """

    log_a: Floats
    log_a_sd: Floats
    b: Floats
    b_sd: Floats
    c: Floats
    theta: Floats
    theta_sd: Floats


def threshold_names(items: tuple[str, ...], thresholds: NDArray[np.int64]) -> list[str]:
    """The names of all thresholds, item by item: ``item:1``, ``item:2``, ..."""
    counts = zip(items, thresholds, strict=True)
    return [f"{name}:{k + 1}" for name, count in counts for k in range(count)]


def build_other(
    name: ItemModelName,
    responses: Responses,
    priors: ItemPriors,
    thresholds: NDArray[np.int64],
    centre: OtherCentre,
) -> ItemModel:
    """The graph of ``1pl``, ``3pl`` or ``graded`` for these responses.

    Parameters
    ----------
    thresholds : ndarray of int64, shape (n_items,)
        Thresholds of every item; 1 where answers are 0 and 1.
    centre : OtherCentre
        Where chains start.
    """
    coords = {"item": responses.items, "user": responses.users}
    if name == "graded":
        coords["threshold"] = tuple(threshold_names(responses.items, thresholds))
    with pm.Model(coords=coords) as graph:
        theta = pm.Flat("theta", dims="user")
        if priors.free:
            abilities = free_population(theta, number(len(responses.users)))
        else:
            abilities = -pt.dot(theta, theta) / 2
        pm.Potential("abilities", abilities)
        a = _slopes(name, priors)
        if name == "graded":
            _graded(responses, priors, thresholds, theta, a)
        else:
            _right_or_wrong(name, responses, priors, theta, a)
    start = _start(name, priors, thresholds, centre)
    public = PUBLIC_OF[name]
    return ItemModel(graph, public + POPULATION if priors.free else public, start)


def _slopes(name: ItemModelName, priors: ItemPriors) -> pt.TensorVariable:
    """Discriminations by item; of 1pl one for all."""
    x = pm.Flat("log_a_unit", **({} if name == "1pl" else {"dims": "item"}))
    pm.Potential("prior_a", -pt.sum(x**2) / 2)
    return pm.Deterministic(
        "a", pt.exp(numbers(priors.log_a_mean) + numbers(priors.log_a_sd) * x), dims="item"
    )


def _right_or_wrong(
    name: ItemModelName,
    responses: Responses,
    priors: ItemPriors,
    theta: pt.TensorVariable,
    a: pt.TensorVariable,
) -> None:
    y = pm.Flat("b_unit", dims="item")
    pm.Potential("prior_b", -pt.dot(y, y) / 2)
    b = pm.Deterministic("b", numbers(priors.b_mean) + numbers(priors.b_sd) * y, dims="item")
    answers = sorted_by_item(responses)
    pm.Potential("responses", _loglik(answers, theta, a, a * b))
    if name != "3pl":
        return
    alpha, beta = (numbers(values) for values in priors.c_beta.T.copy())
    logit_c = pm.Flat("c_logit", dims="item")
    log_c, log_not_c = -pt.softplus(-logit_c), -pt.softplus(logit_c)
    pm.Deterministic("c", pt.sigmoid(logit_c), dims="item")
    # The density of a beta distribution in the logit of c.
    pm.Potential("prior_c", pt.sum(alpha * log_c + beta * log_not_c))
    n_wrong = np.bincount(
        responses.item[responses.correct == 0], minlength=len(responses.items)
    ).astype(float)
    pm.Potential("guessing", pt.dot(numbers(n_wrong), log_not_c))
    right = _right_alone(answers)
    pm.Potential("right", -_loglik(right, theta, a, a * b + log_c))


def _graded(
    responses: Responses,
    priors: ItemPriors,
    thresholds: NDArray[np.int64],
    theta: pt.TensorVariable,
    a: pt.TensorVariable,
) -> None:
    first = np.concatenate([[0], np.cumsum(thresholds)])
    of_item = np.repeat(np.arange(len(thresholds)), thresholds)
    is_first = np.zeros(int(first[-1]), bool)
    is_first[first[:-1]] = True
    raw = pm.Flat("threshold_raw", dims="threshold")
    firsts = numbers(is_first.astype(float))
    step = firsts * raw + (1 - firsts) * pt.exp(raw)
    total = pt.cumsum(step)
    # The sum within an item: what went before it is taken off.
    b = pm.Deterministic(
        "threshold_b", total - (total - step)[integers(first[:-1])][integers(of_item)],
        dims="threshold",
    )  # fmt: skip
    of_threshold = np.arange(int(first[-1])) - first[of_item]
    means = priors.b_means(int(thresholds.max()))[of_item, of_threshold]
    unit = (b - numbers(means)) / numbers(priors.b_sd[of_item])
    pm.Potential("prior_b", -pt.dot(unit, unit) / 2 + pt.sum((1 - firsts) * raw))
    counts = numbers(thresholds.astype(float))
    ends = integers(first[1:] - 1)
    running = pt.cumsum(b)
    of_items = running[ends] - running[integers(first[:-1])] + b[integers(first[:-1])]
    pm.Deterministic("b", of_items / counts, dims="item")
    slope = a[integers(of_item)]
    pm.Potential("responses", _loglik(_as_thresholds(responses, first), theta, slope, slope * b))
    inner = np.flatnonzero(~is_first)
    # An item has one answer more than thresholds; between its thresholds k - 1 and k is answer k.
    answers = np.bincount(
        responses.item + first[responses.item] + responses.correct,
        minlength=int(first[-1]) + len(thresholds),
    )
    code = inner + of_item[inner]
    gap = slope[integers(inner)] * step[integers(inner)]
    pm.Potential("between", pt.dot(numbers(answers[code].astype(float)), pt.log(-pt.expm1(-gap))))


def _loglik(
    answers: SortedResponses, theta: pt.TensorVariable, a: pt.TensorVariable, c: pt.TensorVariable
) -> pt.TensorVariable:
    user = pytensor.shared(answers.user, borrow=True)
    return response_loglik(user, integers(answers.bounds), theta, a, c)


def _right_alone(answers: SortedResponses) -> SortedResponses:
    """The right answers; every item has no wrong ones."""
    starts, ends = answers.bounds[0:-1:2], answers.bounds[1::2]
    chosen = np.concatenate([np.arange(s, e) for s, e in zip(starts, ends, strict=True)])
    lengths = np.zeros(2 * len(starts), np.int64)
    lengths[0::2] = ends - starts
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    order = answers.order[chosen]
    return SortedResponses(np.ascontiguousarray(answers.user[chosen]), bounds, order)


def _as_thresholds(responses: Responses, first: NDArray[np.int64]) -> SortedResponses:
    """Graded answers as right or wrong answers to thresholds."""
    score = responses.correct.astype(np.int64)
    n = np.diff(first)[responses.item]
    rows = np.arange(len(score))
    reached, missed = rows[score > 0], rows[score < n]
    threshold = np.concatenate(
        [first[responses.item[reached]] + score[reached] - 1,
         first[responses.item[missed]] + score[missed]]
    )  # fmt: skip
    run = 2 * threshold
    run[len(reached) :] += 1
    row = np.concatenate([reached, missed])
    order = np.argsort(run, kind="stable")
    counts = np.bincount(run, minlength=2 * int(first[-1]))
    user = np.ascontiguousarray(responses.user[row[order]])
    return SortedResponses(user, np.concatenate([[0], np.cumsum(counts)]), row[order])


def _start(
    name: ItemModelName, priors: ItemPriors, thresholds: NDArray[np.int64], centre: OtherCentre
) -> Callable[[np.random.Generator], dict[str, Floats]]:
    def start(generator: np.random.Generator) -> dict[str, Floats]:
        """A point near the posterior mode; such points spread wider than the posterior."""

        def around(mean: Floats, sd: Floats) -> Floats:
            return np.asarray(mean + SPREAD * sd * generator.normal(size=np.shape(mean)))

        log_a = around(centre.log_a, centre.log_a_sd)
        unit = (log_a - priors.log_a_mean) / priors.log_a_sd
        point = {"theta": around(centre.theta, centre.theta_sd), "log_a_unit": unit}
        if name == "1pl":
            point["log_a_unit"] = np.asarray(unit[0])
        b = around(centre.b, centre.b_sd)
        if name == "graded":
            point["threshold_raw"] = _raw_thresholds(b, thresholds)
        else:
            point["b_unit"] = (b - priors.b_mean) / priors.b_sd
        if name == "3pl":
            logit = np.log(centre.c) - np.log1p(-centre.c)
            point["c_logit"] = around(logit, np.full(len(logit), 0.3))
        if priors.free:
            point |= start_of_population(point["theta"])
        return point

    return start


def _raw_thresholds(b: Floats, thresholds: NDArray[np.int64]) -> Floats:
    """First threshold of every item, then the logarithms of the steps."""
    raw, low = b.copy(), 0
    for count in thresholds:
        rising = np.sort(b[low : low + count])
        raw[low] = rising[0]
        raw[low + 1 : low + count] = np.log(np.maximum(np.diff(rising), _LEAST_SPREAD))
        low += count
    return raw
