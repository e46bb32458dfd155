"""Diagnostics against ArviZ, and the verdict against the table of thresholds."""

import arviz_stats
import numpy as np
import pytest
from example_trace import example_trace, example_votes

from tallgrass.inference.diagnostics import Check, Thresholds, diagnose, judge
from tallgrass.rollcalls.audit import audit, reflected_chains


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


def test_one_chain_leaves_the_verdict_unresolved(votes_and_truth):
    trace = example_trace(*votes_and_truth, chains=1, draws=2000)
    verdict = judge(diagnose(trace), Thresholds())
    assert verdict.status == "unresolved"
    assert "R-hat max could not be computed" in verdict.reasons


def test_a_clean_run_passes_without_a_baseline_and_says_so(trace):
    verdict = judge(diagnose(trace), Thresholds(rhat=1.1, ess=100), no_baseline="no baseline")
    assert verdict.status == "pass"
    assert verdict.reasons == ("no baseline",)


def test_a_divergence_fails_the_run(trace):
    trace["sample_stats"]["diverging"].values[2, 5] = True
    diagnostics = diagnose(trace)
    assert diagnostics.divergences == (0, 0, 1, 0)
    verdict = judge(diagnostics, Thresholds(rhat=1.1, ess=100))
    assert verdict.status == "fail"
    assert verdict.reasons == ("divergences is 1, must be exactly 0",)


def test_chains_in_two_modes_fail_by_rhat_and_by_the_mode_audit(trace):
    scores = trace["posterior"]["xi"].mean(("chain", "draw")).values
    trace["posterior"]["xi"].values[1] *= -1
    diagnostics = diagnose(trace, reflected=audit(trace, scores))
    assert diagnostics.reflected == (1,)
    failed = {
        check.name for check in judge(diagnostics, Thresholds()).checks if check.passed is False
    }
    assert {"R-hat max", "reflected chains"} <= failed


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("all_draws", [False, True])
def test_draws_that_are_not_finite_fail_by_name(trace, value, all_draws):
    name = str(trace["posterior"]["xi"]["legislator"].values[2])
    draws = trace["posterior"]["xi"].values
    draws[slice(None) if all_draws else 0, :, 2] = value
    diagnostics = diagnose(trace)
    assert diagnostics.not_finite == (f"xi[{name}]",)
    assert diagnostics.n_constant == 0
    assert diagnostics.metrics()["draws/not_finite"] == 1
    verdict = judge(diagnostics, Thresholds(rhat=1.1, ess=100))
    assert verdict.status == "fail"
    assert "entries that are not finite is 1, must be exactly 0" in verdict.reasons
    assert f"NaN or infinite: xi[{name}]" in verdict.reasons


def test_where_no_audit_of_modes_was_made_nothing_says_that_it_was_passed(trace):
    without, audited = diagnose(trace), diagnose(trace, reflected=())
    assert "modes/reflected_chains" not in without.metrics()
    assert audited.metrics()["modes/reflected_chains"] == 0
    names = [{c.name for c in judge(d, Thresholds()).checks} for d in (without, audited)]
    assert names[1] - names[0] == {"reflected chains"}


@pytest.mark.parametrize(
    ("value", "threshold", "text"),
    [
        (1.00656, 1.01, "1.0066"),
        (1.0065, 1.01, "1.0065"),
        (1.00996, 1.01, "1.00996"),  # passes, so it must not read 1.01
        (1719.6, 400, "1,720"),
        (400.3, 400, "400.3"),
        (0.999992, 0.99, "0.99999"),
        (1.0, 0.99, "1"),
        (0.0, 0, "0"),
    ],
)
def test_a_value_is_shown_to_nearest_and_never_as_a_threshold_it_misses(value, threshold, text):
    assert Check("x", value, threshold, "<", True).text == text


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


def test_a_low_correlation_with_the_baseline_fails_the_run(trace):
    loose = Thresholds(rhat=1.1, ess=100)
    assert judge(diagnose(trace), loose, abs_r=0.96, least_abs_r=0.95).status == "pass"
    verdict = judge(diagnose(trace), loose, abs_r=0.9, least_abs_r=0.95)
    assert verdict.status == "fail"
    assert verdict.reasons == ("|r| with the baseline is 0.9000, must be above 0.95",)


def test_values_equal_to_a_threshold_do_not_pass(trace):
    diagnostics = diagnose(trace)
    exactly = Thresholds(rhat=diagnostics.worst("rhat"), ess=diagnostics.worst("ess_bulk"))
    outcomes = {check.name: check.passed for check in judge(diagnostics, exactly).checks}
    assert outcomes["R-hat max"] is False
    assert outcomes["bulk ESS min"] is False


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
