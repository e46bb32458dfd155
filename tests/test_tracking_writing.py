import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from example_store import default_store, made_run, status_of
from example_trace import example_votes

from tallgrass.errors import DataError, TrackingError
from tallgrass.escaping import neutralised
from tallgrass.tracking.store import translated
from tallgrass.tracking.writing import start_run
from tallgrass.tracking.writing.values import cut, text

ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


def data_of(run_id):
    return mlflow.MlflowClient().get_run(run_id).data


def artifact(run, path):
    return Path(mlflow.MlflowClient().download_artifacts(run.run_id, path)).read_text("utf-8")


def test_a_run_that_ends_is_finished_and_knows_its_code_and_schema(store):
    with start_run(None, "senate flat nutpie pca") as run:
        assert status_of(run) == "RUNNING"
    tags = data_of(run.run_id).tags
    assert status_of(run) == "FINISHED"
    assert tags["mlflow.runName"] == "senate flat nutpie pca"
    assert tags["schema_version"] == "1"
    assert tags["mlflow.user"]
    page = f"/#/experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning"
    assert run.ui_url.endswith(page)


def test_a_checkout_is_tagged_with_its_commit(store):
    with start_run(None, "x") as run:
        pass
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    tags = data_of(run.run_id).tags
    if head.returncode:
        assert "git.commit" not in tags
    else:
        assert tags["git.commit"] == head.stdout.strip()
        assert tags["git.dirty"] in ("true", "false")


def test_an_exception_makes_the_run_failed_with_the_error_in_a_tag(store):
    with (
        pytest.raises(DataError),
        start_run(None, "x") as run,
    ):
        raise DataError("no vote left", "postgresql://me:hush@host/db")
    tags = data_of(run.run_id).tags
    assert status_of(run) == "FAILED"
    assert tags["error"].startswith("DataError: no vote left")
    assert "hush" not in tags["error"]


def test_ctrl_c_makes_the_run_killed_with_the_time(store):
    with pytest.raises(KeyboardInterrupt), start_run(None, "x") as run:
        signal.raise_signal(signal.SIGINT)
    assert status_of(run) == "KILLED"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", data_of(run.run_id).tags["interrupted_at"])


def interrupted_query():
    cursor = sqlite3.connect("mlflow.db").execute("SELECT key FROM params")
    assert cursor.fetchone()  # and more rows to come: the database stays locked for writing
    raise KeyboardInterrupt


def run_with_an_interrupted_query(ids):
    with start_run(None, "r") as run:
        ids.append(run.run_id)
        run.log_params({"a": 1, "b": 2})
        try:
            interrupted_query()
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # the first one stays its context


def test_ctrl_c_in_the_middle_of_a_query_leaves_the_store_writable(store):
    ids: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_with_an_interrupted_query(ids)
    assert status_of(ids[0]) == "KILLED"


def test_ctrl_c_in_a_read_leaves_the_store_writable_before_the_run_is_closed(store):
    with start_run(None, "r") as run:
        run.log_params({"a": 1, "b": 2})
        with suppress(KeyboardInterrupt), translated("read"):
            interrupted_query()
        run.set_tags({"workers": "told to stop"})
    assert status_of(run.run_id) == "FINISHED"


def test_leaving_python_makes_the_run_failed(store):
    with pytest.raises(SystemExit), start_run(None, "x") as run:
        sys.exit(0)
    assert status_of(run) == "FAILED"


@pytest.mark.parametrize("moment", ["get_experiment_by_name", "create_run", "_git_tags"])
def test_ctrl_c_while_the_run_is_being_made_leaves_no_run_open(store, moment):
    def interrupt(frame, event, _):
        if event == "return" and frame.f_code.co_name == moment:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(interrupt)
    with pytest.raises(KeyboardInterrupt), start_run(None, "x"):
        time.sleep(5)
    client = mlflow.MlflowClient()
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert [run.info.status for run in found] == ["KILLED"]


def test_the_experiment_is_tallgrass_and_says_what_it_is(store):
    with start_run(None, "x") as run:
        pass
    experiment = mlflow.MlflowClient().get_experiment(run.experiment_id)
    assert experiment.name == "tallgrass"
    assert "one sampling run" in experiment.tags["mlflow.note.content"].lower()
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_named_experiment_beats_the_variable_which_beats_the_default(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by variable")
    names = []
    for given in ("by name", None):
        with start_run(given, "x") as run:
            names.append(mlflow.MlflowClient().get_experiment(run.experiment_id).name)
    assert names == ["by name", "by variable"]


def test_an_experiment_given_by_id_is_used_and_a_wrong_id_is_an_error(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    with start_run(None, "x") as run:
        assert run.experiment_id == "0"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "12345")
    with pytest.raises(TrackingError, match="unset MLFLOW_EXPERIMENT_ID"), start_run(None, "x"):
        pass


def test_a_deleted_experiment_says_how_to_restore_it(store):
    client = mlflow.MlflowClient()
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(TrackingError, match="mlflow experiments restore"), start_run("gone", "x"):
        pass


@pytest.fixture
def project_run(store, monkeypatch):
    """A run made the way ``mlflow run`` makes it, in the environment its child process gets."""
    client = mlflow.MlflowClient()
    made = client.create_run("0", run_name="bemused-bass-1000")
    client.log_param(made.info.run_id, "draws", "250.0")
    monkeypatch.setenv("MLFLOW_RUN_ID", made.info.run_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.get_tracking_uri())
    return made.info.run_id


def test_inside_mlflow_run_its_run_is_resumed_and_named(project_run):
    with start_run("another experiment", "senate flat nutpie pca") as run:
        run.log_params({"draws": 250, "tune": 100})
    data = data_of(project_run)
    assert (run.run_id, run.experiment_id) == (project_run, "0")
    assert data.params == {"draws": "250.0", "tune": "100"}
    assert data.tags["mlflow.runName"] == "senate flat nutpie pca"
    assert data.tags["schema_version"] == "1"
    assert status_of(run) == "FINISHED"


def test_a_name_given_to_mlflow_run_is_kept(project_run):
    mlflow.MlflowClient().update_run(project_run, name="for the committee")
    with start_run(None, "senate flat nutpie pca"):
        pass
    assert data_of(project_run).tags["mlflow.runName"] == "for the committee"


def test_a_second_run_in_the_same_process_is_a_new_one(project_run):
    ids = []
    for _ in range(2):
        with start_run(None, "x") as run:
            ids.append(run.run_id)
    assert ids[0] == project_run
    assert ids[1] != project_run


def test_a_run_to_resume_that_is_not_there_is_an_error_with_a_hint(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with pytest.raises(TrackingError, match="must be absolute"), start_run(None, "x"):
        pass


def test_params_are_text_that_mlflow_and_people_read_alike(store):
    with start_run(None, "x") as run:
        run.log_params({"draws": 10, "target_accept": 0.8, "strict": False, "model.anchors": ["a"]})
        run.log_params({"draws": 11})
    params = data_of(run.run_id).params
    assert params["draws"] == "10"
    assert (params["target_accept"], params["strict"]) == ("0.8", "false")
    assert params["model.anchors"] == '["a"]'


def test_more_params_than_one_batch_holds_are_logged(store):
    with start_run(None, "x") as run:
        run.log_params({f"p{i}": i for i in range(250)})
    assert len(data_of(run.run_id).params) == 250


def test_a_name_of_ours_takes_the_verdict_and_one_of_the_users_stays(store):
    with start_run(None, "made") as run:
        run.rename("made", "made · pass")
    assert data_of(run.run_id).tags["mlflow.runName"] == "made · pass"
    with start_run(None, "the user's") as run:
        run.rename("made", "made · pass")
    assert data_of(run.run_id).tags["mlflow.runName"] == "the user's"


def test_a_description_stands_below_the_note_of_the_user_and_is_replaced_by_the_next(store):
    with start_run(None, "x", {"mlflow.note.content": "second try"}) as run:
        run.describe("fail")
        run.describe("pass")
    note = data_of(run.run_id).tags["mlflow.note.content"]
    assert note.startswith("second try\n\n")
    assert note.endswith("\npass")
    assert "fail" not in note


def test_a_param_that_is_too_long_is_cut_with_a_mark(store, caplog):
    with start_run(None, "x") as run:
        run.log_params({"long": "x" * 7000})
    value = data_of(run.run_id).params["long"]
    assert len(value) == 6000
    assert value.endswith("[cut: 7000 characters]")
    assert "long has 7000 characters" in caplog.text


def test_numbers_that_are_not_finite_are_left_out_and_named(store):
    with start_run(None, "x") as run:
        run.log_metrics({"rhat_max": float("nan"), "abs_r": float("inf"), "divergences": 0})
    data = data_of(run.run_id)
    assert data.metrics == {"divergences": 0}
    assert data.tags["metrics.dropped"] == "2: abs_r, rhat_max"


def test_more_metrics_than_one_batch_holds_are_logged(store):
    with start_run(None, "x") as run:
        run.log_metrics({f"nuts/ebfmi_chain_{i}": 1.0 for i in range(1500)})
    assert len(data_of(run.run_id).metrics) == 1500


def test_metrics_can_be_logged_from_another_thread_while_sampling(store):
    with start_run(None, "x") as run:
        thread = threading.Thread(target=run.log_metrics, args=({"live/chain_0/draws": 50}, 50))
        thread.start()
        thread.join()
    (point,) = mlflow.MlflowClient().get_metric_history(run.run_id, "live/chain_0/draws")
    assert (point.value, point.step) == (50, 50)


def test_a_key_that_mlflow_refuses_is_an_error_and_the_run_is_closed(store):
    with pytest.raises(TrackingError, match="metrics"), start_run(None, "x") as run:
        run.log_metrics({"|r|": 1.0})
    assert status_of(run) == "FAILED"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1.00656123, 1.006561),
        (1719.43214, 1719.432),
        (0.99999234567, 0.9999923),
        (1.0099999999, 1.0099999999),  # passes < 1.01, and a query must say so
        (400.0000001, 400.0000001),  # passes > 400
        (1.01, 1.01),
        (12345678.0, 12345678.0),
        (-1234.56789, -1234.568),
        (0.0, 0.0),
    ],
)
def test_metrics_have_seven_digits_to_nearest_and_become_no_rounder_number(store, value, stored):
    with start_run(None, "x") as run:
        run.log_metrics({"rhat_max": value})
    assert mlflow.MlflowClient().get_run(run.run_id).data.metrics == {"rhat_max": stored}


def test_the_dataset_input_carries_the_fingerprint_of_the_votes(store):
    votes, _ = example_votes()
    with start_run(None, "x") as run:
        profile = {"num_elements": votes.n_observations}
        run.log_input("sample senate", votes.fingerprint, profile, "/somewhere/kansas")
    (dataset_input,) = mlflow.MlflowClient().get_run(run.run_id).inputs.dataset_inputs
    dataset, (tag,) = dataset_input.dataset, dataset_input.tags
    assert dataset.digest == votes.fingerprint[:36]
    assert json.loads(dataset.profile)["num_elements"] == votes.n_observations
    assert (tag.key, tag.value) == ("mlflow.data.context", "sampling")


def test_files_texts_and_bytes_become_artifacts_under_their_paths(store, tmp_path):
    (tmp_path / "idata.nc").write_bytes(b"draws")
    with start_run(None, "x") as run:
        run.log_artifact(tmp_path / "idata.nc", "trace")
        run.log_text("<p>Émile</p>", "report/index.html")
        run.log_bytes(b"\x89PNG", "plots/forest.png")
    assert artifact(run, "trace/idata.nc") == "draws"
    assert artifact(run, "report/index.html") == "<p>Émile</p>"
    assert Path(run.artifact_location("trace/idata.nc")).read_bytes() == b"draws"
    png = Path(mlflow.MlflowClient().download_artifacts(run.run_id, "plots/forest.png"))
    assert png.read_bytes() == b"\x89PNG"


def test_a_table_is_stored_exactly_and_as_a_csv_that_no_spreadsheet_runs(store):
    table = pd.DataFrame({"slug": ["=cmd()", "sen_a"], "mean": [-1.5, None]})
    with start_run(None, "x") as run:
        run.log_table(table, "tables/ideal_points")
    assert artifact(run, "tables/ideal_points.csv") == "slug,mean\n'=cmd(),-1.5\nsen_a,\n"
    exact = json.loads(artifact(run, "tables/ideal_points.json"))
    assert exact == {"columns": ["slug", "mean"], "data": [["=cmd()", -1.5], ["sen_a", None]]}


def test_a_table_logged_twice_is_replaced_and_an_index_with_a_name_is_kept(store):
    table = pd.DataFrame({"rhat": [1.0]}, index=pd.Index(["xi[a]"], name="label"))
    with start_run(None, "x") as run:
        run.log_table(table, "tables/diagnostics")
        run.log_table(table, "tables/diagnostics")
    assert artifact(run, "tables/diagnostics.csv") == "label,rhat\nxi[a],1.0\n"
    tag = json.loads(data_of(run.run_id).tags["mlflow.loggedArtifacts"])
    assert tag == [{"path": "tables/diagnostics.json", "type": "table"}]


def test_a_termination_signal_during_a_run_leaves_it_killed(store):
    code = (
        "import time\n"
        "from tallgrass.cli import _termination_raises\n"
        "from tallgrass.tracking.writing import start_run\n"
        "with _termination_raises([]), start_run(None, 'x') as run:\n"
        "    print(run.run_id, flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run_id = child.stdout.readline().strip()
    child.terminate()
    child.communicate(timeout=60)
    assert status_of(run_id) == "KILLED"


@pytest.mark.faults
def test_a_store_that_is_lost_during_the_run_does_not_hide_the_error(store, caplog):
    with pytest.raises(DataError), start_run(None, "x") as run:  # noqa: PT012 - in this order
        Path("mlflow.db").unlink()
        Path("mlflow.db").mkdir()
        raise DataError("no vote left")
    assert f"run {run.run_id} may be left RUNNING" in caplog.text


def test_values_as_text():
    assert [text(v) for v in (None, True, 2, 0.025, "pca")] == ["none", "true", "2", "0.025", "pca"]
    assert cut("short", 100, "key") == "short"
    assert [neutralised(c) for c in ("-1", -1, "@x", "a-b")] == ["'-1", -1, "'@x", "a-b"]


def test_finished_runs_of_the_helper_are_as_described(store):
    assert data_of(made_run(verdict="fail", draws=10)).params["draws"] == "10"


def test_two_runs_may_name_the_same_new_dataset_at_the_same_time(store, monkeypatch):
    # MLflow looks whether it is there, and then inserts: another process may come between.
    refused = iter([True, True, False])
    ours = mlflow.MlflowClient.log_inputs

    def log_inputs(self, *arguments):
        if next(refused):
            raise mlflow.exceptions.MlflowException("UNIQUE constraint failed: datasets.digest")
        return ours(self, *arguments)

    monkeypatch.setattr(mlflow.MlflowClient, "log_inputs", log_inputs)
    with start_run(None, "one of two") as run:
        run.log_input("sample senate", example_votes()[0].fingerprint, {}, "votes.csv")
    assert len(mlflow.MlflowClient().get_run(run.run_id).inputs.dataset_inputs) == 1
