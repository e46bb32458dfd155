"""Compare two sets of estimates of the same people: their agreement, and who moved.

Over everybody, r hides reordering: two parties that stand far apart give 0.9 and more, whatever the
order inside them. So r and the rank correlation are given within each party as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError

MIN_COMMON = 3

Floats = NDArray[np.float64]


class Agreement(NamedTuple):
    """Agreement within a party: Pearson's r, Spearman's rank correlation, number of members.

    Positive where the members stand in the same order, after the reference is turned to the
    direction of the current scale as a whole. NaN where all members have the same position.
    """

    r: float
    spearman: float
    n: int


class Move(NamedTuple):
    """The legislator who changed most places: slug, and the ranks (1 is the highest)."""

    slug: str
    rank_reference: int
    rank_current: int


@dataclass(frozen=True)
class Comparison:
    """Agreement of two sets of estimates over their common people.

    People whose position one of the two holds fixed (the anchors of a flat model) are in the table,
    and in nothing else: where they stand was not estimated.

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
        rank_change (places moved towards the higher end; the three ranks are among those who are
        not fixed, and NaN for those who are), reference_raw, fixed.
    n_compared : int
        Number of people in both whom neither holds fixed.
    within : mapping of str to Agreement
        By party, for parties of at least three such people.
    abs_r_with_fixed : float
        ``abs_r`` with the fixed people counted, as earlier versions gave it.
    """

    r: float
    abs_r: float
    sign_flip: bool
    spearman: float
    n_common: int
    slope: float
    intercept: float
    table: pd.DataFrame
    n_compared: int
    within: Mapping[str, Agreement] = field(default_factory=dict)
    abs_r_with_fixed: float = np.nan

    def __repr__(self) -> str:
        within = "".join(f", {party} {values.r:.4f}" for party, values in self.within.items())
        flipped = ", reversed" if self.sign_flip else ""
        return f"Comparison(|r| {self.abs_r:.4f} of {self.n_compared:,}{within}{flipped})"

    @property
    def least_r_within(self) -> float:
        """The smallest r within a party; NaN without parties."""
        values = [agreement.r for agreement in self.within.values()]
        return float(np.nanmin(values)) if np.isfinite(values).any() else np.nan

    @property
    def moved_most(self) -> Move:
        """Who changed most places; of several, the one whose estimate changed most."""
        ranked = self.table[~self.table["fixed"]]
        row = ranked.iloc[int(ranked["rank_change"].abs().argmax())]
        return Move(str(row["slug"]), int(row["rank_reference"]), int(row["rank_current"]))


def compare_estimates(
    current: "pd.Series[float]",
    reference: "pd.Series[float]",
    parties: "pd.Series[str] | None" = None,
    fixed: Collection[str] = (),
) -> Comparison:
    """Compare two sets of estimates joined by their index (legislator slugs).

    Parameters
    ----------
    current, reference : Series
        Estimates by slug; each on its own scale.
    parties : Series, optional
        Party by slug, for the agreement within each party; an empty text is no party.
    fixed : collection of str
        Slugs of people whose position one of the two holds fixed. They count where fewer than three
        others are common.

    Raises
    ------
    DataError
        When a slug occurs twice, fewer than three people have both values, or one set is constant,
        so that there is no correlation.

    Examples
    --------
    >>> current = pd.Series({"a": 1.0, "b": 2.0, "c": 5.0, "d": 4.0})
    >>> reference = pd.Series({"a": -1.0, "b": -2.0, "c": -3.0, "d": -4.0})
    >>> compare_estimates(current, reference).moved_most
    Move(slug='c', rank_reference=2, rank_current=1)
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
    held = pairs.index.isin(list(fixed))
    if (~held).sum() < MIN_COMMON:
        held[:] = False
    x, y = pairs["reference_raw"].to_numpy()[~held], pairs["current"].to_numpy()[~held]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise DataError("estimates that are the same for everybody cannot be compared")
    r = _correlation(x, y)
    slope = float(r * y.std() / x.std())
    intercept = float(y.mean() - slope * x.mean())
    table = pairs.rename_axis("slug").reset_index()
    table["slug"] = table["slug"].astype(str)
    table["reference"] = slope * table["reference_raw"] + intercept
    table["difference"] = table["current"] - table["reference"]
    # Ranks come from the raw values: with r near 0 the slope may round to either sign.
    sign = -1.0 if r < 0 else 1.0
    for name, values in (
        ("current", table["current"]),
        ("reference", sign * table["reference_raw"]),
    ):
        table[f"rank_{name}"] = values.mask(held).rank(ascending=False, method="min")
    table["rank_change"] = table["rank_reference"] - table["rank_current"]
    table["fixed"] = held
    columns = ["slug", "current", "reference", "difference"]
    columns += ["rank_current", "rank_reference", "rank_change", "reference_raw", "fixed"]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return Comparison(
        r=r,
        abs_r=abs(r),
        sign_flip=r < 0,
        spearman=_spearman(x, y),
        n_common=len(pairs),
        slope=slope,
        intercept=intercept,
        table=table.loc[order, columns].reset_index(drop=True),
        n_compared=len(x),
        within=_within(sign * x, y, pairs.index[~held], parties),
        abs_r_with_fixed=abs(_correlation(*pairs.to_numpy().T)),
    )


def fixed_members(ideal_points: pd.DataFrame) -> frozenset[str]:
    """Slugs of the members whose position a run holds fixed, from its table of ideal points."""
    if "anchor" not in ideal_points:
        return frozenset()
    return frozenset(ideal_points.loc[ideal_points["anchor"] != 0, "slug"].astype(str))


def _within(
    x: Floats, y: Floats, slugs: "pd.Index[str]", parties: "pd.Series[str] | None"
) -> dict[str, Agreement]:
    if parties is None:
        return {}
    party = parties.reindex(slugs).fillna("").to_numpy(str)
    agreements = {}
    for name in sorted(set(party.tolist()) - {""}):
        a, b = x[party == name], y[party == name]
        if len(a) >= MIN_COMMON:
            agreements[name] = Agreement(_correlation(a, b), _spearman(a, b), len(a))
    return agreements


def _correlation(x: Floats, y: Floats) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def _spearman(x: Floats, y: Floats) -> float:
    return _correlation(_ranks(x), _ranks(y))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values have their mean rank. SciPy's take half a second to import."""
    return np.asarray(pd.Series(values).rank(), np.float64)
