"""How far the anchors moved since they were calibrated, and how certain that is.

The prior of an anchor is tight (standard deviation 0.05), so its estimate stays near the previous
value even against the responses. Drift is therefore judged by what the responses alone say: the
maximum of the likelihood of its responses over the abilities given all *other* items
(:mod:`tallgrass.items.single_anchor`), with the uncertainty of the scale where the population is
free. The probability of drift is that of an item like any other, with the general prior in place of
the anchor's own:

    (log a, b) ~ N(P^-1 (C^-1 alone + D^-1 mu), P^-1),   P = C^-1 + D^-1

with the covariance C of the responses' estimate, and mean mu and covariance D of the priors. Of
``graded`` b is the mean of an item's thresholds; of ``1pl``, whose items share a, there is b alone.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from tallgrass.items.any_alone import responses_alone_of
from tallgrass.items.curves import Curves, curves_of
from tallgrass.items.population_summary import PopulationSummary
from tallgrass.items.priors import ANCHOR_SD, STANDARD, PriorChoice
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.single_anchor import Alone, responses_alone
from tallgrass.items.tables import Calibrated

Floats = NDArray[np.float64]

_CERTAIN = 1e-8  # variance of what is known
# Standard errors by which an estimate changes by chance. It counts where no prior holds an anchor
# (maximum likelihood, anchors that were dropped) and its responses are few.
CHANCE = 2.0
CONFLICT_Z = 3.0  # the conflict is about N(0, 1) for an anchor that did not move


def drift_table(
    calibrated: Calibrated,
    responses: Responses,
    anchors: Anchors,
    drift_a: float,
    drift_b: float,
    choice: PriorChoice = STANDARD,
) -> pd.DataFrame:
    """One row per anchor; those that moved farthest come first.

    The conflict of an anchor's responses with its previous value is the Mahalanobis distance of
    (log a, b) under the sum of both covariances, chi-squared for an anchor that did not move, given
    as the positive normal deviate of the same probability.

    Parameters
    ----------
    drift_a, drift_b : float
        An anchor drifted when its a or b moved by more than this.
    choice : PriorChoice
        The priors of items that are no anchors.

    Returns
    -------
    DataFrame
        item, n, a_before, a, a_change, b_before, b, b_change, p_a and p_b (probability that the
        change exceeds its threshold, without the anchor's own prior), a_alone and b_alone with
        their ``_sd``, conflict (NaN where undefined), drifted (the estimate moved by more than a
        threshold and by more than two standard errors), suspect (a conflict above 3).
    """
    table = calibrated.items.set_index("item")
    present = [k for k, name in enumerate(anchors.items) if name in table.index]
    names = [anchors.items[k] for k in present]
    rows = table.loc[names]
    previous = {"a": anchors.a[present], "b": anchors.b[present]}
    limits = {"a": drift_a, "b": drift_b}
    position = {name: j for j, name in enumerate(calibrated.items["item"])}
    chosen = [position[name] for name in names]
    kept = anchors.chosen(present)
    alone = _alone(calibrated, responses, chosen, kept, limits, choice)
    columns: dict[str, object] = {"item": names, "n": rows["n"].to_numpy()}
    exceeded = np.zeros(len(names), bool)
    for name in ("a", "b"):
        mean, sd = rows[name].to_numpy(float), rows[f"{name}_sd"].to_numpy(float)
        change = mean - previous[name]
        columns |= {
            f"{name}_before": previous[name],
            name: mean,
            f"{name}_sd": sd,
            f"{name}_change": change,
            f"p_{name}": alone[f"p_{name}"],
            f"{name}_alone": alone[name],
            f"{name}_alone_sd": alone[f"{name}_sd"],
        }
        if name == "b" or choice.model != "1pl":  # one a for all: it is no anchor that moved
            by_chance = CHANCE * np.nan_to_num(sd)
            exceeded |= np.abs(change) > np.maximum(limits[name], by_chance)
    if choice.model == "3pl":
        c, c_sd = rows["c"].to_numpy(float), rows["c_sd"].to_numpy(float)
        columns |= {"c_before": kept.c, "c": c, "c_sd": c_sd, "c_change": c - kept.c}
    conflicts = np.nan_to_num(alone["conflict"]) > CONFLICT_Z
    columns |= {"conflict": alone["conflict"], "drifted": exceeded, "suspect": conflicts}
    drift = pd.DataFrame(columns)
    changes = drift[["a_change", "b_change"]].abs().to_numpy(float) / (drift_a, drift_b)
    order = np.lexsort((-changes.max(axis=1), ~conflicts, ~exceeded))
    return drift.iloc[order].reset_index(drop=True)


def with_information(
    drift: pd.DataFrame,
    population: PopulationSummary,
    most_lost: float,
    curves: tuple[Curves, Curves] | None = None,
) -> pd.DataFrame:
    """The table with the information of each anchor about this cohort, before and now.

    Information is averaged over the abilities N(mean, sd). ``weaker`` are anchors that lost more
    than the share ``most_lost``. ``curves`` are those of the anchors before and now, in the order
    of the table; without, they are those of its a and b.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    theta, weights = population.mean + population.sd * nodes, weights / weights.sum()
    before, now = (
        own.information(theta) @ weights
        for own in curves or [_two_parameter_curves(drift, end) for end in ("_before", "")]
    )
    change = now / before - 1
    return drift.assign(
        information_before=before,
        information=now,
        information_change=change,
        weaker=change < -most_lost,
    )


def _two_parameter_curves(drift: pd.DataFrame, end: str) -> Curves:
    return curves_of(drift[f"a{end}"].to_numpy(float), drift[f"b{end}"].to_numpy(float))


def curves_of_drift(
    drift: pd.DataFrame, calibrated: Calibrated, anchors: Anchors
) -> tuple[Curves, Curves]:
    """The anchors' curves before and now, in the order of the table."""
    before = {name: k for k, name in enumerate(anchors.items)}
    now = {name: j for j, name in enumerate(calibrated.items["item"])}
    rows, curves = [now[name] for name in drift["item"]], calibrated.curves
    return (
        anchors.chosen([before[name] for name in drift["item"]]).curves,
        curves.chosen(rows),
    )


def drifted_anchors(drift: pd.DataFrame) -> tuple[str, ...]:
    """The anchors that drifted, or whose responses conflict with their previous values."""
    return tuple(drift.loc[drift["drifted"] | drift["suspect"], "item"])


def drift_in_words(drift: pd.DataFrame) -> str:
    """How many anchors drifted, and how many stayed near their prior despite their responses."""
    drifted = int(drift["drifted"].sum())
    against = int((drift["suspect"] & ~drift["drifted"]).sum())
    parts = [f"{drifted} drifted"] if drifted or not against else []
    if against:
        parts.append(f"{against} {'is' if against == 1 else 'are'} in conflict with the responses")
    return f"Of {len(drift)} anchors {' and '.join(parts)}"


def undrifted(anchors: Anchors, drifted: tuple[str, ...]) -> Anchors | None:
    """The anchors without those that drifted; None when none is left."""
    stable = [k for k, name in enumerate(anchors.items) if name not in set(drifted)]
    if not stable:
        return None
    return anchors.chosen(stable)


def _alone(
    calibrated: Calibrated,
    responses: Responses,
    chosen: list[int],
    anchors: Anchors,
    limits: dict[str, float],
    choice: PriorChoice,
) -> dict[str, Floats]:
    """By anchor: the estimate from its responses alone, the conflict, and p_a and p_b."""
    names = ("a", "a_sd", "b", "b_sd", "conflict", "p_a", "p_b")
    columns = {name: np.full(len(chosen), np.nan) for name in names}
    theta = calibrated.users["theta"].to_numpy(float)
    theta_sd = calibrated.users["theta_sd"].to_numpy(float)
    a, b = calibrated.items["a"].to_numpy(float), calibrated.items["b"].to_numpy(float)
    curves = calibrated.curves
    starts = np.searchsorted(responses.item, np.arange(len(responses.items) + 1))
    for k, j in enumerate(chosen):
        if a[j] <= 0:  # maximum likelihood may find this; nothing on log a can be said
            continue
        rows = slice(starts[j], starts[j + 1])  # responses are sorted by item
        users = responses.user[rows]
        abilities = theta[users], theta_sd[users]
        prior = (float(np.log(anchors.a[k])), float(anchors.b[k]))
        if choice.model == "2pl":
            fitted = (float(np.log(a[j])), float(b[j]))
            alone = responses_alone(responses.correct[rows], *abilities, fitted, prior)
        else:
            own = curves.chosen([j])
            before = float(anchors.c[k]) if anchors.c.size else 0.0
            alone = responses_alone_of(
                choice.model, responses.correct[rows], abilities, own, before
            )
        covariance = alone.covariance + _of_scale(calibrated.population, float(b[j]))
        columns["b"][k], columns["b_sd"][k] = alone.mean[1], np.sqrt(covariance[1, 1])
        gap = alone.mean - prior
        if choice.model == "1pl":  # of its a nothing is said by one item
            columns["conflict"][k] = abs(gap[1]) / np.hypot(columns["b_sd"][k], ANCHOR_SD)
            certain = Alone(alone.mean, np.diag([_CERTAIN, covariance[1, 1]]))
            posterior = _like_any_other(certain, choice)
            columns["p_b"][k] = _moved(posterior, anchors.a[k], anchors.b[k], limits)[1]
            continue
        columns["a"][k] = np.exp(alone.mean[0])
        columns["a_sd"][k] = columns["a"][k] * np.sqrt(covariance[0, 0])
        distance = gap @ np.linalg.solve(covariance + np.eye(2) * ANCHOR_SD**2, gap)
        # The chi-squared distance (2 degrees of freedom) as a normal deviate.
        columns["conflict"][k] = -norm.ppf(np.exp(-distance / 2) / 2)
        posterior = _like_any_other(Alone(alone.mean, covariance), choice)
        columns["p_a"][k], columns["p_b"][k] = _moved(posterior, anchors.a[k], anchors.b[k], limits)
    return columns


def _of_scale(population: PopulationSummary, b: float) -> Floats:
    """Covariance of (log a, b) that the uncertainty of the scale adds, shape (2, 2).

    A mean or standard deviation that is off moves all abilities together, and with them b, and
    log a the other way.
    """
    if not population.free or not np.isfinite([population.mean_se, population.sd_se]).all():
        return np.zeros((2, 2))
    place = (b - population.mean) / population.sd
    in_log = (population.sd_se / population.sd) ** 2
    of_b = population.mean_se**2 + (place * population.sd_se) ** 2
    both = -place * population.sd * in_log
    return np.array([[in_log, both], [both, of_b]])


def _like_any_other(alone: Alone, choice: PriorChoice) -> Alone:
    """Mean and covariance of (log a, b) under the general priors."""
    if not np.isfinite(alone.mean).all():
        return alone
    prior = np.array([choice.a.mu, choice.b.mu])
    precision = np.diag([choice.a.sigma**-2, choice.b.sigma**-2])
    information = np.linalg.inv(alone.covariance)
    covariance = np.linalg.inv(information + precision)
    return Alone(covariance @ (information @ alone.mean + precision @ prior), covariance)


def _moved(
    item: Alone, a_before: float, b_before: float, limits: dict[str, float]
) -> tuple[float, float]:
    """Probabilities that a and b differ from what they were by more than their limits."""
    (log_a, b), (log_a_sd, b_sd) = item.mean, np.sqrt(np.diag(item.covariance))
    up = norm.sf(np.log(a_before + limits["a"]), log_a, log_a_sd)
    down = a_before - limits["a"]  # a is positive: it cannot fall by more than all of itself
    p_a = up + (norm.cdf(np.log(down), log_a, log_a_sd) if down > 0 else 0.0)
    p_b = norm.sf(b_before + limits["b"], b, b_sd) + norm.cdf(b_before - limits["b"], b, b_sd)
    return float(p_a), float(p_b)
