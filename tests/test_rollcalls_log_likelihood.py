import arviz as az
import numpy as np
import pytest
from example_trace import example_trace, example_votes

from tallgrass.errors import DataError
from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.log_likelihood import log_likelihood
from tallgrass.rollcalls.single_votes import observed_votes


def test_every_observed_vote_has_its_log_probability_in_every_draw() -> None:
    votes, truth = example_votes(12, 9)
    trace = example_trace(votes, truth, chains=2, draws=40)

    result = log_likelihood(trace)["log_likelihood"]["votes"]

    posterior = trace["posterior"]
    for vote in result.T[[0, 17, -1]]:
        of = {"legislator": str(vote["legislator_of"].item())}
        on = {"rollcall": str(vote["rollcall_of"].item())}
        cast = trace["observed_data"]["votes"].sel(of | on).item()
        logit = posterior["beta"].sel(on) * posterior["xi"].sel(of) - posterior["alpha"].sel(on)
        expected = -np.logaddexp(0, -cast * logit.transpose("chain", "draw").to_numpy())
        np.testing.assert_allclose(vote.transpose("chain", "draw"), expected, rtol=1e-12)
    assert result.sizes["vote"] == votes.n_observations
    assert result.dims == ("chain", "draw", "vote")


def test_loo_of_arviz_gives_the_elpd_of_the_fit_checks_from_the_same_thinned_draws() -> None:
    votes, truth = example_votes(12, 10)
    trace = example_trace(votes, truth, chains=4, draws=300)

    metrics = fit_checks(trace, votes, seed=0, max_draws=600).metrics
    loo = az.loo(log_likelihood(trace, max_draws=600), reff=metrics["fit/reff"])

    assert loo.n_samples == metrics["fit/n_draws"] == 600
    assert (loo.elpd, loo.se, loo.p) == pytest.approx(
        [metrics[f"fit/{name}"] for name in ("elpd_loo", "elpd_loo_se", "p_loo")], rel=1e-9
    )


def test_two_runs_are_compared_by_arviz_with_the_difference_of_their_votes() -> None:
    votes, truth = example_votes(15, 20)
    wrong = truth | {"beta": 0.3 * truth["beta"]}
    traces = {"right": example_trace(votes, truth), "wrong": example_trace(votes, wrong, seed=2)}

    table = az.compare(
        {name: log_likelihood(trace) for name, trace in traces.items()}, round_to="none"
    )

    elpd = {
        name: fit_checks(trace, votes, seed=0).votes["elpd_loo"] for name, trace in traces.items()
    }
    differences = (elpd["wrong"] - elpd["right"]).to_numpy()
    assert list(table.index) == ["right", "wrong"]
    assert abs(table.loc["wrong", "elpd_diff"]) == pytest.approx(-differences.sum(), rel=0.01)
    se = np.sqrt(len(differences)) * differences.std()
    assert table.loc["wrong", "dse"] == pytest.approx(se, rel=0.01)


def test_draws_without_votes_are_refused() -> None:
    votes, truth = example_votes(6, 5)
    trace = example_trace(votes, truth, draws=10)
    del trace["observed_data"]

    with pytest.raises(DataError, match="without votes"):
        log_likelihood(trace)


def test_the_votes_of_a_trace_are_those_that_were_modelled() -> None:
    votes, truth = example_votes(6, 5)

    stored = observed_votes(example_trace(votes, truth, draws=10))

    assert (stored.cells == votes.cells).all()
    assert (stored.slugs, stored.vote_ids) == (votes.slugs, votes.vote_ids)
