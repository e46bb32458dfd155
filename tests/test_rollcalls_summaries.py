import arviz_stats
import numpy as np
import pandas as pd
import pytest
from example_trace import example_trace, example_votes
from small_trace import small_trace, small_votes

from tallgrass.errors import DataError
from tallgrass.inference.convergence import convergence_table, worst_parameters
from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.summary import hdi, posterior_summary
from tallgrass.rollcalls import summaries


@pytest.fixture(scope="module")
def run():
    votes, truth = example_votes()
    return example_trace(votes, truth), votes


@pytest.fixture(scope="module")
def flat_run():
    votes, truth = example_votes()
    return example_trace(votes, truth, "flat"), votes


def test_hdi_equals_arviz_for_skewed_draws():
    draws = np.random.default_rng(0).gamma(1.3, size=(5, 801))
    low, high = hdi(draws)
    for i, row in enumerate(draws):
        expected = arviz_stats.hdi(row, prob=0.95, method="nearest")
        np.testing.assert_array_equal(expected, [low[i], high[i]])


def test_hdi_of_few_draws_spans_them_all():
    low, high = hdi(np.array([3.0, 1.0, 2.0, 7.0]))
    assert (float(low), float(high)) == (1.0, 7.0)


def test_ideal_points_are_the_moments_of_all_chains(run):
    trace, votes = run
    table = summaries.ideal_points(trace, votes).set_index("slug")
    draws = trace["posterior"]["xi"].sel(legislator="m007").to_numpy().ravel()
    row = table.loc["m007"]
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    expected = arviz_stats.hdi(draws, prob=0.95, method="nearest")
    np.testing.assert_array_equal(expected, [row["hdi_low"], row["hdi_high"]])
    assert row["n_votes"] == np.count_nonzero(votes.cells[votes.slugs.index("m007")])


def test_rank_1_is_the_highest_ideal_point_and_every_rank_occurs_once(run):
    table = summaries.ideal_points(*run)
    assert table.loc[table["rank"] == 1, "mean"].item() == table["mean"].max()
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))
    assert (table["rank_low"] <= table["rank"]).all()
    assert (table["rank_high"] >= table["rank"]).all()


def test_rank_interval_and_median_follow_the_draws():
    # m0 is lowest always; m1 and m2 swap places in one draw of four
    xi = [[0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 2, 1]]
    trace = small_trace(xi, [[0]] * 4, [[1]] * 4, party=(0, 1, 1))
    votes = small_votes([[1], [1], [-1]], ("Democrat", "Republican", "Republican"))
    table = summaries.ideal_points(trace, votes)
    assert table["p_median"].tolist() == [0.0, 0.75, 0.25]
    assert table["rank_low"].tolist() == [3, 1, 1]
    assert table["rank_high"].tolist() == [3, 2, 2]


def test_both_middle_members_of_an_even_chamber_can_be_median():
    xi = [[0, 1, 2, 3]] * 4
    trace = small_trace(xi, [[0]] * 4, [[1]] * 4, party=(0, 0, 1, 1))
    parties = ("Democrat", "Democrat", "Republican", "Republican")
    table = summaries.ideal_points(trace, small_votes([[1], [1], [-1], [-1]], parties))
    assert table["p_median"].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_anchors_have_no_spread_and_are_marked(flat_run):
    table = summaries.ideal_points(*flat_run)
    held = table[table["anchor"] != 0]
    assert sorted(held["mean"]) == [-1.0, 1.0]
    assert held["sd"].tolist() == [0.0, 0.0]
    assert (held["hdi_low"] == held["hdi_high"]).all()


def test_legislators_are_joined_by_slug_not_by_place(run):
    trace, votes = run
    reversed_trace = trace.isel(legislator=slice(None, None, -1))
    expected = summaries.ideal_points(trace, votes).set_index("slug").sort_index()
    actual = summaries.ideal_points(reversed_trace, votes).set_index("slug").sort_index()
    pd.testing.assert_frame_equal(expected, actual)


def test_a_legislator_without_a_name_is_called_by_the_slug():
    trace = small_trace([[0, 1]] * 4, [[0]] * 4, [[1]] * 4)
    table = summaries.ideal_points(trace, small_votes([[1], [-1]], names=["", "Ada"]))
    assert table["name"].tolist() == ["m0", "Ada"]


def test_a_trace_of_other_votes_is_refused(run):
    trace, _ = run
    with pytest.raises(DataError, match=r"legislator of the trace without votes.*m000"):
        summaries.ideal_points(trace, small_votes([[1], [-1]]))
    votes = small_votes([[1], [-1]])
    other = small_trace([[0, 1]] * 4, [[0, 0]] * 4, [[1, 1]] * 4)
    with pytest.raises(DataError, match=r"roll call of the trace without votes.*v1"):
        summaries.rollcalls_table(other, votes)


def test_party_parameters_give_the_gap_draw_by_draw(run):
    trace, _ = run
    table = summaries.party_parameters(trace).set_index(["parameter", "party"])
    mu = trace["posterior"]["mu_party"].to_numpy().reshape(-1, 2)
    gap = mu[:, 1] - mu[:, 0]
    assert table.loc[("gap", "both"), "mean"] == pytest.approx(gap.mean())
    assert table.loc[("gap", "both"), "sd"] == pytest.approx(gap.std(ddof=1))
    assert table.loc[("mu_party", "Democrat"), "mean"] == pytest.approx(mu[:, 0].mean())
    assert table["n_legislators"].tolist() == [12, 18, 12, 18, 30]


def test_icc_weights_the_variance_within_by_party_size():
    # three Democrats, one Republican: within = 3/4 * 1 + 1/4 * 9 = 3; between = var(-2, 2) = 4
    trace = small_trace(
        [[0, 0, 0, 0]] * 4, [[0]] * 4, [[1]] * 4, [[-2, 2]] * 4, [[1, 3]] * 4, party=(0, 0, 0, 1)
    )
    np.testing.assert_allclose(summaries.icc_draws(trace), 4 / 7)
    table = summaries.variance_decomposition(trace)
    assert table["component"].tolist() == ["between", "within", "within", "total"]
    assert table["mean"].tolist() == pytest.approx([4, 0.75, 2.25, 7])
    assert table["share"].tolist() == pytest.approx([4 / 7, 0.75 / 7, 2.25 / 7, 1])


def test_icc_interval_is_the_percentile_interval_of_the_draws(run):
    trace, _ = run
    row = summaries.variance_decomposition(trace).iloc[0]
    expected = np.percentile(summaries.icc_draws(trace), [2.5, 97.5])
    np.testing.assert_allclose(expected, [row["share_low"], row["share_high"]])


def test_dispersion_counts_the_draws_in_which_a_party_is_the_wider_one():
    sigma = [[1, 2], [1, 2], [1, 2], [3, 2]]
    trace = small_trace(
        [[0, 2, 5]] * 4, [[0]] * 4, [[1]] * 4, [[-1, 1]] * 4, sigma, party=(0, 0, 1)
    )
    table = summaries.dispersion(trace).set_index("party")
    assert table.loc["Democrat", "p_larger"] == 0.25
    assert table.loc["Republican", "p_larger"] == 0.75
    assert table.loc["Democrat", "sd_mean"] == pytest.approx(np.sqrt(2))


def test_a_party_of_one_has_no_spread_among_its_members():
    trace = small_trace(
        [[0, 2, 5]] * 4, [[0]] * 4, [[1]] * 4, [[-1, 1]] * 4, [[1, 1]] * 4, party=(0, 0, 1)
    )
    assert np.isnan(summaries.dispersion(trace).set_index("party").loc["Republican", "sd_mean"])


def ideal_table(means, anchors=None, slugs=None):
    n = len(means)
    return pd.DataFrame(
        {
            "slug": slugs or [f"m{i}" for i in range(n)],
            "name": [f"Member {i}" for i in range(n)],
            "party": ["Democrat"] * (n // 2) + ["Republican"] * (n - n // 2),
            "mean": np.asarray(means, float),
            "anchor": np.zeros(n, int) if anchors is None else anchors,
        }
    )


def test_shrinkage_is_the_share_of_the_distance_that_disappeared():
    # The rescaling is least squares, so start from residuals that are orthogonal to a line.
    flat = np.array([-3.0, -1.0, 1.0, 3.0])
    hier = flat + np.array([0.5, -0.5, -0.5, 0.5])
    table = summaries.shrinkage(
        ideal_table(hier), ideal_table(flat / 2 + 7), {"Democrat": -2.0, "Republican": 2.0}
    )
    np.testing.assert_allclose(table["flat"], flat, atol=1e-12)
    # Every flat distance to the party mean is 1. By hand: |-2.5 + 2| = 0.5 and |-1.5 + 2| = 0.5,
    # then |0.5 - 2| = 1.5 and |3.5 - 2| = 1.5.
    np.testing.assert_allclose(table["shrinkage_pct"], [50, 50, -50, -50])
    np.testing.assert_allclose(table["moved"], [0.5, -0.5, -0.5, 0.5])


def test_shrinkage_turns_a_reflected_flat_scale():
    flat = np.array([-3.0, -1.0, 1.0, 3.0])
    table = summaries.shrinkage(
        ideal_table(flat), ideal_table(-flat), {"Democrat": -2.0, "Republican": 2.0}
    )
    np.testing.assert_allclose(table["flat"], flat, atol=1e-12)
    np.testing.assert_allclose(table["shrinkage_pct"], 0, atol=1e-9)


def test_no_shrinkage_for_anchors_or_close_to_the_party_mean():
    flat = np.array([-3.0, -2.3, 2.4, 3.0])
    table = summaries.shrinkage(
        ideal_table(flat), ideal_table(flat, anchors=[-1, 0, 0, 0]),
        {"Democrat": -2.0, "Republican": 2.0},
    )  # fmt: skip
    assert np.isnan(table["shrinkage_pct"]).tolist() == [True, True, True, False]
    assert table["anchored"].tolist() == [True, False, False, False]


def test_shrinkage_needs_three_common_legislators():
    with pytest.raises(DataError, match="too few legislators in common with the flat run"):
        summaries.shrinkage(
            ideal_table([1, 2]), ideal_table([1, 2]), {"Democrat": 0.0, "Republican": 1.0}
        )


def test_cut_point_is_the_ratio_of_the_means_where_beta_is_large_enough():
    alpha = [[1, 1, -2], [3, 1, -2]] * 2
    beta = [[2, 0.5, -1], [2, 0.5, -1]] * 2
    trace = small_trace([[0, 1]] * 4, alpha, beta)
    table = summaries.rollcalls_table(trace, small_votes([[1, 0, -1], [1, 1, 1]]))
    assert table["cut_point"].tolist()[::2] == [1.0, 2.0]
    assert np.isnan(table["cut_point"][1])
    assert table["yea_side"].tolist() == ["higher", "higher", "lower"]
    assert table["yea"].tolist() == [2, 1, 1]
    assert table["nay"].tolist() == [0, 0, 1]
    assert (table["cut_low"][0], table["cut_high"][0]) == (0.5, 1.5)


def test_a_draw_of_beta_at_zero_is_an_infinite_cut_point_without_a_warning():
    trace = small_trace([[0, 1]] * 4, [[1]] * 4, [[2], [2], [0], [2]])
    table = summaries.rollcalls_table(trace, small_votes([[1], [-1]]))
    assert table["cut_point"][0] == pytest.approx(1 / 1.5)


def test_posterior_summary_has_one_row_an_entry(run):
    trace, votes = run
    table = posterior_summary(trace).set_index("label")
    n, m = votes.cells.shape
    assert len(table) == n + 2 * m + 4
    draws = trace["posterior"]["beta"].sel(rollcall="v0003").to_numpy()
    assert table.loc["beta[v0003]", "mean"] == pytest.approx(draws.mean())


def test_flat_runs_have_no_party_parameters(flat_run):
    trace, _ = flat_run
    assert not summaries.has_parties(trace)
    with pytest.raises(DataError, match=r"variable not in the posterior.*mu_party"):
        summaries.party_parameters(trace)


def test_convergence_table_counts_the_entries_that_fail(run):
    trace, _ = run
    diagnostics = diagnose(trace)
    limit = float(diagnostics.table["rhat"].nlargest(3).iloc[-1])
    table = convergence_table(diagnostics, Thresholds(rhat=limit, ess=1.0))
    assert table["n_over"].sum() == 3
    worst = table.sort_values("rhat_max").iloc[-1]
    assert worst["worst"] == diagnostics.table["rhat"].idxmax()
    assert worst["rhat_max"] == diagnostics.worst("rhat")
    assert table["ess_bulk_min"].min() == diagnostics.worst("ess_bulk")


def test_worst_parameters_come_with_the_highest_rhat_first(run):
    diagnostics = diagnose(run[0])
    expected = diagnostics.table["rhat"].nlargest(5).index.tolist()
    assert expected == worst_parameters(diagnostics).index.tolist()


def test_one_chain_has_no_rhat_and_is_judged_by_effective_draws():
    votes, truth = example_votes()
    diagnostics = diagnose(example_trace(votes, truth, chains=1))
    assert diagnostics.table["rhat"].isna().all()
    expected = diagnostics.table["ess_bulk"].nsmallest(5).index.tolist()
    assert expected == worst_parameters(diagnostics).index.tolist()
    table = convergence_table(diagnostics, Thresholds(ess=1.0))
    assert table["n_over"].tolist() == [0] * 5
