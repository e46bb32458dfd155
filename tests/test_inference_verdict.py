"""The verdict against the table of thresholds."""

import numpy as np
import pytest
from example_trace import example_trace, example_votes

from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.verdict import Check, judge
from tallgrass.rollcalls.audit import audit


@pytest.fixture(scope="module")
def votes_and_truth():
    return example_votes()


@pytest.fixture
def trace(votes_and_truth):
    return example_trace(*votes_and_truth)


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


def test_without_scores_or_with_draws_that_are_not_finite_there_is_no_audit(trace):
    scores = trace["posterior"]["xi"].mean(("chain", "draw")).values
    assert audit(trace, scores) == ()
    assert audit(trace, None) is None
    trace["posterior"]["xi"].values[0, 0, 1] = np.nan
    assert audit(trace, scores) is None


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
