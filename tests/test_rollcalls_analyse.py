"""Draws that are not finite end in a verdict that fails by name, and the run has its record."""

import time

import numpy as np
import pytest
from example_report import example_input
from html_page import Page

from tallgrass.inference.draws import Sampled
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls.analyse import analyse
from tallgrass.rollcalls.report import build
from tallgrass.study.clock import Clock


def broken(model, variable, entry, all_draws=False, value=np.nan):
    """A run with an entry of which one draw, or every draw, is not finite."""
    run = example_input(model, full=False)
    trace = run.trace.copy()
    posterior = trace["posterior"].to_dataset().copy(deep=True)
    draws = slice(None) if all_draws else (0, 3)
    posterior[variable].values[(*draws, entry) if not all_draws else (..., entry)] = value
    trace["posterior"] = posterior
    sampled = Sampled(trace, 0.0, 1.0, True)
    return analyse(run.prepared, sampled, "0" * 32, Thresholds(), Clock(time.perf_counter()))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("model", "variable", "all_draws", "value"),
    [
        ("hierarchical", "xi", False, np.nan),
        ("flat", "xi", True, np.nan),
        ("flat", "beta", False, np.inf),
    ],
)
def test_a_run_with_draws_that_are_not_finite_fails_by_name_and_has_its_record(
    model, variable, all_draws, value
):
    run = broken(model, variable, 5, all_draws, value)
    names = {"xi": "legislator", "beta": "rollcall"}[variable]
    label = f"{variable}[{run.trace['posterior'][names].values[5]}]"
    assert run.verdict.status == "fail"
    assert f"NaN or infinite: {label}" in run.verdict.reasons
    assert run.fit_verdict.status == "not checked"
    assert run.recorded_metrics()["draws/not_finite"] == 1
    assert "tables/ideal_points" in run.recorded_tables()
    assert label in Page(build(run)).words


def test_where_only_a_party_is_not_finite_the_votes_are_still_checked():
    run = broken("hierarchical", "mu_party", 0)
    assert run.verdict.status == "fail"
    assert run.checks is not None
