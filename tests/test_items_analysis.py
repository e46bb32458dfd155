"""Draws that are not finite end in a verdict that fails by name, and in a page that says so."""

import time
from dataclasses import replace

import numpy as np
import pytest
from html_page import Page
from item_data import simulated_items

from tallgrass.inference.thresholds import Thresholds
from tallgrass.items.engines import calibrate_gibbs
from tallgrass.items.prepare import PreparedCalibration
from tallgrass.items.report import build_calibration
from tallgrass.items.run import CalibrationStudy
from tallgrass.items.sources import LoadedResponses, ResponseLog
from tallgrass.items.specs import make_calibration_spec
from tallgrass.study.clock import Clock


@pytest.fixture(scope="module")
def study():
    """A calibration with anchors, and its draws."""
    data = simulated_items(n_users=300, n_items=12, n_anchors=3, per_user=8, seed=2)
    changes = {"draws": 200, "tune": 50, "chains": 2, "min_responses": 20}
    spec = make_calibration_spec(responses="a.csv", engine="gibbs", anchors="b.csv", **changes)
    log = ResponseLog(len(data.responses), 0, 0, "first", 20, (), 0)
    loaded = LoadedResponses(data.responses, "a.csv", log)
    prepared = PreparedCalibration(spec, loaded, data.anchors, (), ())
    sampled = calibrate_gibbs(
        data.responses, data.anchors, spec.sampler_spec, choice=spec.prior_choice, most_draws=200
    )
    sampled.trace.attrs["created_at"] = "2026-01-01T00:00:00+00:00"
    return CalibrationStudy(prepared, data.anchors), sampled


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("variable", "value"), [("theta", np.nan), ("theta", np.inf), ("b", np.nan), ("a", np.inf)]
)
def test_draws_that_are_not_finite_fail_by_name_and_nothing_is_said_of_the_fit(
    study, variable, value
):
    calibration, sampled = study
    trace = sampled.trace.copy()
    posterior = trace["posterior"].to_dataset().copy(deep=True)
    posterior[variable].values[0, 3, 5] = value
    trace["posterior"] = posterior
    broken = replace(sampled, trace=trace)
    run = calibration.analysed(broken, "0" * 32, Thresholds(), Clock(time.perf_counter()))
    name = "user" if variable == "theta" else "item"
    label = f"{variable}[{posterior[name].values[5]}]"
    assert run.verdict.status == "fail"
    assert f"NaN or infinite: {label}" in run.verdict.reasons
    assert "a draw or an estimate is not finite" in run.fit_verdict.reasons[0]
    assert "fit/misfit_items" not in run.recorded_metrics()
    words = Page(build_calibration(run)).words
    assert label in words
    assert "a draw or an estimate is not finite" in words
