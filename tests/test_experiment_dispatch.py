"""Runs given to real Dask workers, one after another."""

import os
from pathlib import Path

import mlflow
import pytest
from distributed import Client
from example_store import default_store

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.experiment.dispatch import _submit, make_runs
from tallgrass.experiment.expansion import PlannedRun
from tallgrass.experiment.live import board
from tallgrass.experiment.worker import Order
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import load_settings

PARENT = -1  # has no seed
OF_A_FILE = f"{Path(__file__).parent.parent}/projects/own-model/models.py:rasch"
HOLD = {"session": "simulated", "draws": 20, "tune": 20, "chains": 1, "fit_checks": False}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """On two local workers a baseline, a run of many draws, others of few; by the seed."""
    extra = tuple({"seed": n, "draws": 20_000 if n == 1 else 20} for n in range(4))
    extra += ({"seed": 4, "model": OF_A_FILE},)
    asked = Experiment("uneven", "?", hold=HOLD, extra=extra, baseline={"seed": 0})
    with default_store(tmp_path_factory.mktemp("dispatch")):
        made = run_experiment(asked, load_settings({"progress": "none"}), Options(workers=2))
        found = mlflow.search_runs([made.experiment_id], output_format="list")
        yield {int(r.data.params.get("seed", PARENT)): r for r in found}


@pytest.mark.slow
def test_a_worker_that_is_done_takes_the_next_runs_from_a_slow_one(runs):
    slow, *quick = (runs[seed].data.tags["process.pid"] for seed in range(1, 4))
    assert len(set(quick)) == 1
    assert slow not in quick


@pytest.mark.slow
def test_a_run_waits_for_the_one_that_it_is_compared_with(runs):
    for seed in range(1, 4):
        assert runs[seed].info.start_time >= runs[0].info.end_time
        assert runs[seed].data.params["baseline"] == runs[0].info.run_id


@pytest.mark.slow
def test_a_model_of_a_file_is_sampled_by_a_worker(runs):
    run = runs[4]
    assert run.info.status == "FINISHED"
    assert run.data.params["model"] == OF_A_FILE
    assert run.data.tags["process.pid"] != str(os.getpid())
    assert "abs_r" in run.data.metrics  # it has ideal points, which are held against the baseline


@pytest.mark.slow
def test_an_experiment_that_expects_nothing_is_unresolved(runs):
    assert runs[PARENT].data.tags["verdict"] == "unresolved"


def test_no_more_runs_are_submitted_than_there_are_workers():
    planned = [PlannedRun(f"{n}", f"run {n}", RunSpec()) for n in range(5)]
    # Of another version: the workers refuse them at once.
    orders = [
        (run, Order(run.key, run.label, "{}", {}, "parent", "attempt", "0.0")) for run in planned
    ]
    left, under_way = list(orders), {}
    with Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as made:
        for _ in range(2):
            _submit(made, left, under_way, {})
            assert len(under_way) == 2
        assert [run for run, _ in left] == planned[2:]


def test_every_order_has_an_outcome():
    planned = [PlannedRun(f"{n}", f"run {n}", RunSpec()) for n in range(5)]
    orders = [
        (run, Order(run.key, run.label, "{}", {}, "parent", "attempt", "0.0")) for run in planned
    ]
    outcomes = {}
    with (
        Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as made,
        board(planned, "none") as shown,
    ):
        make_runs(made, orders, outcomes, shown)
    assert sorted(outcomes) == [run.key for run in planned]
    assert all("install the same version" in one.error for one in outcomes.values())
