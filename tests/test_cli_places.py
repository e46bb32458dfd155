"""Which store and experiment a command looks at, and what it says where runs are elsewhere."""

import json
from pathlib import Path

import mlflow
import pytest
from example_store import default_store

from tallgrass.cli import main
from tallgrass.cli.places import place_of_project
from tallgrass.tracking import store as tracking_store
from tallgrass.tracking.lifecycle import note_store, state_dir
from tallgrass.tracking.writing import start_run


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


def test_runs_makes_no_store_where_there_is_none_and_names_those_of_earlier_runs(
    store, capsys, monkeypatch
):
    monkeypatch.setenv("TALLGRASS_STATE_DIR", str(store / "state"))
    earlier = f"sqlite:///{store / 'mlflow.db'}"
    for uri in (f"sqlite:///{store / 'gone.db'}", earlier):
        note_store(state_dir(store / "state"), uri)
    elsewhere = store / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["runs"]) == 0
    said = capsys.readouterr().out
    assert f"there is no store {elsewhere / 'mlflow.db'}" in said
    assert earlier in said
    assert "gone.db" not in said
    assert main(["show", "abcd"]) == 2
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"runs": []}
    assert not list(elsewhere.iterdir())


def test_artifacts_are_beside_the_store_wherever_the_command_is_given(store, monkeypatch):
    tracking_store.connect(f"sqlite:///{store / 'mlflow.db'}")
    elsewhere = store / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with start_run("a question", "x") as run:
        run.log_text("{}", "spec/run.json")
    assert not list(elsewhere.iterdir())
    assert Path(run.artifact_location("spec/run.json")).is_relative_to(store / "mlruns")
    with start_run("a question", "again"):  # which is not taken for a folder that was moved
        pass


def test_a_run_that_mlflow_run_made_says_why_nothing_came_of_it(store, monkeypatch):
    client = mlflow.MlflowClient()
    run = client.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store / 'mlflow.db'}")
    assert main(["run", "--chamber=hous"]) == 2
    tags = client.get_run(run.info.run_id).data.tags
    assert "bad value for chamber" in tags["error"]
    assert "'hous'" in tags["mlflow.note.content"]


def test_a_run_that_mlflow_run_put_into_default_is_told_how_to_come_to_the_others(store):
    with start_run(None, "of tallgrass run") as ours:
        pass
    words = "\n".join(place_of_project("0"))
    assert "--experiment-name tallgrass" in words
    assert f"%5B%220%22%2C%22{ours.experiment_id}%22%5D" in words
    assert place_of_project(ours.experiment_id) == []
