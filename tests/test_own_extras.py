"""What is computed beside the draws of a PyMC model."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from tallgrass.own.extras import extras_of

RNG = np.random.default_rng(8)
Y = RNG.normal(0.3, 1.0, 40)


def coin(potential=False):
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        if potential:
            pm.Potential("only", -((mu - 1) ** 2))
        else:
            pm.Normal("y", mu, 1, observed=Y)
    return model


def trace_of(n=500):
    """Draws of the exact posterior: normal, with precision 1 + 40."""
    mean, sd = Y.sum() / 41, 1 / np.sqrt(41)
    draws = mean + sd * RNG.normal(size=(2, n))
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mu": (("chain", "draw"), draws)}),
            "observed_data": xr.Dataset({"y": ("y_dim_0", Y)}),
        }
    )


def test_nothing_is_computed_where_nothing_was_asked_for():
    assert extras_of(coin(), 1, log_likelihood=False, prior=False, posterior=False) is None


def test_leave_one_out_is_near_its_exact_value():
    compute = extras_of(coin(), 1, log_likelihood=True, prior=False, posterior=False)
    extra = compute(trace_of())
    # Left out, each value is normal about the posterior mean of the 39 others.
    means = (Y.sum() - Y) / 40
    variance = 1 + 1 / 40
    exact = np.sum(-0.5 * np.log(2 * np.pi * variance) - (Y - means) ** 2 / (2 * variance))
    assert extra.metrics["fit/y_elpd_loo"] == pytest.approx(exact, abs=0.25)
    assert extra.file


def test_predictions_cover_the_data_of_their_own_model():
    compute = extras_of(coin(), 1, log_likelihood=False, prior=False, posterior=True)
    extra = compute(trace_of())
    assert extra.replicated["y"].shape == (1000, 40)
    # 40 values inside with probability 0.9: below 30 once in four hundred data sets.
    assert 30 / 40 <= extra.metrics["fit/y_inside_90"] <= 1


def test_a_model_without_observed_variables_has_nothing_to_predict_and_says_so(caplog):
    compute = extras_of(coin(potential=True), 1, log_likelihood=True, prior=False, posterior=True)
    extra = compute(trace_of())
    assert extra.metrics == {}
    assert extra.file is None
    assert "posterior_predictive is empty: the model has no observed variable" in caplog.text


def test_what_cannot_be_computed_is_a_warning_and_the_run_goes_on(caplog):
    compute = extras_of(coin(), 1, log_likelihood=True, prior=False, posterior=True)
    other = xr.DataTree.from_dict({"posterior": xr.Dataset({"nu": (("chain", "draw"), [[1.0]])})})
    extra = compute(other)
    assert extra.metrics == {}
    assert "cannot compute the group log_likelihood" in caplog.text
