"""NUTS and Gibbs sample the posterior of the item model."""

import os
import signal
import threading

import numpy as np
import pytest
from item_data import simulated_items, table
from scipy import special, stats

from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.draws import Interrupted
from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.verdict import judge
from tallgrass.items.engines import calibrate_gibbs, calibrate_map, calibrate_nuts
from tallgrass.items.engines.estimates import centre_of
from tallgrass.items.engines.gibbs_chains import GibbsChains
from tallgrass.items.engines.probabilities import evaluate
from tallgrass.items.engines.scale_moves import scale, shift
from tallgrass.items.model import ItemCentre, build_items, sorted_by_item
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD, PriorChoice, item_priors

SPEC = SamplerSpec(draws=500, tune=50, chains=4, seed=3)


@pytest.fixture(scope="module")
def data():
    return simulated_items(150, 10, 3, per_user=8, seed=2)


@pytest.fixture(scope="module")
def gibbs(data):
    return calibrate_gibbs(data.responses, data.anchors, SPEC)


def z_between(one, other):
    """Differences of posterior means in Monte Carlo standard errors, over a, b and theta."""
    z = []
    for name in ("a", "b", "theta"):
        x, y = (trace["posterior"][name].to_numpy().astype(float) for trace in (one, other))
        variance = sum(d.var((0, 1)) / rank_diagnostics(d).ess_bulk for d in (x, y))
        z.append((x.mean((0, 1)) - y.mean((0, 1))) / np.sqrt(variance))
    return np.concatenate(z)


def test_the_trace_names_items_and_users_and_holds_the_responses(data, gibbs):
    trace, r = gibbs.trace, data.responses
    assert set(trace.children) == {"posterior", "sample_stats", "observed_data", "constant_data"}
    assert tuple(trace["posterior"]["item"].values) == r.items
    assert tuple(trace["posterior"]["user"].values) == r.users
    np.testing.assert_array_equal(trace["observed_data"]["correct"], r.correct)
    anchored = trace["constant_data"]["anchor"].to_numpy() == 1
    assert tuple(np.array(r.items)[anchored]) == data.anchors.items
    assert trace.attrs["data_sha256"] == r.fingerprint


def test_gibbs_goes_on_until_the_chains_have_converged(gibbs):
    assert gibbs.trace["posterior"].sizes["draw"] >= SPEC.draws
    verdict = judge(diagnose(gibbs.trace), Thresholds())
    assert verdict.status == "pass"
    assert {check.name for check in verdict.checks}.isdisjoint({"divergences", "E-BFMI min"})
    metrics = diagnose(gibbs.trace).metrics()
    assert "rhat/theta_max" in metrics
    assert not any(name.startswith(("nuts/", "divergences")) for name in metrics)


def test_gibbs_stops_at_the_most_draws(data):
    spec = SamplerSpec(draws=20, tune=10, chains=2, seed=1)
    found = calibrate_gibbs(data.responses, data.anchors, spec, most_draws=80)
    assert found.trace["posterior"].sizes["draw"] == 80
    assert found.trace.attrs["requested_draws"] == 20


@pytest.mark.parametrize("keeps_theta", [True, False])
def test_convergence_is_looked_at_in_parts_that_hold_every_draw(data, monkeypatch, keeps_theta):
    monkeypatch.setattr(
        "tallgrass.items.engines.gibbs_chains._PART", 64
    )  # so that there are several
    monkeypatch.setattr(
        "tallgrass.items.engines.gibbs_chains._THETA_BYTES", 2**30 if keeps_theta else 0
    )
    seen = []

    def never(parts, rhat, ess):
        seen.append([part.copy() for part in parts])
        return False

    monkeypatch.setattr("tallgrass.items.engines.gibbs.converged", never)
    spec = SamplerSpec(draws=20, tune=10, chains=2, seed=1)
    posterior = calibrate_gibbs(data.responses, data.anchors, spec, most_draws=40).trace[
        "posterior"
    ]
    [parts] = seen
    names = ("a", "b", "theta") if keeps_theta else ("a", "b")
    whole = np.concatenate([posterior[name].to_numpy()[:, :20] for name in names], axis=2)
    assert max(part.shape[2] for part in parts) <= 64
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), whole)


def test_the_same_seed_gives_the_same_draws(data):
    spec = SamplerSpec(draws=30, tune=10, chains=2, seed=5)
    one, other = (
        calibrate_gibbs(data.responses, data.anchors, spec, most_draws=30).trace["posterior"]
        for _ in range(2)
    )
    np.testing.assert_array_equal(one["theta"], other["theta"])
    assert not np.array_equal(one["a"][0], one["a"][1])


@pytest.mark.slow
def test_nuts_and_gibbs_sample_the_same_posterior():
    data = simulated_items(600, 40, 5, per_user=15, seed=8)
    gibbs = calibrate_gibbs(
        data.responses, data.anchors, SamplerSpec(draws=4000, tune=100, seed=1)
    ).trace
    nuts = calibrate_nuts(
        data.responses, data.anchors, SamplerSpec(draws=2000, tune=1000, seed=1)
    ).trace
    z = z_between(gibbs, nuts)
    # 680 nearly independent differences: the standard error of their SD is 0.027.
    assert 0.9 < z.std() < 1.1
    assert np.abs(z).max() < 4.5  # P = 0.005 that one of 680 is beyond


@pytest.mark.slow
def test_nuts_finds_what_gibbs_finds(data, gibbs):
    calls = []
    spec = SamplerSpec(draws=500, tune=300, chains=4, seed=3)
    nuts = calibrate_nuts(data.responses, data.anchors, spec, calls.append)
    assert judge(diagnose(nuts.trace), Thresholds()).checks[3].value == 0  # divergences
    assert np.abs(z_between(gibbs.trace, nuts.trace)).max() < 5
    assert calls
    assert {"n", "share_correct", "anchor"} <= set(nuts.trace["constant_data"].data_vars)


def test_the_kernel_model_has_the_density_of_the_plain_one(data):
    priors = item_priors(data.responses, data.anchors)
    n, m = len(data.responses.items), len(data.responses.users)
    centre = ItemCentre(
        *(np.full(k, v) for k, v in ((n, 0.1), (n, 0.2)) * 2), *(np.full(m, v) for v in (0.3, 0.5))
    )
    models = [build_items(data.responses, priors, centre, x) for x in ("kernel", "gather")]
    logp = [model.graph.compile_logp(mode="FAST_COMPILE") for model in models]
    dlogp = [model.graph.compile_dlogp(mode="FAST_COMPILE") for model in models]
    differences = []
    for seed in range(3):
        point = models[0].start(np.random.default_rng(seed))
        differences.append(float(logp[0](point)) - float(logp[1](point)))
        np.testing.assert_allclose(dlogp[0](point), dlogp[1](point), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(differences, 0, atol=1e-7)


def test_the_density_of_the_item_model_is_that_of_its_priors_and_responses(data):
    priors, responses = item_priors(data.responses, data.anchors), data.responses
    n, m = len(responses.items), len(responses.users)
    generator = np.random.default_rng(4)
    zero_items, zero_users = np.zeros(n), np.zeros(m)
    differences = []
    for _ in range(3):
        log_a, b, theta = (
            generator.normal(0, 0.3, n),
            generator.normal(size=n),
            generator.normal(size=m),
        )
        centre = ItemCentre(log_a, zero_items, b, zero_items, theta, zero_users)
        model = build_items(responses, priors, centre)
        found = float(model.graph.compile_logp(mode="FAST_COMPILE")(model.start(generator)))
        z = np.exp(log_a[responses.item]) * (theta[responses.user] - b[responses.item])
        differences.append(
            found
            - stats.norm.logpdf(log_a, priors.log_a_mean, priors.log_a_sd).sum()
            - stats.norm.logpdf(b, priors.b_mean, priors.b_sd).sum()
            - stats.norm.logpdf(theta).sum()
            - special.log_expit(np.where(responses.correct == 1, z, -z)).sum()
        )
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)


def test_the_density_of_a_free_population_is_that_of_its_priors_and_responses(data):
    choice = PriorChoice(free=True)
    priors, responses = item_priors(data.responses, data.anchors, choice), data.responses
    n, m = len(responses.items), len(responses.users)
    generator = np.random.default_rng(4)
    zero_items, zero_users = np.zeros(n), np.zeros(m)
    differences = []
    for _ in range(3):
        log_a, b = generator.normal(0, 0.3, n), generator.normal(size=n)
        theta = generator.normal(0.4, generator.uniform(0.5, 2), m)
        centre = ItemCentre(log_a, zero_items, b, zero_items, theta, zero_users)
        model = build_items(responses, priors, centre)
        # The population starts at mean and standard deviation of the abilities.
        found = float(model.graph.compile_logp(mode="FAST_COMPILE")(model.start(generator)))
        mean, log_sd = theta.mean(), np.log(theta.std())
        z = np.exp(log_a[responses.item]) * (theta[responses.user] - b[responses.item])
        differences.append(
            found
            - stats.norm.logpdf(log_a, priors.log_a_mean, priors.log_a_sd).sum()
            - stats.norm.logpdf(b, priors.b_mean, priors.b_sd).sum()
            - stats.norm.logpdf(theta, mean, np.exp(log_sd)).sum()
            - stats.norm.logpdf(mean, 0, MEAN_SD)
            - stats.norm.logpdf(log_sd, 0, LOG_SD_SD)
            - special.log_expit(np.where(responses.correct == 1, z, -z)).sum()
            - (m + n) * log_sd  # abilities and difficulties are in units of the population
        )
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)


def evaluated(data, theta, log_a, b):
    """Probability of every response."""
    sparse, a = sorted_by_item(data.responses), np.exp(log_a)
    found = np.empty(len(sparse.user))
    evaluate(sparse.user, sparse.bounds, theta, a, a * b, found)
    return found


@pytest.mark.parametrize("free", [False, True])
def test_the_shift_and_the_scale_leave_the_likelihood_alone(data, free):
    theta, log_a, b = data.theta.copy(), np.log(data.a), data.b.copy()
    priors = item_priors(data.responses, data.anchors)
    before = evaluated(data, theta, log_a, b)
    generator = np.random.default_rng(0)
    population = np.array([0.1, 0.2])
    shift(generator, theta, b, priors.b_mean, priors.b_sd, free, population)
    moved = sum(
        scale(generator, 0.02, theta, log_a, b, priors.log_a_mean, priors.log_a_sd,
              priors.b_mean, priors.b_sd, free, population)
        for _ in range(50)
    )  # fmt: skip
    assert moved > 5
    assert np.abs(theta - data.theta).max() > 1e-3
    after = evaluated(data, theta, log_a, b)
    np.testing.assert_allclose(after, before, rtol=1e-9)
    if free:  # the population moves with its users: their units stay
        units = [(data.theta - 0.1) / np.exp(0.2), (theta - population[0]) / np.exp(population[1])]
        np.testing.assert_allclose(*units, rtol=1e-9)
    else:
        np.testing.assert_array_equal(population, [0.1, 0.2])


def test_after_many_sweeps_the_state_still_holds_its_own_probabilities(data):
    priors = item_priors(data.responses, data.anchors)
    centre = centre_of(calibrate_map(data.responses, data.anchors), priors)
    spec = SPEC.model_copy(update={"chains": 1, "draws": 300})
    sampler = GibbsChains(data.responses, priors, centre, spec, None, None)
    sampler.run()
    theta, log_a, b, probability, _ = sampler.chains[0].state
    assert (sampler.chains[0].accepted > 100).all()
    np.testing.assert_allclose(probability, evaluated(data, theta, log_a, b), rtol=1e-10)


def test_two_users_with_thousands_of_responses_are_sampled():
    generator = np.random.default_rng(1)
    b = np.linspace(-2, 2, 1500)
    p = 1 / (1 + np.exp(-(np.array([-0.5, 0.2, 0.6, 0.0])[:, None] - b)))
    responses = table(generator.random((4, 1500)) < p)
    spec = SamplerSpec(draws=200, tune=100, chains=2, seed=1)
    trace = calibrate_gibbs(responses, None, spec, most_draws=200).trace
    assert np.isfinite(trace["posterior"]["theta"].to_numpy()).all()
    assert float(trace["sample_stats"]["acceptance_theta"].min()) > 0.1


def test_an_interrupt_hands_back_the_draws_made(data, monkeypatch):
    def interrupt(progress):
        if min(chain.finished for chain in progress) > 100 and not sent:
            sent.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    sent = []
    # More chains than processors: none waits for another to end.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    spec = SamplerSpec(draws=200_000, tune=10, chains=4, seed=1)
    threads = threading.active_count()
    with pytest.raises(Interrupted) as stopped:
        calibrate_gibbs(data.responses, data.anchors, spec, interrupt)
    trace = stopped.value.sampled.trace
    assert 50 < trace["posterior"].sizes["draw"] < 200_000
    assert trace["posterior"].sizes["chain"] == 4
    assert np.isfinite(trace["posterior"]["a"].to_numpy()).all()
    assert threading.active_count() <= threads + 1


def test_abilities_too_many_to_keep_are_summarised(data, monkeypatch):
    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains._THETA_BYTES", 0)
    kept = calibrate_gibbs(data.responses, data.anchors, SPEC, most_draws=SPEC.draws).trace
    monkeypatch.undo()
    full = calibrate_gibbs(data.responses, data.anchors, SPEC, most_draws=SPEC.draws).trace
    assert "theta" not in kept["posterior"]
    np.testing.assert_array_equal(kept["posterior"]["a"], full["posterior"]["a"])
    draws = full["posterior"]["theta"].to_numpy().astype(float)
    summary = kept["theta_summary"]
    np.testing.assert_allclose(summary["mean"], draws.mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(summary["sd"], draws.std((0, 1), ddof=1), rtol=1e-4)
    assert float(summary["rhat"].max()) < 1.1


def test_abilities_that_grow_too_many_are_summarised_from_the_first_draw(data, monkeypatch):
    spec = SamplerSpec(draws=20, tune=50, chains=2, seed=1)
    full = calibrate_gibbs(data.responses, data.anchors, spec, most_draws=40).trace
    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains._THETA_BYTES", 4 * 150 * 2 * 20)
    kept = calibrate_gibbs(data.responses, data.anchors, spec, most_draws=40).trace
    assert "theta" not in kept["posterior"]
    draws = full["posterior"]["theta"].to_numpy().astype(float)
    np.testing.assert_allclose(kept["theta_summary"]["mean"], draws.mean((0, 1)), atol=1e-5)
    np.testing.assert_array_equal(kept["posterior"]["a"], full["posterior"]["a"])


def test_item_posteriors_lie_about_the_mode(data, gibbs):
    mode = calibrate_map(data.responses, data.anchors)
    draws = gibbs.trace["posterior"]["b"].to_numpy()
    assert np.abs((draws.mean((0, 1)) - mode.b) / mode.b_sd).max() < 0.5
    np.testing.assert_allclose(draws.std((0, 1)), mode.b_sd, rtol=0.25)


def test_gibbs_ends_by_the_thresholds_that_it_is_given(data):
    spec = SPEC.model_copy(update={"draws": 100, "tune": 50, "chains": 2})

    def drawn(**limits):
        found = calibrate_gibbs(
            data.responses, data.anchors, spec, most_draws=1600, thresholds=Thresholds(**limits)
        )
        return found.trace["posterior"].sizes["draw"]

    assert drawn(rhat=2.0, ess=5) == 100
    # Of 2 chains of 800 draws none has an ESS of 3,000, so that all there may be are drawn.
    assert drawn(rhat=2.0, ess=3000) == 1600
