"""Workers with folders of their own, a remote MLflow server on PostgreSQL, and one that is lost."""

import threading
import time

import fault_tools
import mlflow
import pytest
from example_cluster import scheduler, wait_for_workers, worker
from example_store import bare_folder
from postgres import engine_of

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


def test_a_lost_worker_loses_and_doubles_no_run(tmp_path, postgres_url):
    backend = engine_of(postgres_url).url.render_as_string(hide_password=False)
    with (
        fault_tools.server(tmp_path, backend) as server,
        bare_folder(tmp_path),
        scheduler(tmp_path) as dask,
        worker(dask, tmp_path / "one") as doomed,
        worker(dask, tmp_path / "two"),
    ):
        address, killed = server.url, []

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

        wait_for_workers(dask, 2)
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
