"""A run's draws beside those of its baseline."""

import numpy as np
import pytest
import xarray as xr

from tallgrass.own.baseline import compare

RNG = np.random.default_rng(11)
PLACES = np.array([-2.0, 0.0, 1.0, 3.0])


def trace_of(places, labels="abcd", seed=0):
    generator = np.random.default_rng(seed)
    theta = places + generator.normal(size=(4, 500, len(places)))
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {
                    "theta": (("chain", "draw", "k"), theta),
                    "mu": (("chain", "draw"), generator.normal(size=(4, 500))),
                },
                {"k": list(labels)},
            )
        }
    )


def test_two_runs_of_one_posterior_differ_by_monte_carlo_error():
    comparison = compare(trace_of(PLACES), trace_of(PLACES, seed=1), "b" * 32)
    rows = comparison.table.set_index("variable")
    assert comparison.abs_r("theta") > 0.999
    # The largest of five standard normals; 4 is exceeded once in three thousand pairs of runs.
    assert rows["diff_mcse"].max() < 4
    assert rows["diff_sd"].max() < 0.15


def test_entries_are_matched_by_their_names():
    other = trace_of(PLACES[::-1], labels="dcba", seed=1)
    comparison = compare(trace_of(PLACES), other, "b" * 32)
    assert comparison.abs_r("theta") > 0.999


def test_a_shift_is_measured_in_posterior_standard_deviations():
    comparison = compare(trace_of(PLACES), trace_of(PLACES + 2.0, seed=1), "b" * 32)
    theta = comparison.table.set_index("variable").loc["theta"]
    assert theta["diff_sd"] == pytest.approx(2.0, abs=0.2)
    # Independent draws: the error of each mean is 1 / sqrt(2,000), that of both sqrt(2) times it.
    assert theta["diff_mcse"] == pytest.approx(2.0 / np.sqrt(2 / 2000), rel=0.15)
    assert comparison.metrics["baseline/theta_diff_sd"] == theta["diff_sd"]


def test_a_scalar_has_no_correlation_and_a_variable_of_one_run_no_row():
    other = trace_of(PLACES, seed=1)
    other["posterior"] = xr.DataTree(other["posterior"].to_dataset()[["mu"]])
    comparison = compare(trace_of(PLACES), other, "b" * 32)
    assert list(comparison.table["variable"]) == ["mu"]
    assert np.isnan(comparison.abs_r("mu"))
    assert np.isnan(comparison.abs_r("theta"))
    assert set(comparison.metrics) == {"baseline/mu_diff_sd", "baseline/mu_diff_mcse"}
