"""Fits of NumPyro and Bambi, where these libraries are installed."""

import numpy as np
import pytest
from example_store import default_store
from needs import library

import tallgrass as tg
from tallgrass.tracking import reading

EFFECTS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERRORS = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.mark.slow
def test_a_fit_of_numpyro_becomes_a_run(store):
    numpyro = library("numpyro")
    import jax

    def model():
        mu = numpyro.sample("mu", numpyro.distributions.Normal(0, 5))
        tau = numpyro.sample("tau", numpyro.distributions.HalfNormal(5))
        with numpyro.plate("school", 8):
            unit = numpyro.sample("unit", numpyro.distributions.Normal(0, 1))
            theta = numpyro.deterministic("theta", mu + tau * unit)
            numpyro.sample("effect", numpyro.distributions.Normal(theta, ERRORS), obs=EFFECTS)

    kernel = numpyro.infer.NUTS(model)
    fit = numpyro.infer.MCMC(
        kernel, num_warmup=300, num_samples=300, num_chains=2, chain_method="sequential"
    )
    fit.run(jax.random.PRNGKey(0), extra_fields=("energy", "num_steps", "diverging"))
    with tg.track("numpyro") as run:
        result = run.log_inference_data(fit)
    drawn = np.asarray(fit.get_samples(group_by_chain=True)["theta"], float)
    np.testing.assert_array_equal(tg.load_trace(run.run_id)["posterior"]["theta"], drawn)
    assert reading.details(run.run_id)["params"]["sampler"] == "numpyro"
    assert len(result.diagnostics.ebfmi) == 2
    assert result.diagnostics.divergences is not None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_fit_of_bambi_becomes_a_run_by_itself(store):
    bambi = library("bambi")
    import pandas as pd

    generator = np.random.default_rng(0)
    data = pd.DataFrame({"x": generator.normal(size=60)})
    data["y"] = 1 + 2 * data["x"] + generator.normal(size=60)
    tg.autolog()
    try:
        bambi.Model("y ~ x", data).fit(draws=100, tune=200, chains=2, cores=1, random_seed=1)
        (run_id,) = tg.finish_autolog()
    finally:
        tg.autolog(disable=True)
    params = reading.details(run_id)["params"]
    assert params["prior.x"].startswith("Normal(0, ")
    assert params["likelihood.y"].startswith("Normal(")
