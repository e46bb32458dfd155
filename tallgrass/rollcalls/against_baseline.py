"""What is said of a run against its baseline: agreement within parties, moves, prediction."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import TallgrassError
from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.rollcalls.compare import Comparison, compare_estimates, fixed_members
from tallgrass.rollcalls.elpd_difference import ElpdDifference, elpd_difference
from tallgrass.rollcalls.groups import PARTIES, members_of, metric_word
from tallgrass.rollcalls.single_votes import single_votes
from tallgrass.rounding import rounded

if TYPE_CHECKING:
    from tallgrass.rollcalls.prepare import Baseline

NAME = "order within parties"
# A smaller r within a party means that its members stand in another order: the least |r| that the
# verdict asks of two runs of different models, asked within the party.
LEAST_R_WITHIN = 0.9
# Why two runs have no difference of their ELPD.
NO_ELPD = "other votes, or none kept"
_STANDARD_ERRORS = 2
MIN_COMMON = 3

logger = logging.getLogger(__name__)


def compare_with(baseline: "Baseline", ideal_points: pd.DataFrame) -> Comparison:
    """The positions of a run against those of its baseline, without what either holds fixed.

    Raises
    ------
    DataError
        When fewer than three members are common.
    """
    members = ideal_points.set_index("slug")
    fixed = fixed_members(ideal_points) | baseline.fixed
    return compare_estimates(members["mean"], baseline.positions, members["party"], fixed)


def predicts_better(run_id: str, votes: pd.DataFrame) -> ElpdDifference | None:
    """How much better single votes are predicted than by a stored run; None if not comparable."""
    try:
        other = single_votes(run_id, len(votes))
    except TallgrassError as error:
        logger.warning("no log predictive densities of run %s: %s", run_id, error)
        return None
    return None if other is None else elpd_difference(votes, other)


def baseline_metrics(
    comparison: Comparison, elpd: ElpdDifference | None, groups: Sequence[str] = PARTIES
) -> dict[str, float]:
    """Every figure of the comparison by metric name; those that are not defined are left out."""
    metrics = {
        "abs_r": comparison.abs_r,
        "baseline/r": comparison.r,
        "baseline/spearman": comparison.spearman,
        "baseline/n_common": comparison.n_common,
        "baseline/n_compared": comparison.n_compared,
        "baseline/rank_move_max": _places(comparison),
        "baseline/r_within_min": comparison.least_r_within,
    }
    if comparison.n_compared < comparison.n_common:
        metrics["baseline/abs_r_with_anchors"] = comparison.abs_r_with_fixed
    for party in groups:
        if (agreement := comparison.within.get(party)) is not None:
            name = metric_word(party)
            metrics[f"baseline/r_within_{name}"] = agreement.r
            metrics[f"baseline/spearman_within_{name}"] = agreement.spearman
    if elpd is not None:
        metrics["baseline/elpd_diff"] = elpd.difference
        metrics["baseline/elpd_diff_se"] = elpd.se
        metrics["baseline/bad_pareto_k_share"] = elpd.bad_pareto_k
    return {name: float(value) for name, value in metrics.items() if np.isfinite(value)}


def second_axis_metrics(
    baseline: "Baseline | None", ideal_points: pd.DataFrame
) -> dict[str, float]:
    """``baseline/abs_r_2``: |r| of the positions on axis 2, whose direction is arbitrary.

    Of two runs in two dimensions with at least three common members; else empty.
    """
    if baseline is None or baseline.second is None or "mean_2" not in ideal_points:
        return {}
    both = pd.concat(
        [ideal_points.set_index("slug")["mean_2"], baseline.second], axis=1, join="inner"
    ).to_numpy(float)
    if len(both) < MIN_COMMON or not (np.ptp(both, axis=0) > 0).all():
        return {}
    return {"baseline/abs_r_2": float(abs(np.corrcoef(both.T)[0, 1]))}


def baseline_tags(comparison: Comparison, names: "pd.Series[str]") -> dict[str, object]:
    """Whether the scale runs the other way, and who moved most; ``names`` by slug."""
    return {
        "sign_flip": str(comparison.sign_flip).lower(),
        "baseline.moved_most": moved_words(comparison, names),
    }


def moved_words(comparison: Comparison, names: "pd.Series[str]") -> str:
    """Who changed most places from the baseline to this run: ``Name, from rank 1 to 30``."""
    move = comparison.moved_most
    if move.rank_reference == move.rank_current:
        return "nobody"
    name = names.get(move.slug, move.slug)
    return f"{name}, from rank {move.rank_reference} to {move.rank_current}"


def order_check(
    comparison: Comparison | None, elpd: ElpdDifference | None, names: "pd.Series[str]"
) -> FitCheck | None:
    """Does the baseline order the members of a party otherwise, and predict the votes better.

    Another order alone says nothing about which of the two is right; the votes decide. None
    without a baseline, or where the two cannot be compared by the votes.
    """
    if comparison is None or elpd is None or not np.isfinite(comparison.least_r_within):
        return None
    reordered = comparison.least_r_within < LEAST_R_WITHIN
    if not (reordered and elpd.difference < -_STANDARD_ERRORS * elpd.se):
        return FitCheck(NAME, "fits")
    least = comparison.least_r_within
    party = next(name for name, agreement in comparison.within.items() if agreement.r == least)
    over_all = rounded(comparison.abs_r, 2, 1.0)
    return FitCheck(
        NAME,
        "questioned",
        f"The baseline orders the members otherwise and predicts the votes better. Within the "
        f"{members_of(party)} r is {least:.2f}, although |r| over everybody is {over_all}; "
        f"farthest moved {moved_words(comparison, names)}. The log predictive density of the votes "
        f"is {-elpd.difference:,.0f} below the baseline's (standard error {elpd.se:,.0f}).",
    )


def _places(comparison: Comparison) -> int:
    move = comparison.moved_most
    return abs(move.rank_current - move.rank_reference)
