"""Have the anchors moved since they were calibrated: by how much, and how surely."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from tallgrass.calibration.tables import Calibrated
from tallgrass.models.item_priors import ANCHOR_SD
from tallgrass.responses import Anchors

Floats = NDArray[np.float64]

LEAST_TOLD = 0.002  # precision from the responses, as a share of the prior's, that can be used
CONFLICT_Z = 3.0  # of about N(0, 1) where an anchor is what its prior says


def drift_table(
    found: Calibrated, anchors: Anchors, drift_a: float, drift_b: float, held: bool = True
) -> pd.DataFrame:
    """One row an anchor, the farthest moved first.

    An anchor's prior is tight (standard deviation 0.05), so that its estimate stays near the
    previous value whatever the responses say. Beside the change itself there is therefore the
    conflict of prior and responses, ``(m - m0) / sqrt(v0 - v)`` with prior mean and variance m0, v0
    and posterior mean and variance m, v: about N(0, 1) while the anchor is what its prior says
    (Evans and Moshonov, 2006, for the normal case). ``*_alone`` is what the responses alone say:
    the prior taken out of the posterior of (log a, b), both as normal densities; it needs draws.

    Parameters
    ----------
    drift_a, drift_b : float
        An anchor whose a or b moved by more than this drifted.
    held : bool
        Whether the engine used the anchors' priors (mml does not); without them there is no
        conflict and the estimate is what the responses alone say.

    Returns
    -------
    DataFrame
        item, n, a_before, a, a_change, b_before, b, b_change, p_a and p_b (probability that the
        change exceeds its threshold), a_alone, b_alone, conflict_a, conflict_b (NaN where not
        defined), drifted (a threshold is exceeded), suspect (a conflict beyond 3).
    """
    table = found.items.set_index("item")
    there = [k for k, name in enumerate(anchors.items) if name in table.index]
    names = [anchors.items[k] for k in there]
    rows = table.loc[names]
    before = {"a": anchors.a[there], "b": anchors.b[there]}
    thresholds = {"a": drift_a, "b": drift_b}
    columns: dict[str, object] = {"item": names, "n": rows["n"].to_numpy()}
    place = {name: j for j, name in enumerate(found.items["item"])}
    chosen = [place[name] for name in names]
    alone = _responses_alone(found, chosen, before)
    exceeded, conflicts = np.zeros(len(names), bool), np.zeros(len(names), bool)
    for name in ("a", "b"):
        mean, sd = rows[name].to_numpy(float), rows[f"{name}_sd"].to_numpy(float)
        change = mean - before[name]
        limit = thresholds[name]
        if found.draws:
            moved = np.abs(found.draws[name][:, chosen] - before[name]) > limit
            probability = moved.mean(axis=0)
        else:
            probability = norm.sf(limit, change, sd) + norm.cdf(-limit, change, sd)
        conflict = _conflict(name, mean, sd, before[name]) if held else np.full(len(mean), np.nan)
        columns |= {
            f"{name}_before": before[name],
            name: mean,
            f"{name}_sd": sd,
            f"{name}_change": change,
            f"p_{name}": probability,
            f"{name}_alone": alone[name] if held else mean,
            f"conflict_{name}": conflict,
        }
        exceeded |= np.abs(change) > limit
        conflicts |= np.abs(np.nan_to_num(conflict)) > CONFLICT_Z
    columns |= {"drifted": exceeded, "suspect": conflicts}
    drift = pd.DataFrame(columns)
    changes = drift[["a_change", "b_change"]].abs().to_numpy(float) / (drift_a, drift_b)
    order = np.lexsort((-changes.max(axis=1), ~conflicts, ~exceeded))
    return drift.iloc[order].reset_index(drop=True)


def drifted_anchors(drift: pd.DataFrame) -> tuple[str, ...]:
    """The anchors that drifted, or whose responses conflict with what they were."""
    return tuple(drift.loc[drift["drifted"] | drift["suspect"], "item"])


def undrifted(anchors: Anchors, drifted: tuple[str, ...]) -> Anchors | None:
    """The anchors without those that drifted; None when none is left."""
    kept = [k for k, name in enumerate(anchors.items) if name not in set(drifted)]
    if not kept:
        return None
    return Anchors(tuple(anchors.items[k] for k in kept), anchors.a[kept], anchors.b[kept])


def _responses_alone(
    found: Calibrated, chosen: list[int], before: dict[str, Floats]
) -> dict[str, Floats]:
    """What the responses alone say of a and b: the normal prior taken out of the normal posterior.

    Of log a and b together, because the two are correlated; NaN where the responses say next to
    nothing, or where there are no draws to take a covariance from.
    """
    alone = {name: np.full(len(chosen), np.nan) for name in ("a", "b")}
    if not found.draws:
        return alone
    prior_precision = np.eye(2) / ANCHOR_SD**2
    for k, j in enumerate(chosen):
        draws = np.stack([np.log(found.draws["a"][:, j]), found.draws["b"][:, j]])
        covariance = np.cov(draws)
        if not np.linalg.det(covariance) > 0:
            continue
        precision = np.linalg.inv(covariance)
        prior_mean = np.array([np.log(before["a"][k]), before["b"][k]])
        told = precision - prior_precision
        if np.linalg.eigvalsh(told).min() <= LEAST_TOLD / ANCHOR_SD**2:
            continue
        rhs = precision @ draws.mean(axis=1) - prior_precision @ prior_mean
        log_a, alone["b"][k] = np.linalg.solve(told, rhs)
        alone["a"][k] = np.exp(log_a)
    return alone


def _conflict(name: str, mean: Floats, sd: Floats, before: Floats) -> Floats:
    """How far prior and responses disagree, in standard deviations; a on the scale of log a."""
    m, m0, s = (np.log(mean), np.log(before), sd / mean) if name == "a" else (mean, before, sd)
    gap = ANCHOR_SD**2 - s**2
    told = gap > LEAST_TOLD * ANCHOR_SD**2
    return np.where(told, (m - m0) / np.sqrt(np.where(told, gap, 1.0)), np.nan)
