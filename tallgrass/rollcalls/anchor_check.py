"""Whether the anchors of a flat run stand where their own votes put them.

An anchor is held fixed whatever its votes say. Two anchors alone never contradict the votes,
because a shift and a stretch of the scale take any two points to any other two; but the priors on
the other positions and on the discriminations hold the scale as well. They may leave an anchor
behind, which is then described wrongly, and with it the roll calls on which it voted.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.inference.summary import TAILS
from tallgrass.report.words import listed
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.vote_draws import Floats, VoteDraws, thinned
from tallgrass.rollcalls.votes import VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

NONE: Mapping[str, float] = MappingProxyType({})

_CHECK = "anchors"
_DRAWS = 100
_REACH, _POINTS = 3.0, 241  # of the grid: units beyond the outermost member, and its points


def anchor_table(trace: "DataTree", votes: VoteMatrix, ideal: pd.DataFrame) -> pd.DataFrame | None:
    """Every anchor beside the position that its own votes give it; None without anchors.

    The position by its votes has the density of the model for a free member, given the draws of the
    roll calls: ``N(0, 1)`` times the probability of the votes, averaged over draws.

    Parameters
    ----------
    ideal : DataFrame
        One row per legislator, with anchor (not zero for one).

    Returns
    -------
    DataFrame or None
        slug, name, party, district, position (where it is held), by_votes, by_votes_low,
        by_votes_high (mean and central 95 %), off (bool): the position is outside.
    """
    anchors = ideal[ideal["anchor"] != 0].sort_values("mean", ascending=False)
    if anchors.empty:
        return None
    draws = thinned(trace, _DRAWS)
    row = {slug: i for i, slug in enumerate(votes.slugs)}
    by_votes = np.array([_by_votes(votes.cells[row[slug]], draws) for slug in anchors["slug"]])
    table = anchors[["slug", "name", "party", "district"]].reset_index(drop=True)
    table["position"] = anchors["mean"].to_numpy()
    table["by_votes"], table["by_votes_low"], table["by_votes_high"] = by_votes.T
    table["off"] = ~table["position"].between(table["by_votes_low"], table["by_votes_high"])
    return table


def _by_votes(cells: np.ndarray, draws: VoteDraws) -> tuple[float, float, float]:
    """Mean and central 95 % of a position by its votes (+1, -1, 0), given the roll calls."""
    cast = np.flatnonzero(cells)
    signs = cells[cast].astype(float)
    grid = np.linspace(draws.xi.min() - _REACH, draws.xi.max() + _REACH, _POINTS)
    density = np.zeros(len(grid))
    for alpha, beta in zip(draws.alpha[cast].T, draws.beta[cast].T, strict=True):
        logits: Floats = np.outer(grid, beta) - alpha
        log_density = scipy.special.log_expit(signs * logits).sum(axis=1) - grid**2 / 2
        density += np.exp(log_density - scipy.special.logsumexp(log_density))
    density /= density.sum()
    cumulative = np.cumsum(density) - density / 2
    low, high = np.interp(TAILS, cumulative, grid)
    return float(density @ grid), float(low), float(high)


def anchor_check(
    anchors: pd.DataFrame | None,
    ideal: pd.DataFrame,
    fit: pd.DataFrame | None,
    choice: str = "auto",
    better: Mapping[str, float] = NONE,
) -> FitCheck | None:
    """Whether all anchors stand where their votes put them; None without anchors.

    Parameters
    ----------
    anchors : DataFrame or None
        From :func:`anchor_table`.
    ideal : DataFrame
        Ideal points.
    fit : DataFrame or None
        From :func:`tallgrass.rollcalls.misfit.legislator_fit`.
    choice : str
        ``anchors`` of the spec: how they were chosen.
    better : mapping of str to float
        Positions by slug of those that ``typical`` would choose, where they are known.
    """
    if anchors is None:
        return None
    off = anchors[anchors["off"]]
    if off.empty:
        return FitCheck(_CHECK, "fits")
    free = ideal.loc[ideal["anchor"] == 0, "mean"]
    rates = None if fit is None else fit.set_index("slug")
    named = "; ".join(_words(row, rates) for _, row in off.iterrows())
    who = "An anchor is" if len(off) == 1 else f"{len(off)} anchors are"
    way_on = "Name others, or other positions: anchors=<slug>:1,<slug>:-1."
    if choice == "auto":
        people = {str(row["slug"]): person(row) for _, row in ideal.iterrows()}
        held = [f"{people[slug]} at {x:.2f}" for slug, x in better.items()]
        which = f", which holds {listed(held)}" if held else ""
        way_on = f"Compare with anchors=typical{which}. {way_on}"
    return FitCheck(
        _CHECK,
        "questioned",
        f"{who} held where the votes do not put {'it' if len(off) == 1 else 'them'}: {named}. The "
        f"others stand from {free.min():.1f} to {free.max():.1f}. {way_on}",
    )


def _words(row: "pd.Series[str]", rates: pd.DataFrame | None) -> str:
    position, middle, low, high = (
        f"{round(float(row[name]), 2) + 0.0:.2f}"  # not -0.00, of an anchor held at 0
        for name in ("position", "by_votes", "by_votes_low", "by_votes_high")
    )
    text = f"{person(row)} at {position}, by the votes at {middle} ({low} to {high})"
    if rates is None or row["slug"] not in rates.index:
        return text
    cast, predicted = (
        100 * float(rates.loc[str(row["slug"]), name])  # type: ignore[arg-type]
        for name in ("yea_rate_observed", "yea_rate_mean")
    )
    return text + f", {cast:.0f} % yeas, predicted {predicted:.0f} %"
