import os

import numpy as np
import pytest
import xarray as xr
from arviz_stats import loo
from example_trace import example_trace, example_votes

from tallgrass.errors import DataError
from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

LOO = ("fit/elpd_loo", "fit/elpd_loo_se", "fit/p_loo")


def matrix(cells: list[list[int]]) -> VoteMatrix:
    shape = np.shape(cells)
    members = tuple(Legislator(f"m{i}", f"Member {i}") for i in range(shape[0]))
    rollcalls = tuple(RollCall(f"v{j}") for j in range(shape[1]))
    return VoteMatrix(np.array(cells, np.int8), members, rollcalls, "hand", "house")


def trace_of(logits: np.ndarray) -> xr.DataTree:
    """Draws whose logits of a yea are these: shape (chain, draw, legislator), every roll call."""
    chains, draws, n = logits.shape
    return xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {
                    "xi": (("chain", "draw", "legislator"), logits),
                    "alpha": (("chain", "draw", "rollcall"), np.zeros((chains, draws, 3))),
                    "beta": (("chain", "draw", "rollcall"), np.ones((chains, draws, 3))),
                },
                coords={"legislator": range(n)},
            )
        }
    )


def same_logits(by_legislator: list[float], draws: int = 4) -> xr.DataTree:
    return trace_of(np.tile(by_legislator, (2, draws, 1)))


def log_likelihood(trace: xr.DataTree, cells: np.ndarray) -> np.ndarray:
    """Plain NumPy, shape (chain, draw, observed votes)."""
    posterior = trace["posterior"]
    xi, alpha, beta = (posterior[name].values for name in ("xi", "alpha", "beta"))
    logits = beta[:, :, None, :] * xi[..., None] - alpha[:, :, None, :]
    return -np.logaddexp(0, -cells * logits)[:, :, cells != 0]


def test_probabilities_are_posterior_means_of_the_formula() -> None:
    votes, truth = example_votes(12, 9)
    trace = example_trace(votes, truth, chains=2, draws=40)

    table = fit_checks(trace, votes, seed=0).votes

    expected = np.exp(log_likelihood(trace, votes.cells)).mean(axis=(0, 1))
    np.testing.assert_allclose(table["probability"], expected, rtol=1e-12)
    row, column = np.nonzero(votes.cells)
    assert list(table["legislator"]) == [votes.slugs[i] for i in row]
    assert list(table["rollcall"]) == [votes.vote_ids[j] for j in column]
    assert list(table["vote"]) == list(votes.cells[row, column])


def test_loo_equals_that_of_arviz() -> None:
    votes, truth = example_votes(15, 12)
    trace = example_trace(votes, truth, chains=4, draws=250)
    trace["posterior"]["alpha"] *= 1 + np.random.default_rng(0).normal(size=12)  # uncertain votes
    trace["posterior"]["beta"] *= 3.0
    values = log_likelihood(trace, votes.cells)
    trace["log_likelihood"] = xr.Dataset({"votes": (("chain", "draw", "vote"), values)})

    result = fit_checks(trace, votes, seed=0)
    metrics = result.metrics
    with pytest.warns(UserWarning, match="shape parameter"):
        expected = loo(trace, pointwise=True, reff=metrics["fit/reff"])

    assert [metrics[name] for name in LOO] == pytest.approx(
        [expected.elpd, expected.se, expected.p], rel=1e-10
    )
    k = expected.pareto_k.values
    np.testing.assert_allclose(result.votes["elpd_loo"], expected.elpd_i.values, rtol=1e-8)
    np.testing.assert_allclose(result.votes["pareto_k"], k, rtol=1e-8)
    assert metrics["fit/pareto_k_good"] == expected.good_k
    assert metrics["fit/pareto_k_above_0.7"] == (k > 0.7).sum()
    assert metrics["fit/pareto_k_above_good"] == (k > expected.good_k).sum() > 0


@pytest.mark.parametrize(("repeats", "low", "high"), [(1, 0.8, 1.2), (5, 0.15, 0.3)])
def test_the_relative_efficiency_is_that_of_the_chains(
    repeats: int, low: float, high: float
) -> None:
    votes, truth = example_votes(15, 12)
    trace = example_trace(votes, truth, chains=4, draws=250 // repeats)
    trace["posterior"] = trace["posterior"].to_dataset().isel(
        draw=np.repeat(np.arange(250 // repeats), repeats)
    )  # fmt: skip

    assert low < fit_checks(trace, votes, seed=0).metrics["fit/reff"] < high


def test_votes_that_are_certain_do_not_count_for_the_relative_efficiency() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 100, 4))
    logits[..., :2] = 1e4

    metrics = fit_checks(trace_of(logits), matrix([[1, 1, 1]] * 4), seed=0).metrics

    assert 0.7 < metrics["fit/reff"] < 1.3


def test_accuracy_apre_and_gmp_equal_those_computed_by_hand() -> None:
    votes = matrix([[1, 1, -1], [-1, 1, 0], [-1, -1, -1]])
    # P(yea): 0.8, 0.4, 0.5 by legislator; predicted yea, nay, nay
    trace = same_logits([np.log(4), np.log(2 / 3), 0.0])

    metrics = fit_checks(trace, votes, seed=0).metrics

    # errors: the first's nay, the second's yea; minority votes: 1 + 1 + 0
    assert metrics["fit/accuracy"] == pytest.approx(6 / 8)
    assert metrics["fit/apre"] == pytest.approx((2 - 2) / 2)
    probabilities = [0.8, 0.8, 0.2, 0.6, 0.4, 0.5, 0.5, 0.5]
    assert metrics["fit/gmp"] == pytest.approx(np.prod(probabilities) ** (1 / 8))


def test_the_probability_is_averaged_before_the_vote_is_called() -> None:
    votes = matrix([[1, 1, 1]])
    # P(yea) is 0.9 in one draw and 0.2 in the other: 0.55 on average
    trace = trace_of(np.log([[[9.0], [0.25]]]))

    result = fit_checks(trace, votes, seed=0)

    assert result.metrics["fit/accuracy"] == 1.0
    assert result.metrics["fit/gmp"] == pytest.approx(0.55)


def test_apre_is_undefined_where_every_roll_call_was_unanimous() -> None:
    metrics = fit_checks(same_logits([1.0, 2.0]), matrix([[1, -1, 0], [1, -1, 0]]), seed=0).metrics

    assert np.isnan(metrics["fit/apre"])


def test_votes_that_were_not_cast_are_in_nothing() -> None:
    votes, truth = example_votes(12, 10)
    cells = votes.cells.copy()
    cells[3], cells[:, 7] = 0, 0  # a member and a roll call without any vote
    sparse = VoteMatrix(cells, votes.legislators, votes.rollcalls, "example", "house")
    trace = example_trace(sparse, truth, chains=2, draws=50)
    rows, columns = np.arange(12) != 3, np.arange(10) != 7
    within = {"legislator": np.flatnonzero(rows), "rollcall": np.flatnonzero(columns)}

    with_gaps = fit_checks(trace, sparse, seed=0)
    without = fit_checks(trace.isel(within), sparse.select(rows, columns), seed=0)

    assert len(with_gaps.votes) == np.count_nonzero(cells)
    with_gaps.metrics.pop("fit/reff")  # of votes at other places of the matrix
    assert without.metrics == pytest.approx(without.metrics | with_gaps.metrics)
    ids = [*votes.select(rows, columns).vote_ids, *votes.select(rows, columns).slugs]
    assert list(with_gaps.predictive["id"])[: len(ids)] == ids
    assert list(with_gaps.predictive["id"]) == list(without.predictive["id"])


def test_extreme_logits_leave_every_measure_finite() -> None:
    votes = matrix([[1, 1, 1], [-1, 1, -1], [1, -1, 1]])
    generator = np.random.default_rng(0)
    trace = trace_of(1e4 * generator.choice([-1.0, 1.0], (2, 100, 3)))

    metrics = fit_checks(trace, votes, seed=0).metrics

    assert np.isfinite(list(metrics.values())).all()
    assert metrics["fit/elpd_loo"] < -1e4


def test_few_draws_leave_loo_undefined_and_the_rest_as_it_is() -> None:
    metrics = fit_checks(same_logits([1.0, -1.0]), matrix([[1, 1, 1], [-1, -1, 1]]), seed=0).metrics

    assert np.isnan([metrics[name] for name in LOO]).all()
    assert metrics["fit/pareto_k_above_0.7"] == 6
    assert metrics["fit/accuracy"] == pytest.approx(5 / 6)


def test_no_more_draws_are_used_than_allowed_and_some_of_every_chain() -> None:
    # only chain 1 says yea: its share of the draws is its share of the probability
    logits = np.array([-40.0, 40.0, -40.0])[:, None, None] * np.ones((3, 70, 1))

    result = fit_checks(trace_of(logits), matrix([[1, 1, 1]]), seed=0, max_draws=50)

    assert result.metrics["fit/n_draws"] == 3 * 14
    np.testing.assert_allclose(result.votes["probability"], 1 / 3)


def test_observed_margins_and_yea_rates_are_counts_of_the_votes() -> None:
    votes = matrix([[1, 1, -1], [-1, 1, 0], [-1, -1, -1]])

    table = fit_checks(same_logits([0.0, 0.0, 0.0]), votes, seed=0).predictive

    observed = dict(zip(table["id"], table["observed"], strict=True))
    assert observed == {"v0": -1, "v1": 1, "v2": -2, "m0": 2 / 3, "m1": 1 / 2, "m2": 0}
    assert list(table["check"]) == ["rollcall_margin"] * 3 + ["legislator_yea_rate"] * 3


def test_replicates_have_the_mean_and_spread_of_binomial_counts() -> None:
    n_draws = 2000
    votes = matrix([[1, -1, 1], [1, 1, -1], [-1, -1, 0], [1, 1, 1]])
    trace = same_logits([np.log(3)] * 4, draws=n_draws // 2)  # P(yea) = 0.75

    table = fit_checks(trace, votes, seed=0).predictive.set_index("id")

    error = 4 * np.sqrt(4 * 0.75 * 0.25) * 2 / np.sqrt(n_draws)
    assert table.loc["v0", "mean"] == pytest.approx(4 * 0.5, abs=error)
    assert (table.loc["v0", "low"], table.loc["v0", "high"]) == (-2, 4)
    assert table.loc["m2", "mean"] == pytest.approx(0.75, abs=0.04)


def test_a_wrong_model_is_seen_in_the_predictive_checks() -> None:
    votes, truth = example_votes(30, 40)
    right = fit_checks(example_trace(votes, truth), votes, seed=0).predictive
    wrong_truth = truth | {"alpha": truth["alpha"] + 2.0}
    wrong = fit_checks(example_trace(votes, wrong_truth), votes, seed=0).predictive

    def outside(table: object) -> float:
        inside = table["observed"].between(table["low"], table["high"])  # type: ignore[index]
        return float(1 - inside.mean())

    assert outside(right) < 0.1
    assert outside(wrong) > 0.5


def test_results_depend_on_the_seed_and_not_on_the_number_of_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    votes, truth = example_votes(12, 10)
    trace = example_trace(votes, truth, chains=2, draws=50)

    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    one = fit_checks(trace, votes, seed=3)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    five = fit_checks(trace, votes, seed=3)

    assert one.predictive.equals(five.predictive)
    assert one.votes.equals(five.votes)
    assert one.metrics == five.metrics
    assert not one.predictive.equals(fit_checks(trace, votes, seed=4).predictive)


def test_draws_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        fit_checks(same_logits([np.nan]), matrix([[1, 1, 1]]), seed=0)


def test_a_matrix_without_votes_is_refused() -> None:
    with pytest.raises(DataError, match="no votes"):
        fit_checks(same_logits([0.0]), matrix([[0, 0, 0]]), seed=0)
