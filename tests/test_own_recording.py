"""The process that records what another samples."""

import io
import json
import time

import mlflow
import numpy as np
import pytest
from example_store import default_store

from tallgrass.own.inference_data import as_trace
from tallgrass.own.recording import main

DRAWS = {"mu": np.random.default_rng(5).normal(size=(4, 300))}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


def start(store, **changes):
    given = {
        "name": "mine",
        "params": {"draws": 300},
        "tags": {},
        "began": time.time(),
        "join": None,
        "parent": None,
        "uri": f"sqlite:///{store}/mlflow.db",
        "environment": {},
    }
    return {"job": 1, "start": {**given, **changes}}


def recorded(*messages):
    answers = io.StringIO()
    main(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def newest():
    return mlflow.search_runs(search_all_experiments=True, output_format="list")[0]


@pytest.fixture
def drawn(store):
    as_trace(DRAWS).to_netcdf(store / "idata.nc", engine="h5netcdf")
    end = {
        "draws": str(store / "idata.nc"),
        "description": None,
        "elapsed_s": 1.5,
        "with_data": True,
    }
    return {"job": 1, "end": end}


@pytest.fixture(autouse=True)
def _not_nice(monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)


def test_draws_without_a_model_are_recorded_with_the_seconds_that_they_took(store, drawn):
    (answer,) = recorded(start(store), drawn)
    run = mlflow.get_run(answer["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["sampling_s"] == 1.5
    assert run.data.tags["verdict"] == "pass"


def test_a_run_whose_process_ended_without_draws_is_killed(store):
    assert recorded(start(store)) == []
    assert newest().info.status == "KILLED"


def test_what_comes_after_the_end_is_not_read(store):
    before = newest().info.run_id
    assert recorded({"finish": True}, start(store)) == []
    assert newest().info.run_id == before


def test_an_interrupted_run_is_killed(store):
    recorded(start(store), {"job": 1, "end": {"interrupted": True}})
    assert newest().info.status == "KILLED"


def test_a_joined_run_keeps_its_status_and_name(store, drawn):
    mlflow.set_tracking_uri(f"sqlite:///{store}/mlflow.db")
    with mlflow.start_run(run_name="theirs") as run:
        (answer,) = recorded(start(store, join=run.info.run_id), drawn)
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
    assert answer["run_id"] == run.info.run_id
    assert mlflow.get_run(run.info.run_id).info.run_name == "theirs"
    assert "rhat_max" in mlflow.get_run(run.info.run_id).data.metrics


def test_draws_that_cannot_be_read_are_an_error_in_the_answer_and_a_failed_run(store, drawn):
    drawn["end"]["draws"] = "nowhere.nc"
    (answer,) = recorded(start(store), drawn)
    assert "nowhere.nc" in answer["error"]
    assert mlflow.get_run(answer["run_id"]).info.status == "FAILED"


def test_each_sampling_follows_the_variables_of_the_users_process(store, monkeypatch):
    monkeypatch.setenv("TALLGRASS_EXPERIMENT", "before")
    recorded(start(store, environment={"TALLGRASS_EXPERIMENT": "after"}))
    assert mlflow.get_experiment(newest().info.experiment_id).name == "after"


def number_of_runs():
    return len(mlflow.search_runs(search_all_experiments=True, output_format="list"))


def test_a_run_began_when_its_sampling_did(store, drawn):
    began = time.time() - 30
    (answer,) = recorded(start(store, began=began), drawn)
    assert mlflow.get_run(answer["run_id"]).info.start_time == int(1000 * began)


def test_a_sampling_of_some_seconds_is_not_slowed_by_a_run_that_is_opened_beside_it(store, drawn):
    seen = []

    def told():
        yield json.dumps(start(store)) + "\n"
        time.sleep(0.5)
        seen.append(number_of_runs())
        yield json.dumps(drawn) + "\n"

    before = number_of_runs()
    main(told(), io.StringIO())
    assert seen == [before]
    assert number_of_runs() == before + 1


def test_a_long_sampling_has_a_run_while_it_goes_on(store):
    seen = []

    def found():
        return mlflow.search_runs(
            filter_string="params.length = 'long'",
            search_all_experiments=True,
            output_format="list",
        )

    def told():
        yield json.dumps(start(store, began=time.time() - 60, params={"length": "long"})) + "\n"
        patience = time.monotonic() + 30
        while not found() and time.monotonic() < patience:
            time.sleep(0.05)
        seen.extend(run.info.status for run in found())

    main(told(), io.StringIO())
    assert seen == ["RUNNING"]
    assert [run.info.status for run in found()] == ["KILLED"]
