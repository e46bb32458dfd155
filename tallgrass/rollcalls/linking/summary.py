"""Tables of a link: its coefficients with intervals and the target's positions; warnings."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.rollcalls.groups import groups_of
from tallgrass.rollcalls.linking.common import Common
from tallgrass.rollcalls.linking.records import Floats, Scale

MOST_CV = 0.20  # of A over the methods; above it they disagree
_SURE = 0.95


def coefficients_of(drawn: pd.DataFrame, ref: Scale, tgt: Scale) -> pd.DataFrame:
    """Median, sd and 95 % interval of A, B, delta and k by treatment and method; see Linking."""
    rows = []
    gauges = [_gauge(scale) for scale in (ref, tgt)]
    for (treatment, method), part in drawn.groupby(["treatment", "method"], sort=False):
        i, a, b = (part[name].to_numpy() for name in ("draw", "A", "B"))
        row: list[object] = [treatment, method]
        for values in (a, b, *_link_of_parties(gauges, i.astype(int), a, b)):
            low, high = np.quantile(values, [(1 - _SURE) / 2, (1 + _SURE) / 2])
            # The median, because cut points of bills with very small slopes have no useful mean.
            row += [float(np.median(values)), float(values.std(ddof=1)), float(low), float(high)]
        rows.append(row)
    columns = ["treatment", "method"]
    for name in ("A", "B", "delta", "k"):
        columns += [name, f"{name}_sd", f"{name}_low", f"{name}_high"]
    return pd.DataFrame(rows, columns=columns)


def _gauge(scale: Scale) -> tuple[Floats, Floats]:
    """Midpoint and half gap of the party means, by draw; NaN without both parties."""
    party = np.array(scale.parties)
    pair = groups_of(scale.parties)[:2]
    if len(pair) < 2 or not all((party == name).any() for name in pair):
        missing = np.full(scale.xi.shape[1], np.nan)
        return missing, missing
    left, right = (scale.xi[party == name].mean(axis=0) for name in pair)
    return (left + right) / 2, (right - left) / 2


def _link_of_parties(
    gauges: list[tuple[Floats, Floats]], i: NDArray[np.int64], a: Floats, b: Floats
) -> tuple[Floats, Floats]:
    """Delta and k as in the joint model: the target's parties in the reference's half gaps."""
    (middle, half), (middle_tgt, half_tgt) = ((m[i], h[i]) for m, h in gauges)
    return (a * middle_tgt + b - middle) / half, a * half_tgt / half


def positions_of(target: Scale, linked: Floats) -> pd.DataFrame:
    """The target's members on the reference's scale, from draws ``linked`` (legislator, draw)."""
    low, high = np.quantile(linked, [(1 - _SURE) / 2, (1 + _SURE) / 2], axis=1)
    table = pd.DataFrame(
        {
            "slug": target.slugs,
            "name": target.names,
            "party": target.parties,
            "mean": linked.mean(axis=1),
            "sd": linked.std(axis=1, ddof=1),
            "low": low,
            "high": high,
        }
    )
    return table.sort_values("mean", ascending=False, ignore_index=True)


def variation_of_slopes(coefficients: pd.DataFrame, treatment: str) -> float:
    """Coefficient of variation of A over the methods."""
    values = coefficients.loc[coefficients["treatment"] == treatment, "A"].to_numpy()
    return float(values.std() / abs(values.mean()))


def warnings_of_runs(reference: Scale, target: Scale) -> tuple[str, ...]:
    """Which of two linked runs did not finish or did not pass its verdict."""
    warnings = []
    for role, scale in (("reference", reference), ("target", target)):
        run = f"the {role} run {scale.run_id[:8]} ({scale.words})"
        if scale.status not in ("", "FINISHED"):
            warnings.append(f"{run} did not finish: it is {scale.status}")
        elif scale.verdict not in ("", "pass"):
            warnings.append(
                f"{run} did not pass, its verdict is {scale.verdict}: its positions, and the link, "
                "may change when it is run again"
            )
    return tuple(warnings)


def warnings_of(cv: float, items: pd.DataFrame, common: Common) -> tuple[str, ...]:
    """What the user of a link should know."""
    warnings = []
    if cv > MOST_CV:
        warnings.append(
            f"the methods disagree: A varies by {100 * cv:.0f} % of its mean, more than "
            f"{100 * MOST_CV:.0f} %; do not rely on any of them"
        )
    if common.over == "bills":
        opposite, deviating = int(items["opposite"].sum()), int(items["deviates"].sum())
        if opposite:
            warnings.append(
                f"{opposite} of {len(items)} common bills divide the two runs in opposite "
                "directions and are left out"
            )
        if deviating:
            warnings.append(
                f"{deviating} of the others clearly work differently; robust=drop or "
                "robust=weight shows their effect on the link"
            )
    return tuple(warnings)
