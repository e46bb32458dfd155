"""Gibbs' draws on disk while they are made."""

import time

import numpy as np
import pytest
from item_data import simulated_items

from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.stream import DrawFiles, lengths, read_trace
from tallgrass.items.engines import calibrate_gibbs
from tallgrass.items.engines.sweeps import sweep


@pytest.fixture(scope="module")
def data():
    return simulated_items(150, 10, 3, per_user=8, seed=2)


@pytest.fixture
def often(monkeypatch):
    """A look every time that there may be one."""
    monkeypatch.setattr("tallgrass.items.engines.draw_cache.pause", lambda *_: 0.0)
    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains._POLL_S", 0.01)


TAKEN = []  # how many draws came at a time


class Files(DrawFiles):
    def append(self, chain, tuning, variables, stats):
        TAKEN.append(len(tuning))
        super().append(chain, tuning, variables, stats)


def run(data, folder, draws, most):
    TAKEN.clear()
    files = Files(folder)
    trace = calibrate_gibbs(
        data.responses,
        data.anchors,
        SamplerSpec(draws=draws, tune=10, chains=2, seed=1),
        most_draws=most,
        sink=files,
    ).trace
    files.close()
    return trace


@pytest.fixture
def slowly(monkeypatch):
    """Few sweeps at a time, with a pause between, until draws have been looked at several times.

    So it is again each time that draws are added.
    """
    before = {}  # room for so many draws -> how often draws had been taken when it was made

    def slow(*arguments):
        room = len(arguments[-2].a)
        if len(TAKEN) - before.setdefault(room, len(TAKEN)) <= 4:
            time.sleep(0.02)
        return sweep(*arguments)

    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains.sweep", slow)
    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains._SEGMENT_S", 0.01)


def first_draws(trace, name, n, folder):
    """The draws that are to be on disk: without a chain that was far behind at the last look."""
    chains = [chain for chain, length in enumerate(lengths(folder)) if length >= n]
    return trace["posterior"][name].isel(chain=chains, draw=slice(n))


def test_draws_on_disk_are_the_first_ones_of_the_trace(data, tmp_path, often, slowly):
    trace = run(data, tmp_path, 4000, 4000)
    kept = read_trace(tmp_path)
    n = kept["posterior"].sizes["draw"]
    assert 0 < n <= 4000
    assert len(TAKEN) > 4  # more than one look at the two chains
    for name in ("a", "b", "theta"):
        np.testing.assert_array_equal(
            kept["posterior"][name], first_draws(trace, name, n, tmp_path)
        )
    assert list(kept["posterior"]["item"].values) == list(data.responses.items)
    np.testing.assert_array_equal(kept["observed_data"]["correct"], data.responses.correct)


def test_draws_that_are_added_are_kept_as_well(data, tmp_path, often, slowly, monkeypatch):
    monkeypatch.setattr("tallgrass.items.engines.gibbs.converged", lambda *_: False)
    trace = run(data, tmp_path, 1000, 2000)
    kept = read_trace(tmp_path)["posterior"]
    assert kept.sizes["draw"] > 1000
    np.testing.assert_array_equal(kept["a"], first_draws(trace, "a", kept.sizes["draw"], tmp_path))


def test_abilities_that_grow_too_many_are_left_out_and_no_draw_of_an_item_is(
    data, tmp_path, often, slowly, monkeypatch
):
    monkeypatch.setattr("tallgrass.items.engines.gibbs_chains._THETA_BYTES", 4 * 150 * 2 * 500)
    monkeypatch.setattr("tallgrass.items.engines.gibbs.converged", lambda *_: False)
    trace = run(data, tmp_path, 500, 8000)
    kept = read_trace(tmp_path)["posterior"]
    assert "theta" not in kept
    assert kept.sizes["draw"] > 500
    np.testing.assert_array_equal(kept["b"], first_draws(trace, "b", kept.sizes["draw"], tmp_path))


def test_looks_come_seldom_where_writing_takes_long_for_the_time_of_a_draw(data, tmp_path):
    run(data, tmp_path, 100, 100)
    assert list(tmp_path.iterdir()) == []  # it took less than a second
