"""The benchmark of item engines, and the ranks of simulated truth."""

import json
import resource

import numpy as np
import pytest

from tallgrass.cli import main
from tallgrass.inference.spec import SamplerSpec
from tallgrass.lab.benchmark.items import Recovery, Size, one_engine, simulate
from tallgrass.lab.sbc.item_ranks import Ranks, rank_truth


def measured(capsys):
    """What the benchmark of two engines says, checked."""
    flags = ["--users=120", "--items=12", "--anchors=2", "--per-user=8", "--draws=60", "--tune=50"]
    assert main(["bench", "calibration", *flags, "--engines=gibbs,mml", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    gibbs, mml = answer["engines"]
    assert gibbs["engine"] == "gibbs"
    assert gibbs["draws"] >= 60
    assert gibbs["rhat"] < 1.2
    assert gibbs["divergences"] is None
    assert mml["rhat"] is None
    assert mml["recovery"]["b"]["correlation"] > 0.5
    return gibbs["peak_bytes"]


def test_bench_calibration_measures_every_engine(capsys, monkeypatch):
    monkeypatch.setattr("tallgrass.lab.benchmark.items.measure", one_engine)
    assert measured(capsys) > 0


@pytest.mark.slow
def test_bench_calibration_measures_the_memory_of_a_process_of_its_own(capsys):
    ballast = np.ones(500_000_000, np.int8)
    ours = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert 0 < measured(capsys) < ours - ballast.nbytes / 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["speed"], "unknown benchmark"),
        (["calibration", "--engines=stan"], "unknown engine"),
        (["calibration", "--per-user=600"], "more responses per user"),
    ],
)
def test_what_bench_cannot_do_is_one_clear_error(words, said, capsys):
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_simulated_calibration_is_recovered_with_its_intervals():
    size = Size(1500, 60, 8, 20)
    found = one_engine("map", size, SamplerSpec(), 3)
    assert found.recovery["b"].correlation > 0.95
    for name in ("b", "theta"):
        assert 0.88 < found.recovery[name].coverage < 0.99
    assert isinstance(found.recovery["a"], Recovery)


def test_the_same_seed_simulates_the_same_responses():
    one, other = (simulate(Size(50, 10, 2, 5), 7) for _ in range(2))
    assert one.responses.fingerprint == other.responses.fingerprint
    assert len(one.responses) == 250


def test_uniform_ranks_pass_and_skewed_ones_do_not():
    uniform = np.random.default_rng(0).random((200, 5))
    assert Ranks(tuple("abcde"), uniform).least_p > 0.01
    skewed = uniform.copy()
    skewed[:, 2] **= 1.6
    assert Ranks(tuple("abcde"), skewed).least_p < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["gibbs", "nuts"])
def test_the_truth_ranks_uniformly_among_the_draws(engine):
    assert rank_truth(engine, 60, seed=2).least_p > 0.005
