"""Compare two sets of estimates of the same people: their agreement, and who moved."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tallgrass.errors import DataError

MIN_COMMON = 3


@dataclass(frozen=True)
class Comparison:
    """Agreement of two sets of estimates over their common people.

    Parameters
    ----------
    r, spearman : float
        Pearson and rank correlation of the raw values; negative when one scale is reversed.
    abs_r : float
        ``abs(r)``, which the verdict uses, because the direction of a scale is arbitrary.
    sign_flip : bool
        Whether the reference is reversed (``r < 0``).
    n_common : int
        Number of people in both.
    slope, intercept : float
        ``slope * reference_raw + intercept`` is the reference on the current scale (least
        squares; the slope is negative when the sign is flipped).
    table : DataFrame
        One row per person, largest change first: slug, current, reference (on the current scale,
        with its sign), difference (current minus reference), rank_current, rank_reference,
        rank_change (places moved towards the higher end), reference_raw.
    """

    r: float
    abs_r: float
    sign_flip: bool
    spearman: float
    n_common: int
    slope: float
    intercept: float
    table: pd.DataFrame


def compare_estimates(current: "pd.Series[float]", reference: "pd.Series[float]") -> Comparison:
    """Compare two sets of estimates joined by their index (legislator slugs).

    Raises
    ------
    DataError
        When a slug occurs twice, fewer than three people have both values, or one set is constant,
        so that there is no correlation.
    """
    for series in (current, reference):
        if not series.index.is_unique:
            repeated = str(series.index[series.index.duplicated()][0])
            raise DataError("estimate given twice for one legislator", repeated)
    pairs = pd.concat({"current": current, "reference_raw": reference}, axis=1, join="inner")
    pairs = pairs.astype(float).replace([np.inf, -np.inf], np.nan).dropna()
    if len(pairs) < MIN_COMMON:
        raise DataError(
            "too few legislators in common for a comparison",
            f"{len(pairs)} common of {len(current)} and {len(reference)}",
            "compare runs on the same chamber and session, or use baseline=none",
        )
    x, y = pairs["reference_raw"].to_numpy(), pairs["current"].to_numpy()
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise DataError("estimates that are the same for everybody cannot be compared")
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    slope = float(r * y.std() / x.std())
    intercept = float(y.mean() - slope * x.mean())
    table = pairs.rename_axis("slug").reset_index()
    table["slug"] = table["slug"].astype(str)
    table["reference"] = slope * x + intercept
    table["difference"] = table["current"] - table["reference"]
    # Ranks come from the raw values: with r near 0 the slope may round to either sign.
    aligned = np.where(r < 0, -x, x)
    table["rank_current"] = table["current"].rank(ascending=False, method="min").astype(int)
    table["rank_reference"] = pd.Series(aligned).rank(ascending=False, method="min").astype(int)
    table["rank_change"] = table["rank_reference"] - table["rank_current"]
    columns = ["slug", "current", "reference", "difference"]
    columns += ["rank_current", "rank_reference", "rank_change", "reference_raw"]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return Comparison(
        r=r,
        abs_r=abs(r),
        sign_flip=r < 0,
        spearman=float(pairs["current"].corr(pairs["reference_raw"], method="spearman")),
        n_common=len(pairs),
        slope=slope,
        intercept=intercept,
        table=table.loc[order, columns].reset_index(drop=True),
    )
