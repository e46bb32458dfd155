import numpy as np
import pandas as pd
import pytest

from tallgrass.rollcalls.against_baseline import baseline_metrics, moved_words, order_check
from tallgrass.rollcalls.compare import compare_estimates
from tallgrass.rollcalls.elpd_difference import ElpdDifference

NAMES = [f"m{i}" for i in range(12)]
PARTIES = pd.Series(["Democrat"] * 6 + ["Republican"] * 6, NAMES)
SHOWN = pd.Series({name: name.upper() for name in NAMES})
BASELINE = pd.Series(np.r_[np.linspace(-6, -5, 6), np.linspace(5, 6, 6)], NAMES)
WORSE = ElpdDifference(-655.0, 40.0, 7022, 0.05)
BETTER = ElpdDifference(655.0, 40.0, 7022, 0.05)
ALIKE = ElpdDifference(-70.0, 40.0, 7022, 0.05)


def reordered(fixed=()):
    """The Republicans in the opposite order; the parties as far apart as before."""
    current = BASELINE.copy()
    current.iloc[6:] = current.iloc[6:].to_numpy()[::-1]
    return compare_estimates(current, BASELINE, PARTIES, fixed)


def test_another_order_with_worse_predictions_questions_the_fit_although_r_is_high():
    comparison = reordered()
    assert comparison.abs_r > 0.99
    check = order_check(comparison, WORSE, SHOWN)
    assert (check.name, check.status) == ("order within parties", "questioned")
    assert "Within the Republicans r is -1.00" in check.words
    assert moved_words(comparison, SHOWN) in check.words
    assert "655 below the baseline's (standard error 40)" in check.words


@pytest.mark.parametrize("elpd", [BETTER, ALIKE])
def test_another_order_that_predicts_no_worse_is_not_held_against_the_run(elpd):
    assert order_check(reordered(), elpd, SHOWN).status == "fits"


def test_the_same_order_fits_whatever_the_predictions():
    same = compare_estimates(BASELINE, BASELINE, PARTIES)
    assert order_check(same, WORSE, SHOWN).status == "fits"


def test_without_a_baseline_or_predictions_of_the_same_votes_order_is_not_judged():
    assert order_check(None, WORSE, SHOWN) is None
    assert order_check(reordered(), None, SHOWN) is None
    assert order_check(compare_estimates(BASELINE, BASELINE), WORSE, SHOWN) is None


def test_who_moved_most_is_named_with_ranks_and_nobody_where_nobody_did():
    assert moved_words(reordered(), SHOWN) == "M6, from rank 6 to 1"
    assert moved_words(compare_estimates(BASELINE, BASELINE), SHOWN) == "nobody"


def test_metrics_hold_every_figure_and_the_former_one_only_where_it_differs():
    metrics = baseline_metrics(reordered(), WORSE)
    assert metrics["baseline/r_within_democrat"] == pytest.approx(1)
    assert metrics["baseline/spearman_within_republican"] == pytest.approx(-1)
    assert metrics["baseline/r_within_min"] == pytest.approx(-1)
    assert metrics["baseline/rank_move_max"] == 5
    assert metrics["baseline/elpd_diff"] == -655
    assert metrics["baseline/elpd_diff_se"] == 40
    assert metrics["baseline/bad_pareto_k_share"] == 0.05
    assert "baseline/abs_r_with_anchors" not in metrics
    fixed = baseline_metrics(reordered({"m6", "m0"}), None)
    assert fixed["baseline/abs_r_with_anchors"] == pytest.approx(metrics["abs_r"])
    assert fixed["baseline/n_compared"] == fixed["baseline/n_common"] - 2
    assert "baseline/elpd_diff" not in fixed
