"""Have the anchors moved since they were calibrated: by how much, and how surely."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from tallgrass.calibration.tables import Calibrated
from tallgrass.models.item_priors import ANCHOR_SD
from tallgrass.responses import Anchors

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
    prior and posterior as normal densities, the one taken out of the other.

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
        alone, conflict = _responses_alone(name, mean, sd, before[name], held)
        columns |= {
            f"{name}_before": before[name],
            name: mean,
            f"{name}_sd": sd,
            f"{name}_change": change,
            f"p_{name}": probability,
            f"{name}_alone": alone,
            f"conflict_{name}": conflict,
        }
        exceeded |= np.abs(change) > limit
        conflicts |= np.abs(np.nan_to_num(conflict)) > CONFLICT_Z
    columns |= {"drifted": exceeded, "suspect": conflicts}
    drift = pd.DataFrame(columns)
    size = np.maximum(drift["a_change"].abs() / drift_a, drift["b_change"].abs() / drift_b)
    order = np.lexsort((-size.to_numpy(), -drift["suspect"].to_numpy(), -drift["drifted"]))
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
    name: str, mean: np.ndarray, sd: np.ndarray, before: np.ndarray, held: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What the responses alone say, and its conflict with the prior; log a is the normal one."""
    if not held:
        return mean, np.full(len(mean), np.nan)
    m, m0, s = (np.log(mean), np.log(before), sd / mean) if name == "a" else (mean, before, sd)
    v, v0 = s**2, ANCHOR_SD**2
    told = v < 0.999 * v0  # otherwise the responses say next to nothing
    gap = np.where(told, v0 - v, np.nan)
    likelihood = m0 + (m - m0) * v0 / gap
    return (np.exp(likelihood) if name == "a" else likelihood), (m - m0) / np.sqrt(gap)
