"""Canonical and textbook coordinates sample the same posterior of real votes.

Means and standard deviations are compared in Monte Carlo standard errors of both sides together,
``z = (canonical - textbook) / hypot(mcse, mcse)``. A case has 600 to 1200 values of z, which are
about normal and, in groups, correlated; the errors are themselves estimates. So three things are
asked:

* no z is beyond what that many normal values exceed once in 100,000 cases (about 5.7);
* at most 1 in 200 is beyond 4 (of normal values, 1 in 16,000 is);
* their root mean square is about 1: many small deviations in step would show here.

The textbook sampler could stay in a reflected mode, where a chain's positions lie the other way
round; the comparison would then blame the wrong side. Chains start at the PCA scores, and both
sides must have every chain's mean agree with them (correlation above 0.9) and a good R-hat.
"""

import logging

import arviz as az
import numpy as np
import pytest
from scipy import stats

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.sources import load_votes
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample

# Textbook coordinates need about twice as many draws for the same number of effective ones.
SAMPLERS = {
    "canonical": SamplerSpec(draws=1500, tune=1000, chains=4, seed=42),
    "textbook": SamplerSpec(draws=2500, tune=1000, chains=4, seed=42),
}


def posterior(votes, model, coordinates):
    """The draws of what is not an anchor, after the checks that they can be compared at all."""
    start = make_start(votes, "pca")
    built = build_model(votes, ModelSpec(model=model, coordinates=coordinates), start)
    trace = sample(built, votes, SAMPLERS[coordinates], start.scores).trace
    assert not trace["sample_stats"]["diverging"].any()
    draws = trace["posterior"].to_dataset()
    for mean in draws["xi"].mean("draw").values:
        assert np.corrcoef(mean, start.scores)[0, 1] > 0.9
    free = np.setdiff1d(np.arange(len(votes.legislators)), built.anchors or ())
    draws = draws.isel(legislator=free)
    assert max(float(x.max()) for x in az.rhat(draws).values()) < 1.02
    assert min(float(x.min()) for x in az.ess(draws).values()) > 400
    return draws


def differences(one, other, method):
    """z of every parameter's mean or standard deviation."""
    z = []
    errors = [az.mcse(draws, method=method) for draws in (one, other)]
    for name in one.data_vars:
        first, second = (
            getattr(x[name], "std" if method == "sd" else "mean")(("chain", "draw"))
            for x in (one, other)
        )
        z.append(((first - second) / np.hypot(errors[0][name], errors[1][name])).values.ravel())
    return np.concatenate(z)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("session", "chamber", "model"),
    # Each model on one chamber: what a chamber changes is the number of values.
    [("88th_2019-2020", "house", "flat"), ("91st_2025-2026", "senate", "hierarchical")],
)
def test_both_coordinates_have_the_same_means_and_standard_deviations(
    session, chamber, model, data_dir
):
    votes, _ = filter_votes(
        load_votes(session, chamber, data_dir), 0.025, 20, parties_only=model == "hierarchical"
    )
    canonical, textbook = (posterior(votes, model, coordinates) for coordinates in SAMPLERS)
    z = np.concatenate([differences(canonical, textbook, method) for method in ("mean", "sd")])
    summary = {
        "n": len(z),
        "max": float(np.abs(z).max()),
        "rms": float(np.sqrt(np.mean(z**2))),
        "beyond_4": float(np.mean(np.abs(z) > 4)),
    }
    # pytest -m slow --log-cli-level=INFO shows the numbers.
    logging.getLogger(__name__).info("%s %s %s: %s", session, chamber, model, summary)
    assert np.isfinite(z).all()
    assert summary["max"] < stats.norm.isf(1e-5 / 2 / len(z)), summary
    assert summary["beyond_4"] <= 1 / 200, summary
    assert 0.5 < summary["rms"] < 1.5, summary
