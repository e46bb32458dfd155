"""A worker that has a nanny, as ``dask worker`` starts it, and the nanny is killed."""

import threading
import time

import mlflow
import psutil
import pytest
from example_cluster import QUICK, scheduler, wait_for_workers, worker
from example_store import default_store

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.settings import load_settings

pytestmark = pytest.mark.faults

EXPERIMENT = Experiment(
    "seeds", "Does it survive the loss of a nanny?", hold=QUICK, vary={"seed": [1, 2, 3]}
)


def children(client):
    found = client.get_experiment_by_name("seeds")
    runs = client.search_runs([found.experiment_id]) if found else []
    return [run for run in runs if "mlflow.parentRunId" in run.data.tags]


def test_a_nanny_that_is_killed_loses_doubles_and_leaves_no_run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with (
        default_store(tmp_path),
        scheduler(tmp_path) as dask,
        worker(dask, tmp_path / "one", nanny=True) as nanny,
        worker(dask, tmp_path / "two"),
    ):
        orphans = []

        def kill():
            """Kill the nanny, and nothing else, while both workers make a run."""
            client = mlflow.MlflowClient()
            while not orphans:
                states = [run.info.status for run in children(client)]
                if states.count("RUNNING") == 2:
                    orphans.extend(psutil.Process(nanny.pid).children())
                    nanny.kill()
                time.sleep(0.05)

        wait_for_workers(dask, 2)
        threading.Thread(target=kill, daemon=True).start()
        settings = load_settings({"progress": "none"})
        result = run_experiment(EXPERIMENT, settings, Options(scheduler=dask))
        assert orphans
        assert psutil.wait_procs(orphans, timeout=20)[1] == []  # none works on for nobody
        assert not result.errors
        runs = children(mlflow.MlflowClient())
        finished = [run for run in runs if run.info.status == "FINISHED"]
        dead = [run for run in runs if run.info.status != "FINISHED"]
        assert sorted(run.data.params["seed"] for run in finished) == list("123")
        assert [run.info.status for run in dead] == ["FAILED"]
        assert dead[0].data.tags["error"] == "its worker was lost; the run was repeated"
