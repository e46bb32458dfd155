"""Tables of ideal points, and of their shrinkage by party."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.summary import TAILS, Draws, draws_of, hdi, names_of
from tallgrass.rollcalls.votes import MISSING, VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

MIN_COMMON = 3  # legislators needed to rescale the flat run
MIN_DISTANCE = 0.5  # percentages of a smaller distance to the party mean are noise


def ideal_points(
    trace: "DataTree", votes: VoteMatrix, chambers: Sequence[str] | None = None
) -> pd.DataFrame:
    """One row per legislator, in the order of the trace.

    ``chambers``: the chamber of every row of ``votes``, if they are of two.

    Columns: slug, name, party, district, mean, sd, hdi_low, hdi_high, rank (of the mean; 1 is the
    highest), rank_low and rank_high (95 % percentile interval of the rank), p_median (probability
    to be the median member, or one of the two middle members, of the own chamber), n_votes
    (observed), anchor (+1 or -1 for the upper and lower anchors, else 0), and chamber if there are
    two.

    Raises
    ------
    DataError
        When a legislator of the trace is not in the votes.
    """
    slugs = names_of(trace, "legislator")
    row = {slug: i for i, slug in enumerate(votes.slugs)}
    missing = [slug for slug in slugs if slug not in row]
    if missing:
        raise DataError("legislator of the trace without votes", missing[0], "other data?")
    rows = [row[slug] for slug in slugs]
    members = [votes.legislators[i] for i in rows]
    xi = draws_of(trace, "xi")
    low, high = hdi(xi)
    mean = xi.mean(axis=1)
    ranks = _ranks(xi)
    bodies = None if chambers is None else np.array(chambers, object)[rows]
    rank_low, rank_high = np.quantile(ranks, TAILS, axis=1, method="closest_observation")
    table = pd.DataFrame(
        {
            "slug": slugs,
            "name": [member.name or member.slug for member in members],
            "party": [member.party for member in members],
            "district": [member.district for member in members],
            "mean": mean,
            "sd": xi.std(axis=1, ddof=1),
            "hdi_low": low,
            "hdi_high": high,
            "rank": _ranks(mean[:, None])[:, 0],
            "rank_low": rank_low,
            "rank_high": rank_high,
            "p_median": _is_median(xi, ranks, bodies),
            "n_votes": np.count_nonzero(votes.cells[rows] != MISSING, axis=1),
            "anchor": trace["constant_data"]["anchor"].to_numpy().astype(int),
        }
    )
    return table if bodies is None else table.assign(chamber=bodies)


def _is_median(xi: Draws, ranks: NDArray[np.int32], bodies: NDArray[np.object_] | None) -> Draws:
    """Probability of being in the middle of one's body; shape (n_legislators,)."""
    if bodies is None:
        n = len(xi)
        return np.isin(ranks, [(n + 1) // 2, (n + 2) // 2]).mean(axis=1)
    share = np.empty(len(xi))
    for body in np.unique(bodies):
        members = bodies == body
        share[members] = _is_median(xi[members], _ranks(xi[members]), None)
    return share


def _ranks(values: Draws) -> NDArray[np.int32]:
    """Rank of each row within its column, 1 for the highest; shape as ``values``."""
    columns = np.ascontiguousarray(values.T)
    order = np.argsort(-columns, axis=1, kind="stable")
    ranks = np.empty(columns.shape, np.int32)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1, dtype=np.int32)[None], axis=1)
    return np.ascontiguousarray(ranks.T)


def shrinkage(
    hierarchical: pd.DataFrame, flat: pd.DataFrame, party_means: Mapping[str, float]
) -> pd.DataFrame:
    """How far the hierarchical model pulls each legislator towards the party's mean.

    The flat estimates are rescaled to the hierarchical scale by least squares over the common
    legislators. Then ``shrinkage_pct = 100 (1 - |hierarchical - party mean| / |flat - party
    mean|)``; NaN for an anchor of either run, and if the flat distance is at most 0.5.

    Parameters
    ----------
    hierarchical, flat : DataFrame
        Tables of :func:`ideal_points` of the two runs (columns slug, name, party, mean, anchor).
    party_means : mapping of str to float
        Posterior mean of ``mu_party`` by party.

    Returns
    -------
    DataFrame
        One row per common legislator in the order of ``hierarchical``: slug, name, party, flat (on
        the hierarchical scale), hierarchical, moved (hierarchical minus flat), party_mean,
        shrinkage_pct, anchored (whether the legislator is an anchor of either run).

    Raises
    ------
    DataError
        When fewer than three legislators are common, or all have the same position in one run.
    """
    columns = ["slug", "name", "party", "mean", "anchor"]
    other = flat[["slug", "mean", "anchor"]].rename(columns={"mean": "flat"})
    table = hierarchical[columns].merge(other, on="slug", suffixes=("", "_flat"))
    if len(table) < MIN_COMMON:
        raise DataError("too few legislators in common with the flat run", len(table))
    x, y = table["flat"].to_numpy(float), table["mean"].to_numpy(float)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise DataError("a run in which all legislators have the same position cannot be rescaled")
    slope, intercept = np.polyfit(x, y, 1)
    rescaled = slope * x + intercept
    centre = table["party"].map(dict(party_means)).to_numpy(float)
    distance = np.abs(rescaled - centre)
    anchored = ((table["anchor"] != 0) | (table["anchor_flat"] != 0)).to_numpy()
    usable = (distance > MIN_DISTANCE) & ~anchored
    share = np.divide(np.abs(y - centre), distance, where=usable, out=np.full(len(y), np.nan))
    result = table[["slug", "name", "party"]].copy()
    result["flat"], result["hierarchical"] = rescaled, y
    result["moved"] = y - rescaled
    result["party_mean"] = centre
    result["shrinkage_pct"] = 100 * (1 - share)
    result["anchored"] = anchored
    return result
