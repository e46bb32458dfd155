"""How far the anchors moved since they were calibrated, and how certain that is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from tallgrass.items.priors import ANCHOR_SD
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.single_anchor import responses_alone
from tallgrass.items.tables import Calibrated

Floats = NDArray[np.float64]

CONFLICT_Z = 3.0  # the conflict is about N(0, 1) for an anchor that did not move


def drift_table(
    calibrated: Calibrated,
    responses: Responses,
    anchors: Anchors,
    drift_a: float,
    drift_b: float,
    uses_priors: bool = True,
) -> pd.DataFrame:
    """One row per anchor; those that moved farthest come first.

    The prior of an anchor is tight (standard deviation 0.05), so its estimate stays near the
    previous value even against the responses. The table therefore also holds the estimate from the
    responses alone (see :mod:`tallgrass.items.single_anchor`) and its conflict with the prior: the
    Mahalanobis distance of (log a, b) under the sum of both covariances, which is chi-squared for
    an anchor that did not move, given as the positive normal deviate of the same probability.

    Parameters
    ----------
    drift_a, drift_b : float
        An anchor drifted when its a or b moved by more than this.
    uses_priors : bool
        Whether the engine used the anchors' priors (mml does not). Without them there is no
        conflict, and the estimate rests on the responses alone.

    Returns
    -------
    DataFrame
        item, n, a_before, a, a_change, b_before, b, b_change, p_a and p_b (probability that the
        change exceeds its threshold), a_alone and b_alone with their ``_sd``, conflict (NaN where
        undefined), drifted (a threshold is exceeded), suspect (a conflict above 3).
    """
    table = calibrated.items.set_index("item")
    present = [k for k, name in enumerate(anchors.items) if name in table.index]
    names = [anchors.items[k] for k in present]
    rows = table.loc[names]
    previous = {"a": anchors.a[present], "b": anchors.b[present]}
    thresholds = {"a": drift_a, "b": drift_b}
    columns: dict[str, object] = {"item": names, "n": rows["n"].to_numpy()}
    position = {name: j for j, name in enumerate(calibrated.items["item"])}
    chosen = [position[name] for name in names]
    nothing = np.full(len(names), np.nan)
    alone = _alone(calibrated, responses, chosen, previous) if uses_priors else {}
    exceeded = np.zeros(len(names), bool)
    for name in ("a", "b"):
        mean, sd = rows[name].to_numpy(float), rows[f"{name}_sd"].to_numpy(float)
        change = mean - previous[name]
        limit = thresholds[name]
        if calibrated.draws:
            moved = np.abs(calibrated.draws[name][:, chosen] - previous[name]) > limit
            probability = moved.mean(axis=0)
        else:
            probability = norm.sf(limit, change, sd) + norm.cdf(-limit, change, sd)
        columns |= {
            f"{name}_before": previous[name],
            name: mean,
            f"{name}_sd": sd,
            f"{name}_change": change,
            f"p_{name}": probability,
            f"{name}_alone": alone.get(name, mean),
            f"{name}_alone_sd": alone.get(f"{name}_sd", sd),
        }
        exceeded |= np.abs(change) > limit
    conflict = alone.get("conflict", nothing)
    conflicts = np.nan_to_num(conflict) > CONFLICT_Z
    columns |= {"conflict": conflict, "drifted": exceeded, "suspect": conflicts}
    drift = pd.DataFrame(columns)
    changes = drift[["a_change", "b_change"]].abs().to_numpy(float) / (drift_a, drift_b)
    order = np.lexsort((-changes.max(axis=1), ~conflicts, ~exceeded))
    return drift.iloc[order].reset_index(drop=True)


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
    return Anchors(tuple(anchors.items[k] for k in stable), anchors.a[stable], anchors.b[stable])


def _alone(
    calibrated: Calibrated, responses: Responses, chosen: list[int], previous: dict[str, Floats]
) -> dict[str, Floats]:
    """The estimate of each anchor from its responses alone, and the conflict with its prior."""
    columns = {
        name: np.full(len(chosen), np.nan) for name in ("a", "a_sd", "b", "b_sd", "conflict")
    }
    theta = calibrated.users["theta"].to_numpy(float)
    theta_sd = calibrated.users["theta_sd"].to_numpy(float)
    a, b = calibrated.items["a"].to_numpy(float), calibrated.items["b"].to_numpy(float)
    starts = np.searchsorted(responses.item, np.arange(len(responses.items) + 1))
    for k, j in enumerate(chosen):
        rows = slice(starts[j], starts[j + 1])  # responses are sorted by item
        users = responses.user[rows]
        prior = (float(np.log(previous["a"][k])), float(previous["b"][k]))
        fitted = (float(np.log(a[j])), float(b[j]))
        alone = responses_alone(
            responses.correct[rows], theta[users], theta_sd[users], fitted, prior
        )
        columns["a"][k], columns["b"][k] = np.exp(alone.mean[0]), alone.mean[1]
        log_a_sd, columns["b_sd"][k] = np.sqrt(np.diag(alone.covariance))
        columns["a_sd"][k] = columns["a"][k] * log_a_sd
        gap = alone.mean - prior
        distance = gap @ np.linalg.solve(alone.covariance + np.eye(2) * ANCHOR_SD**2, gap)
        # The chi-squared distance (2 degrees of freedom) as a normal deviate.
        columns["conflict"][k] = -norm.ppf(np.exp(-distance / 2) / 2)
    return columns
