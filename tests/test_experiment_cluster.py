"""Workers with folders of their own, a remote MLflow server on PostgreSQL, and one that is lost."""

import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager

import mlflow
import pytest
from example_cluster import environment, scheduler, worker
from example_store import bare_folder
from postgres import engine_of, free_port

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.rollcalls import earlier
from tallgrass.settings import load_settings
from tallgrass.tracking import reading

pytestmark = [pytest.mark.slow, pytest.mark.faults]

EXPERIMENT = Experiment(
    "seeds",
    "Does it survive the loss of a worker?",
    hold={"session": "sample", "draws": 200, "tune": 200, "chains": 2, "fit_checks": False},
    vary={"seed": [1, 2, 3, 4]},
)


@contextmanager
def mlflow_server(folder, backend):
    """The address of an MLflow server that keeps runs in a database and artifacts in a folder."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--artifacts-destination", str(folder / "artifacts")]
    variables = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    variables["MLFLOW_BACKEND_STORE_URI"] = backend
    with (folder / "server.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def test_a_lost_worker_loses_and_doubles_no_run(tmp_path, postgres_url):
    backend = engine_of(postgres_url).url.render_as_string(hide_password=False)
    with (
        mlflow_server(tmp_path, backend) as address,
        bare_folder(tmp_path),
        scheduler(tmp_path) as dask,
        worker(dask, tmp_path / "one") as doomed,
        worker(dask, tmp_path / "two"),
    ):
        killed = []

        def kill():
            """Kill a worker while it samples its second run."""
            client = mlflow.MlflowClient(address)
            while not killed:
                found = client.get_experiment_by_name("seeds")
                runs = client.search_runs([found.experiment_id]) if found else []
                states = [r.info.status for r in runs if "mlflow.parentRunId" in r.data.tags]
                if "FINISHED" in states and states.count("RUNNING") == 2:
                    doomed.kill()
                    killed.append(True)
                time.sleep(0.2)

        threading.Thread(target=kill, daemon=True).start()
        settings = load_settings({"tracking_uri": address, "progress": "none"})
        result = run_experiment(EXPERIMENT, settings, Options(scheduler=dask))
        assert killed
        assert doomed.poll() is not None
        assert not result.errors
        client = mlflow.MlflowClient()
        runs = client.search_runs([result.experiment_id], "tags.`mlflow.parentRunId` != ''")
        finished = [run for run in runs if run.info.status == "FINISHED"]
        dead = [run for run in runs if run.info.status != "FINISHED"]
        assert sorted(run.data.params["seed"] for run in finished) == list("1234")
        assert [run.info.status for run in dead] == ["FAILED"]
        assert dead[0].data.tags["error"] == "its worker was lost; the run was repeated"
        # everything is on the server, whichever folder its worker had
        for run in finished:
            assert {"trace/idata.nc", "report/index.html"} < set(
                reading.details(run.info.run_id)["artifacts"]
            )
            assert reading.load_trace(run.info.run_id).attrs["run_id"] == run.info.run_id
        assert not (tmp_path / "one" / "mlruns").exists()
        assert not (tmp_path / "two" / "mlflow.db").exists()
        table = earlier.runs(parent=result.run_id, status="FINISHED")
        assert len(table) == 4
        assert list((tmp_path / "artifacts").iterdir())
