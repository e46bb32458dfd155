"""Diagnostics against ArviZ."""

import arviz_stats
import numpy as np
import pytest
from arviz_stats.base import array_stats
from example_trace import example_trace, example_votes

from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.rollcalls.audit import reflected_chains


@pytest.fixture(scope="module")
def votes_and_truth():
    return example_votes()


@pytest.fixture
def trace(votes_and_truth):
    return example_trace(*votes_and_truth)


def test_rhat_and_ess_are_those_of_arviz(trace):
    table = diagnose(trace).table
    for name, expected in {
        "rhat": arviz_stats.rhat(trace),
        "ess_bulk": arviz_stats.ess(trace, method="bulk"),
        "ess_tail": arviz_stats.ess(trace, method="tail", prob=(0.05, 0.95)),
    }.items():
        for variable in ("xi", "mu_party", "alpha"):
            values = table.loc[table["variable"] == variable, name].to_numpy()
            wanted = expected[variable]
            np.testing.assert_allclose(values, np.ravel(wanted.values), rtol=1e-8)


def test_every_entry_is_labelled_by_its_name(trace, votes_and_truth):
    table = diagnose(trace).table
    votes = votes_and_truth[0]
    assert f"xi[{votes.slugs[0]}]" in table.index
    assert f"alpha[{votes.vote_ids[3]}]" in table.index
    assert "mu_party[Republican]" in table.index
    assert table.index.is_unique


def test_fixed_anchors_are_counted_and_have_no_diagnostics(votes_and_truth):
    trace = example_trace(*votes_and_truth, model="flat")
    diagnostics = diagnose(trace)
    assert diagnostics.n_constant == 2
    anchors = trace["constant_data"]["anchor"]
    fixed = [str(slug) for slug in anchors["legislator"].values[anchors.values != 0]]
    assert not {f"xi[{slug}]" for slug in fixed} & set(diagnostics.table.index)
    assert all(np.isfinite(value) for value in diagnostics.metrics().values())


def test_ebfmi_is_that_of_arviz(trace):
    expected = array_stats.bfmi(trace["sample_stats"]["energy"].to_numpy())
    np.testing.assert_allclose(diagnose(trace).ebfmi, expected, rtol=1e-12)


def test_ebfmi_is_betancourts_ratio(trace):
    energy = trace["sample_stats"]["energy"].values
    expected = [np.sum(np.diff(e) ** 2) / np.sum((e - e.mean()) ** 2) for e in energy]
    assert diagnose(trace).ebfmi == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("model", "baseline", "least"),
    [
        ("flat", "flat", 0.99),
        ("hierarchical", "hierarchical", 0.95),
        ("hierarchical", "flat", 0.90),
        ("flat", "hierarchical", 0.90),
    ],
)
def test_the_threshold_of_the_correlation_depends_on_both_models(model, baseline, least):
    assert Thresholds().abs_r(model, baseline) == least


def test_the_audit_counts_chains_that_run_the_other_way():
    scores = np.array([-1.0, 0.0, 0.5, 2.0])
    draws = np.stack([np.tile(scores, (10, 1)), np.tile(-scores, (10, 1))])
    assert reflected_chains(draws, scores) == (1,)


def test_metrics_have_the_names_that_queries_use(trace):
    metrics = diagnose(trace, reflected=()).metrics()
    assert {
        "rhat_max",
        "ess_min",
        "ess_tail_min",
        "divergences",
        "ebfmi_min",
        "rhat/xi_max",
        "rhat/mu_party_max",
        "rhat/sigma_within_max",
        "rhat/alpha_max",
        "rhat/beta_max",
        "rhat/n_over_threshold",
        "ess/xi_min",
        "ess/per_chain_min",
        "nuts/ebfmi_chain_0",
        "nuts/maxdepth_hits",
        "nuts/steps_per_draw",
        "nuts/step_size",
        "nuts/gradients",
        "modes/reflected_chains",
    } <= set(metrics)
    assert metrics["ess_min"] == min(
        metrics[f"ess/{v}_min"] for v in ("xi", "mu_party", "sigma_within", "alpha", "beta")
    )
