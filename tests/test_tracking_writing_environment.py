"""What MLflow takes from the environment, in runs of ours."""

import json
import time

import mlflow
import pytest
from example_store import default_store

from tallgrass.tracking.writing import start_run


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        yield folder


def experiment_of(run):
    return mlflow.get_experiment(mlflow.get_run(run.run_id).info.experiment_id).name


def test_tags_of_the_environment_are_those_of_the_run(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", json.dumps({"ci.job": "17", "model": "theirs"}))
    with start_run(None, "ours", {"model": "flat"}) as run:
        pass
    tags = mlflow.get_run(run.run_id).data.tags
    assert (tags["ci.job"], tags["model"]) == ("17", "flat")


def test_the_experiment_is_that_of_the_environment_by_name_or_id(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by name")
    with start_run(None, "ours") as named:
        pass
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", mlflow.create_experiment("by id"))
    with start_run(None, "ours") as numbered:
        pass
    assert (experiment_of(named), experiment_of(numbered)) == ("by name", "by id")


def test_set_experiment_counts(store, monkeypatch):
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    mlflow.set_experiment("set")
    monkeypatch.setattr(mlflow.tracking.fluent, "_active_experiment_id", None)
    with start_run(None, "ours") as run:
        pass
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    assert experiment_of(run) == "set"


def test_the_run_of_the_environment_is_resumed_once(store, monkeypatch):
    theirs = mlflow.MlflowClient().create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", theirs)
    with start_run(None, "first") as first:
        pass
    with start_run(None, "second") as second:
        pass
    assert first.run_id == theirs != second.run_id
    assert mlflow.get_run(theirs).info.status == "FINISHED"


@pytest.mark.parametrize("on", [True, False])
def test_system_metrics_are_logged_where_they_are_switched_on(store, monkeypatch, on):
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", str(on).lower())
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    with start_run(None, "watched") as run:
        time.sleep(1.2 if on else 0)
    metrics = mlflow.get_run(run.run_id).data.metrics
    assert any(name.startswith("system/") for name in metrics) is on
    assert mlflow.get_run(run.run_id).info.status == "FINISHED"
