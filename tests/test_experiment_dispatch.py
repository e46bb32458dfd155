"""Runs given to real Dask workers, one after another."""

import mlflow
import pytest
from example_store import default_store

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.settings import load_settings

pytestmark = pytest.mark.slow
PARENT = -1  # has no seed
HOLD = {"session": "simulated", "draws": 20, "tune": 20, "chains": 1, "fit_checks": False}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A baseline, one run of many draws and two of few on two local workers, by the seed."""
    extra = tuple({"seed": n, "draws": 20_000 if n == 1 else 20} for n in range(4))
    asked = Experiment("uneven", "?", hold=HOLD, extra=extra, baseline={"seed": 0})
    with default_store(tmp_path_factory.mktemp("dispatch")):
        made = run_experiment(asked, load_settings({"progress": "none"}), Options(workers=2))
        found = mlflow.search_runs([made.experiment_id], output_format="list")
        yield {int(r.data.params.get("seed", PARENT)): r for r in found}


def test_a_worker_that_is_done_takes_the_next_run_from_a_slow_one(runs):
    slow, first, second = (runs[seed].data.tags["process.pid"] for seed in (1, 2, 3))
    assert first == second
    assert slow != first


def test_a_run_waits_for_the_one_that_it_is_compared_with(runs):
    for seed in (1, 2, 3):
        assert runs[seed].info.start_time >= runs[0].info.end_time
        assert runs[seed].data.params["baseline"] == runs[0].info.run_id


def test_an_experiment_that_expects_nothing_is_unresolved(runs):
    assert runs[PARENT].data.tags["verdict"] == "unresolved"
