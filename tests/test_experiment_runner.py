"""Experiments made by real Dask workers, kept in a real MLflow store."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
import xarray as xr
from distributed import Client
from example_cluster import QUICK, environment, scheduler, worker
from example_store import default_store

from tallgrass.cli import main
from tallgrass.errors import SpecError
from tallgrass.experiment import (
    Experiment,
    Options,
    cluster,
    read_experiment,
    run_experiment,
)
from tallgrass.rollcalls import earlier
from tallgrass.settings import load_settings
from tallgrass.tracking import reading

ROOT = Path(__file__).parent.parent
FILE = """\
name = "starts"
question = "Does the start | matter?"
hypothesis = "Not with so few draws."
expect = [{ init = "none", verdict = "fail" }, { init = "none", abs_r = "> 0.5" }]
[hold]
session = "simulated"
draws = 30
tune = 40
chains = 2
fit_checks = false
[vary]
init = ["pca", "none"]
[[extra]]
session = "missing"
[baseline]
init = "pca"
"""


def settings():
    return load_settings({"progress": "none"})


def children(parent):
    client = mlflow.MlflowClient()
    everything = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return [r for r in everything if r.data.tags.get("mlflow.parentRunId") == parent]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An experiment on a local worker: two runs, and one whose data is missing."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "experiment.toml").write_text(FILE)
    with default_store(folder):
        yield folder, run_experiment(read_experiment(folder), settings(), Options(workers=1))


@pytest.fixture
def inside(made, monkeypatch):
    monkeypatch.chdir(made[0])
    return made[1]


def test_every_run_is_finished_under_the_parent_with_its_hash(inside):
    runs = children(inside.run_id)
    assert {run.info.run_name for run in runs} == {
        "simulated senate pca start",
        "simulated senate no start",
    }
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len({run.data.tags["experiment.spec_sha256"] for run in runs}) == 2
    assert mlflow.MlflowClient().get_run(inside.run_id).info.status == "FINISHED"


def test_a_run_whose_data_a_worker_does_not_have_is_told_and_costs_no_other(inside):
    assert list(inside.errors) == ["missing senate pca start"]
    assert "'missing'" in inside.errors["missing senate pca start"]


def test_runs_are_compared_with_the_baseline_of_the_experiment(inside):
    tags = {run.info.run_name: (run.info.run_id, run.data.tags) for run in children(inside.run_id)}
    baseline = tags["simulated senate pca start"][0]
    assert tags["simulated senate no start"][1]["baseline.run_id"] == baseline
    assert "baseline.run_id" not in tags["simulated senate pca start"][1]


def test_the_parent_run_holds_answers_tables_and_both_pages(inside):
    parent = reading.details(inside.run_id)
    assert {"comparison.md", "report/index.html", "tables/results.csv"} < set(parent["artifacts"])
    assert parent["tags"]["verdict"] == inside.results.verdict
    text = Path(parent["artifact_uri"], "comparison.md").read_text()
    assert text.startswith("# starts\n\n**Does the start | matter?**")
    assert "- init none: verdict fail: **holds**" in text
    assert "missing senate pca start: no result" in text
    assert "| R-hat max | < 1.01 |" in text
    page = Path(inside.report_path).read_text()
    assert "Does the start | matter?" in page
    assert "Ideal points of every pair of runs" in page
    agreement = page.split("<caption>Agreement with the first run")[1].split("</table>")[0]
    assert "r within Republicans" in agreement
    assert "simulated senate no start" in agreement
    assert ", from rank " in agreement
    assert "| Fit |" in text


def test_the_experiment_in_mlflow_says_what_is_asked_and_has_the_view_of_results(inside):
    found = mlflow.MlflowClient().get_experiment_by_name("starts")
    assert found.tags["mlflow.note.content"].startswith("**Does the start | matter?**")
    view = json.loads(found.tags["mlflow.sharedViewState.results"])
    assert "metrics.`rhat_max`" in json.loads(view["state"])["selectedColumns"]
    parent = mlflow.MlflowClient().get_run(inside.run_id)
    said = parent.data.tags["answers"]
    assert said.endswith(f" of {len(inside.answers)} as expected")
    assert f'<span class="badge">{said}</span>' in Path(inside.report_path).read_text("utf-8")
    view = "runs?workflowType=machine_learning&viewStateShareKey=results"
    assert inside.results_url.endswith(f"{found.experiment_id}/{view}")


def test_the_table_of_an_experiment_is_found_by_its_name(inside):
    table = reading.table("starts")
    assert set(table["run"]) == {"simulated senate pca start", "simulated senate no start"}
    assert "**" in reading.table(inside.run_id, as_markdown=True)


def test_the_list_of_runs_leaves_parents_out_and_can_be_of_one_parent(inside):
    assert inside.run_id not in set(earlier.runs()["run_id"])
    assert len(earlier.runs(parent=inside.run_id[:8])) == 2


def test_traces_are_opened_when_they_are_asked_for(inside):
    traces = reading.load_many(earlier.runs(parent=inside.run_id))
    assert len(traces) == 2
    for run_id, trace in traces.items():
        assert trace.attrs["run_id"] == run_id
    with pytest.raises(KeyError):
        traces["0" * 32]


@pytest.fixture
def worker_of_this_process(monkeypatch):
    """A worker that need not import anything anew."""

    @contextmanager
    def here(*_):
        one = {"processes": False, "n_workers": 1, "threads_per_worker": 1}
        with Client(**one, dashboard_address=None) as client:
            yield client

    monkeypatch.setattr(cluster, "workers", here)


def test_resuming_makes_only_what_is_missing(inside, made, worker_of_this_process):
    before = {run.info.run_id for run in children(inside.run_id)}
    experiment = read_experiment(made[0])
    more = Experiment(**{**vars(experiment), "extra": ({"seed": 7},)})
    result = run_experiment(more, settings(), Options(resume=True))
    assert result.run_id == inside.run_id
    after = {run.info.run_id for run in children(inside.run_id)}
    assert before < after
    assert len(after) == 3
    assert not result.errors


def test_a_worker_keeps_no_draws_of_runs_that_are_over(inside, worker_of_this_process):
    def traces():
        return sum(issubclass(type(found), xr.DataTree) for found in gc.get_objects())

    gc.unfreeze()  # draws that fixtures of other tests hold are among those before and after
    gc.collect()
    before, often = traces(), gc.get_threshold()
    hold = {"session": "simulated", "draws": 30, "tune": 40, "chains": 2, "fit_checks": False}
    asked = Experiment("forgotten", "?", hold=hold, extra=({"seed": 1}, {"seed": 2}))
    assert not run_experiment(asked, settings(), Options()).errors
    gc.unfreeze()
    try:
        assert traces() == before
    finally:
        gc.freeze()  # as the other tests begin
    assert gc.get_threshold() == often


def test_local_workers_are_no_more_than_runs():
    assert cluster.local_workers(1) == 1
    assert 1 <= cluster.local_workers(100) <= (os.cpu_count() or 1)


@pytest.mark.faults
def test_a_scheduler_that_cannot_be_reached_is_one_clear_error(tmp_path):
    with default_store(tmp_path):
        asked = Experiment("one", "?", hold=QUICK)
        with pytest.raises(SpecError, match="cannot reach the Dask scheduler"):
            run_experiment(asked, settings(), Options(scheduler="tcp://127.0.0.1:9"))
        (run,) = mlflow.MlflowClient().search_runs(["1"])
        assert run.info.status == "FAILED"


@pytest.mark.faults
def test_a_worker_with_another_version_is_refused_with_both_versions(tmp_path):
    other = tmp_path / "other" / "tallgrass-9.9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: tallgrass\nVersion: 9.9.9\n")
    path = {"PYTHONPATH": str(other.parent)}
    with (
        default_store(tmp_path),
        scheduler(tmp_path) as address,
        worker(address, tmp_path / "worker", path),
        pytest.raises(SpecError) as raised,
    ):
        run_experiment(Experiment("one", "?", hold=QUICK), settings(), Options(scheduler=address))
    assert "has tallgrass 9.9.9 and this experiment is of " in str(raised.value)
    assert "install the same version" in str(raised.value)


@pytest.mark.slow
@pytest.mark.faults
def test_a_worker_of_several_threads_is_refused(tmp_path):
    with (
        default_store(tmp_path),
        scheduler(tmp_path) as address,
        worker(address, tmp_path / "worker", threads=2),
        pytest.raises(SpecError, match=r"2 threads'\. start workers with --nthreads 1"),
    ):
        run_experiment(Experiment("one", "?", hold=QUICK), settings(), Options(scheduler=address))


@pytest.mark.slow
@pytest.mark.faults
def test_ctrl_c_leaves_what_is_done_and_no_run_running(tmp_path):
    (tmp_path / "experiment.toml").write_text(
        'name = "long"\nquestion = "?"\n[hold]\nsession = "simulated"\nchains = 2\n'
        "fit_checks = false\ntune = 40\n[vary]\ndraws = [30, 900000]\n"
    )
    with default_store(tmp_path):
        command = [sys.executable, "-m", "tallgrass", "experiment", ".", "--workers", "2"]
        process = subprocess.Popen(
            command, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        client = mlflow.MlflowClient()

        def states():
            found = client.get_experiment_by_name("long")
            runs = client.search_runs([found.experiment_id]) if found else []
            return sorted(r.info.status for r in runs)

        def drawing():
            """Runs whose first chain is past tuning; a worker of one core makes one at a time."""
            found = client.get_experiment_by_name("long")
            running = "metrics.`live/chain_0/draws` > 200 and attributes.status = 'RUNNING'"
            return client.search_runs([found.experiment_id], running)

        deadline = time.monotonic() + 120
        while states() != ["FINISHED", "RUNNING", "RUNNING"] and time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.3)
        while not (sampling := drawing()) and time.monotonic() < deadline:
            time.sleep(0.3)
        assert sampling
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
        try:
            _, said = process.communicate(timeout=240)
        finally:
            if process.poll() is None:  # or it would hold the place of the runs after it
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert states() == ["FINISHED", "KILLED", "KILLED"]
        killed = client.list_artifacts(sampling[0].info.run_id, "trace")
        assert [entry.path for entry in killed] == ["trace/idata.nc"]
        (parent,) = client.search_runs(["1"], "tags.`experiment.role` = 'parent'")
        files = [entry.path for entry in client.list_artifacts(parent.info.run_id)]
        assert "comparison.md" in files
        (killed,) = client.search_runs(["1"], "params.draws = '900000'")
        assert "interrupted_at" in killed.data.tags
        trace = reading.load_trace(killed.info.run_id)
        assert trace["posterior"].sizes["draw"] > 0


@pytest.mark.slow
def test_mlflow_run_makes_the_runs_under_the_run_that_it_made(tmp_path):
    project = tmp_path / "projects" / "coordinates"
    project.mkdir(parents=True)
    shutil.copy(ROOT / "projects" / "coordinates" / "MLproject", project)
    shutil.copy(ROOT / "conda.yaml", tmp_path)
    (project / "experiment.toml").write_text(FILE.replace('[[extra]]\nsession = "missing"\n', ""))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-m", "mlflow", "run", str(project), "--env-manager", "local"]
    with default_store(tmp_path):
        done = subprocess.run(
            command, env=environment(PATH=path), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        client = mlflow.MlflowClient()
        (parent,) = client.search_runs(["0"], "tags.`experiment.role` = 'parent'")
        assert parent.info.status == "FINISHED"
        assert parent.data.tags["mlflow.project.entryPoint"] == "main"
        assert [run.info.status for run in children(parent.info.run_id)] == ["FINISHED"] * 2


def test_the_command_lists_the_runs_without_making_any(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.toml").write_text(FILE)
    assert main(["experiment", ".", "--dry-run", "--draws", "20"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "starts: 3 runs",
        "  simulated senate pca start",
        "  missing senate pca start",
        "  simulated senate no start",
    ]
    assert not Path("mlflow.db").exists()


def test_an_experiment_that_cannot_be_used_ends_with_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "experiment.toml").write_text('question = "?"\n[hold]\nchambre = "house"\n')
    assert main(["experiment", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'hold.chambre'. did you mean chamber" in error
