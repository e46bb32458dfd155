"""Chains that sample before anybody follows them."""

import threading
import time

import numpy as np
import pymc as pm
import pytest
from toy import toy_model, usual_votes

from tallgrass.inference.compiled import stored_code
from tallgrass.inference.sampler_threads import thread_ids
from tallgrass.inference.samplers import ahead, sample_and_assemble
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models.base import Model

SHORT = SamplerSpec(draws=40, tune=60, chains=2, seed=7)
LONG = SHORT.model_copy(update={"draws": 1_000_000})


@pytest.fixture(scope="module")
def hierarchical():
    return toy_model(usual_votes(), model="hierarchical")


@pytest.fixture(scope="module")
def followed(hierarchical):
    return sample_and_assemble(hierarchical, SHORT, lambda raw, _: raw)


def new_native_threads(before):
    return thread_ids() - before - {thread.native_id for thread in threading.enumerate()}


def test_chains_that_began_ahead_give_the_draws_of_those_that_did_not(hierarchical, followed):
    begun = ahead(hierarchical, SHORT)
    time.sleep(0.2)
    early = sample_and_assemble(hierarchical, SHORT, lambda raw, _: raw, begun=begun)

    assert 0.2 <= early.ahead_s <= early.sampling_s
    assert followed.ahead_s < 0.1
    for name, draws in followed.trace["posterior"].data_vars.items():
        assert np.array_equal(draws, early.trace["posterior"][name])


def test_an_observer_hears_of_chains_that_began_without_it(hierarchical, followed):
    heard = []
    begun = ahead(hierarchical, SHORT)
    sample_and_assemble(hierarchical, SHORT, lambda raw, _: raw, heard.append, begun=begun)
    assert [chain.finished for chain in heard[-1]] == [100, 100]


def test_chains_whose_draws_nobody_takes_end_with_their_threads(hierarchical, followed):
    before = thread_ids()
    begun = ahead(hierarchical, LONG)
    assert new_native_threads(before)
    begun.end()
    assert not new_native_threads(before)
    begun.end()  # a second time changes nothing


def test_to_end_chains_that_were_followed_changes_nothing(hierarchical, followed):
    begun = ahead(hierarchical, SHORT)
    sampled = sample_and_assemble(hierarchical, SHORT, lambda raw, _: raw, begun=begun)
    begun.end()
    assert sampled.trace["posterior"].sizes["draw"] == 40


def test_nothing_begins_ahead_that_would_have_to_be_compiled():
    with pm.Model(coords={"entry": range(3)}) as graph:
        x = pm.Flat("x", dims="entry")
        pm.Potential("density", -(x**2).sum() / time.time())  # a constant is a part of the code
    model = Model(graph, ("x",), lambda generator: {"x": generator.normal(size=3)})

    assert stored_code(model) is None
    assert ahead(model, SHORT) is None


@pytest.mark.parametrize("chosen", [{"sampler": "pymc"}, {"adaptation": "flow"}])
def test_nothing_begins_ahead_that_is_not_compiled_for_nutpie_by_us(hierarchical, chosen):
    assert ahead(hierarchical, SHORT.model_copy(update=chosen)) is None
