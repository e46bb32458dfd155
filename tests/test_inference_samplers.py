import dataclasses
import importlib.util
import logging
import os
import signal
import threading

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats
from toy import toy_model, usual_votes

from tallgrass.errors import SamplingError
from tallgrass.inference.draws import Interrupted
from tallgrass.inference.progress import ChainProgress
from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.sampler_threads import thread_ids
from tallgrass.inference.samplers import adaptation as mass_matrix_of
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.samplers import trajectory as steps_of
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models.base import Model
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample

PUBLIC = {
    "flat": ["xi", "alpha", "beta"],
    "hierarchical": ["xi", "mu_party", "sigma_within", "alpha", "beta"],
}
VOTES = usual_votes()
SHORT = SamplerSpec(draws=40, tune=60, chains=2, seed=7)


@pytest.fixture(scope="module")
def hierarchical():
    return toy_model(VOTES, model="hierarchical")


@pytest.fixture(scope="module")
def flat():
    return toy_model(VOTES, model="flat")


@pytest.fixture(scope="module")
def by_nutpie(hierarchical):
    scores = make_start(VOTES, "pca").scores
    return sample(hierarchical, VOTES, SHORT, scores, {"run_id": "abc", "model": "hierarchical"})


@pytest.fixture(scope="module")
def flat_by_nutpie(flat):
    return sample(flat, VOTES, SHORT, attributes={"run_id": "abc", "model": "flat"})


def same_posterior(one, other):
    return one["posterior"].to_dataset().identical(other["posterior"].to_dataset())


# What sampling gives back.


def test_the_posterior_holds_the_public_names_only(by_nutpie):
    posterior = by_nutpie.trace["posterior"]
    assert list(posterior.data_vars) == PUBLIC["hierarchical"]
    assert posterior["xi"].dims == ("chain", "draw", "legislator")
    assert posterior["beta"].dims == ("chain", "draw", "rollcall")
    assert posterior["mu_party"].dims == ("chain", "draw", "party")
    assert dict(posterior.sizes) == {
        "chain": 2,
        "draw": 40,
        "legislator": 15,
        "rollcall": 30,
        "party": 2,
    }
    assert list(posterior["legislator"].values) == list(VOTES.slugs)
    assert list(posterior["rollcall"].values) == list(VOTES.vote_ids)
    assert list(posterior["party"].values) == ["Democrat", "Republican"]


def test_sampler_statistics_have_the_names_and_types_of_the_contract(by_nutpie):
    types = {
        "diverging": bool,
        "reached_max_treedepth": bool,
        "n_steps": np.int64,
        "tree_depth": np.int64,
        "energy": float,
        "step_size": float,
        "acceptance_rate": float,
        "lp": float,
    }
    for group, draws in (("sample_stats", 40), ("warmup_sample_stats", 60)):
        dataset = by_nutpie.trace[group].to_dataset()
        assert {name: x.dtype for name, x in dataset.data_vars.items()} == types
        assert dict(dataset.sizes) == {"chain": 2, "draw": draws}
        assert all(np.isfinite(x.values).all() for x in dataset.data_vars.values())


def test_votes_parties_and_start_are_kept_with_the_draws(by_nutpie, hierarchical):
    observed, constant = by_nutpie.trace["observed_data"], by_nutpie.trace["constant_data"]
    assert np.array_equal(observed["votes"], VOTES.cells)
    assert observed["votes"].dtype == np.int8
    assert np.array_equal(constant["party_index"], VOTES.party_index)
    assert np.array_equal(constant["start_score"], make_start(VOTES, "pca").scores)
    assert not constant["anchor"].any()
    without = sample(hierarchical, VOTES, SHORT)
    assert "start_score" not in without.trace["constant_data"]


def test_the_root_says_where_the_draws_are_from(by_nutpie):
    attributes = by_nutpie.trace.attrs
    assert attributes["sampler"] == "nutpie"
    assert attributes["sampler_version"] == attributes["version_nutpie"]
    assert attributes["data_sha256"] == VOTES.fingerprint
    assert (attributes["session"], attributes["chamber"]) == ("toy", "house")
    assert (attributes["run_id"], attributes["model"]) == ("abc", "hierarchical")
    assert attributes["sampling_s"] == by_nutpie.sampling_s > 0
    assert attributes["compile_s"] == by_nutpie.compile_s > 0


def test_mu_of_the_democrats_is_the_lower_one_in_every_draw(by_nutpie):
    mu = by_nutpie.trace["posterior"]["mu_party"]
    assert bool((mu.sel(party="Democrat") < mu.sel(party="Republican")).all())


def test_the_anchors_of_the_flat_model_are_constant(flat, flat_by_nutpie):
    trace = flat_by_nutpie.trace
    assert list(trace["posterior"].data_vars) == PUBLIC["flat"]
    anchor = trace["constant_data"]["anchor"].values
    assert sorted(np.flatnonzero(anchor)) == sorted(flat.anchors)
    xi = trace["posterior"]["xi"].values
    for row, position in zip(flat.anchors, flat.anchor_positions, strict=True):
        np.testing.assert_allclose(xi[..., row], position, atol=1e-12)
    assert xi[..., np.flatnonzero(anchor == 0)].std(axis=(0, 1)).min() > 0


# PyMC's own sampler. One run of it serves these tests: it compiles for seconds every time.


@pytest.fixture(scope="module")
def by_pymc(flat):
    calls = []

    def observer(progress):
        calls.append(progress)
        raise ValueError("the display is gone")

    spec = SHORT.model_copy(update={"sampler": "pymc"})
    attributes = {"run_id": "abc", "model": "flat"}
    return sample(flat, VOTES, spec, None, attributes, observer), calls


def test_both_samplers_give_the_same_layout(flat_by_nutpie, by_pymc):
    one, other = flat_by_nutpie.trace, by_pymc[0].trace
    assert set(one.children) - {"warmup_sample_stats"} == set(other.children)
    for group in other.children:
        first, second = one[group].to_dataset(), other[group].to_dataset()
        for kind in ("data_vars", "coords"):
            variables, others = getattr(first, kind), getattr(second, kind)
            assert set(variables) == set(others)
            for name, x in variables.items():
                y = others[name]
                assert (name, x.dims, x.shape, x.dtype) == (name, y.dims, y.shape, y.dtype)
                assert x.attrs == y.attrs
        assert first.attrs == second.attrs
    assert set(one.attrs) == set(other.attrs)
    assert other.attrs["sampler"] == "pymc"


def test_an_observer_that_fails_does_not_stop_pymc(by_pymc):
    sampled, calls = by_pymc
    assert len(calls) >= 2
    assert isinstance(calls[-1][0], ChainProgress)
    assert max(chain.finished for chain in calls[-1]) == 100
    assert np.isfinite(sampled.trace["posterior"]["xi"].values).all()


# Observers.


@pytest.mark.parametrize("step_size", [None, np.nan, np.inf])
def test_a_step_size_that_is_not_finite_is_none(step_size):
    assert ChainProgress(0, 5, 20, True, 0, step_size).step_size is None


def test_the_observer_hears_of_every_chain(hierarchical):
    calls = []
    sample(hierarchical, VOTES, SamplerSpec(draws=400, tune=100, chains=2), observer=calls.append)
    assert [chain.chain for chain in calls[-1]] == [0, 1]
    assert {chain.total for chain in calls[-1]} == {500}
    assert all(chain.finished == 500 and not chain.tuning for chain in calls[-1])


def test_an_observer_that_fails_is_logged_once_and_does_not_stop_nutpie(hierarchical, caplog):
    def observer(progress):
        raise ValueError("the display is gone")

    spec = SamplerSpec(draws=3000, tune=100, chains=2)
    with caplog.at_level(logging.WARNING):
        trace = sample(hierarchical, VOTES, spec, observer=observer).trace
    assert trace["posterior"].sizes["draw"] == 3000
    assert [r.message for r in caplog.records] == ["cannot report the progress of sampling"]


# Seeds.


def test_the_same_seed_gives_identical_draws(by_nutpie):
    model = toy_model(VOTES, model="hierarchical")
    again = sample(model, VOTES, SHORT)
    assert again.from_cache
    assert same_posterior(again.trace, by_nutpie.trace)


def test_another_seed_gives_other_draws_and_chains_start_apart(hierarchical, by_nutpie):
    other = sample(hierarchical, VOTES, SHORT.model_copy(update={"seed": 8}))
    assert not same_posterior(other.trace, by_nutpie.trace)
    first = by_nutpie.trace["warmup_sample_stats"]["lp"].isel(draw=0).values
    assert len(set(first)) == 2


@pytest.mark.parametrize("trajectory", ["leapfrog", "normal"])
@pytest.mark.parametrize("adaptation", ["draw_diag", "low_rank"])
def test_every_adaptation_samples_with_either_trajectory(hierarchical, adaptation, trajectory):
    chosen = {"adaptation": adaptation, "trajectory": trajectory}
    trace = sample(hierarchical, VOTES, SHORT.model_copy(update=chosen)).trace
    assert np.isfinite(trace["posterior"]["xi"].values).all()


# Trajectories.


def skewed(n):
    """Logarithms of n gamma variables of shape 2: far from normal, and their CDF is known."""
    with pm.Model(coords={"entry": range(n)}) as graph:
        x = pm.Flat("x", dims="entry")
        pm.Potential("density", (2 * x - pt.exp(x)).sum())
    return Model(graph, ("x",), lambda generator: {"x": generator.normal(size=n)})


@pytest.mark.parametrize("trajectory", ["leapfrog", "normal"])
def test_either_trajectory_draws_from_a_density_that_is_not_normal(trajectory):
    spec = SamplerSpec(draws=2000, tune=500, seed=3, trajectory=trajectory)
    tree = sample_and_assemble(skewed(40), spec, lambda raw, _: raw).trace
    u = stats.gamma.cdf(np.exp(tree["posterior"]["x"].to_numpy()), 2)
    for values, mean in ((u, 1 / 2), ((u - 1 / 2) ** 2, 1 / 12)):
        error = values.std((0, 1)) / np.sqrt(rank_diagnostics(values).ess_bulk)
        z = (values.mean((0, 1)) - mean) / error
        assert np.abs(z).max() < 4  # P = 0.0025 that one of 40 is beyond
        assert np.abs(z.mean()) < 3.5 / np.sqrt(z.size)


def test_normal_trajectories_take_longer_steps_where_the_posterior_is_nearly_normal():
    with pm.Model(coords={"entry": range(200)}) as graph:
        x = pm.Flat("x", dims="entry")
        pm.Potential("density", -(x**2).sum() / 2 - (x**4).sum() / 200)
    model = Model(graph, ("x",), lambda generator: {"x": generator.normal(size=200)})
    steps = {}
    for trajectory in ("leapfrog", "normal"):
        spec = SHORT.model_copy(update={"tune": 300, "trajectory": trajectory})
        tree = sample_and_assemble(model, spec, lambda raw, _: raw).trace
        steps[trajectory] = tree["sample_stats"]["step_size"].values.min()
    assert steps["normal"] > 1.5 * steps["leapfrog"]


def test_a_model_has_the_trajectory_that_suits_it_unless_another_is_asked_for(
    hierarchical, by_nutpie
):
    assert by_nutpie.trace.attrs["trajectory"] == "leapfrog"
    near_normal = dataclasses.replace(hierarchical, trajectory="normal")
    found = sample(near_normal, VOTES, SHORT).trace
    assert found.attrs["trajectory"] == "normal"
    assert not same_posterior(found, by_nutpie.trace)
    asked = sample(near_normal, VOTES, SHORT.model_copy(update={"trajectory": "leapfrog"})).trace
    assert asked.attrs["trajectory"] == "leapfrog"
    assert same_posterior(asked, by_nutpie.trace)
    assert steps_of("normal", SamplerSpec(sampler="pymc")) == "leapfrog"


def test_a_model_has_the_mass_matrix_that_suits_it_unless_another_is_asked_for(
    hierarchical, by_nutpie
):
    assert by_nutpie.trace.attrs["adaptation"] == "draw_diag"
    asked = sample(hierarchical, VOTES, SHORT.model_copy(update={"adaptation": "diag"})).trace
    assert asked.attrs["adaptation"] == "diag"
    assert not same_posterior(asked, by_nutpie.trace)
    of_model = dataclasses.replace(hierarchical, adaptation="diag")
    assert same_posterior(sample(of_model, VOTES, SHORT).trace, asked)
    assert mass_matrix_of("draw_diag", SamplerSpec(sampler="pymc")) == "diag"


@pytest.mark.parametrize(
    ("spec", "adaptation"),
    [
        ({}, "draw_diag"),
        ({"beta_prior": "lognormal:0,1"}, "diag"),
        ({"discrimination": "equal"}, "diag"),
        ({"coordinates": "textbook"}, "diag"),
        ({"model": "flat"}, "diag"),
    ],
)
def test_slopes_of_either_sign_by_party_suit_a_mass_matrix_of_draws(spec, adaptation):
    assert toy_model(VOTES, **spec).adaptation == adaptation


def test_the_flow_says_what_to_install_where_jax_is_missing(hierarchical):
    if importlib.util.find_spec("jax"):
        pytest.skip("JAX is installed")
    with pytest.raises(SamplingError, match=r"tallgrass\[flow\]"):
        sample(hierarchical, VOTES, SHORT.model_copy(update={"adaptation": "flow"}))


def test_a_start_without_a_finite_density_is_an_error_that_names_it(hierarchical):
    def nowhere(generator):
        return {name: np.nan * x for name, x in hierarchical.start(generator).items()}

    broken = dataclasses.replace(hierarchical, start=nowhere)
    with pytest.raises(SamplingError, match="initialization points failed"):
        sample(broken, VOTES, SHORT)


def test_starts_that_fail_leave_no_thread_that_would_outlive_this_process(hierarchical):
    def nowhere(generator):
        return {name: np.nan * x for name, x in hierarchical.start(generator).items()}

    broken = dataclasses.replace(hierarchical, start=nowhere)
    sample(hierarchical, VOTES, SHORT)  # whatever libraries begin once
    before = thread_ids()
    for _ in range(5):
        with pytest.raises(SamplingError, match="initialization points failed"):
            sample(broken, VOTES, SHORT)
        assert thread_ids() <= before


# Interrupts.


def interrupt_when(condition):
    """An observer that interrupts this process once the condition holds for the progress."""
    state = {"done": False}

    def observer(progress):
        if not state["done"] and condition(progress):
            state["done"] = True
            os.kill(os.getpid(), signal.SIGINT)

    return observer


def test_an_interrupt_gives_back_the_draws_made_until_then(hierarchical):
    def sampled_some(progress):
        return all(chain.finished > 400 for chain in progress)

    spec = SamplerSpec(draws=1_000_000, tune=200, chains=2)
    with pytest.raises(Interrupted) as caught:
        sample(hierarchical, VOTES, spec, observer=interrupt_when(sampled_some))
    trace = caught.value.sampled.trace
    assert 100 < trace["posterior"].sizes["draw"] < 900_000
    assert trace["posterior"].sizes["draw"] == trace["sample_stats"].sizes["draw"]
    for group in ("posterior", "sample_stats"):
        for x in trace[group].data_vars.values():
            assert np.isfinite(x.values).all()
    assert trace["sample_stats"]["n_steps"].values.min() > 0
    assert trace["warmup_sample_stats"].sizes["draw"] == 200


@pytest.mark.parametrize("sampler", ["nutpie", pytest.param("pymc", marks=pytest.mark.slow)])
def test_sampling_that_is_asked_to_stop_gives_back_its_draws(hierarchical, sampler):
    enough = threading.Event()

    def observer(progress):
        if all(chain.finished >= 400 for chain in progress):
            enough.set()

    spec = SamplerSpec(sampler=sampler, draws=100_000, tune=200, chains=2)
    with pytest.raises(Interrupted) as caught:
        sample(hierarchical, VOTES, spec, observer=observer, stopped=enough.is_set)
    assert 100 < caught.value.sampled.trace["posterior"].sizes["draw"] < 100_000


def test_an_interrupt_while_tuning_gives_back_no_draws(hierarchical):
    def began(progress):
        return any(chain.finished > 10 for chain in progress)

    spec = SamplerSpec(draws=100, tune=1_000_000, chains=2)
    with pytest.raises(Interrupted) as caught:
        sample(hierarchical, VOTES, spec, observer=interrupt_when(began))
    assert caught.value.sampled is None


@pytest.mark.slow
@pytest.mark.parametrize(("tune", "draws"), [(200, 100_000), (100_000, 100)])
def test_an_interrupt_of_pymc_gives_back_the_draws_made_until_then(hierarchical, tune, draws):
    def some(progress):
        return all(chain.finished >= 400 for chain in progress)

    spec = SamplerSpec(sampler="pymc", draws=draws, tune=tune, chains=2)
    with pytest.raises(Interrupted) as caught:
        sample(hierarchical, VOTES, spec, observer=interrupt_when(some))
    sampled = caught.value.sampled
    if tune > draws:
        assert sampled is None
    else:
        assert 100 < sampled.trace["posterior"].sizes["draw"] < draws
        assert np.isfinite(sampled.trace["posterior"]["xi"].values).all()
