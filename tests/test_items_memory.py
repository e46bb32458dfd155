"""Responses in memory: the same calibration as from a file, which can be made again."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from item_data import simulated_items

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError
from tallgrass.tracking.reading.records import stored_table

COVARIATES = "tables/covariates.json"
QUIET = tg.Settings(progress="none")
SPEC = tg.CalibrationSpec(engine="map", min_responses=20)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.fixture(scope="module")
def frame():
    r = simulated_items(200, 8, 0, per_user=6, seed=3).responses
    return pd.DataFrame(
        {
            "user": [r.users[k] for k in r.user],
            "item": [r.items[k] for k in r.item],
            "response": r.correct,
        }
    )


@pytest.fixture(scope="module")
def result(store, frame):
    return tg.calibrate(SPEC, QUIET, responses=frame)


def test_responses_in_memory_are_those_of_a_file(store, frame, result):
    frame.to_csv("answers.csv", index=False)
    spec = SPEC.model_copy(update={"responses": "answers.csv"})
    of_file = tg.calibrate(spec, QUIET)
    assert of_file.analysis.responses.fingerprint == result.analysis.responses.fingerprint
    np.testing.assert_array_equal(of_file.items["b"], result.items["b"])


def test_a_wide_table_has_its_users_in_the_index(store, frame, result):
    wide = frame.pivot_table(index="user", columns="item", values="response")
    found = tg.calibrate(SPEC, QUIET, responses=wide)
    assert found.analysis.responses.fingerprint == result.analysis.responses.fingerprint


def test_the_copy_and_its_digest_are_in_the_run(result):
    run = mlflow.MlflowClient().get_run(result.run_id)
    assert run.data.params["responses"] == "memory"
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.digest == run.data.tags["data.sha256"][:36]


def test_a_calibration_of_responses_in_memory_is_made_again(result, capsys):
    assert main(["rerun", result.run_id, "--json", "--progress=none"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["run_id"] != result.run_id
    b = [row["b"] for row in again["items"]]
    np.testing.assert_array_equal(b, result.items["b"])


def test_a_table_that_is_no_answers_is_refused(store):
    with pytest.raises(DataError):
        tg.calibrate(SPEC, QUIET, responses=pd.DataFrame({"user": ["a"], "item": ["b"]}))


def test_covariates_are_in_the_run_and_in_the_run_that_is_made_again(store, frame):
    about = frame.assign(sex=frame["user"].str[-1].map(lambda digit: "fm"[int(digit) % 2]))
    spec = SPEC.model_copy(update={"covariates": "sex"})
    first = tg.calibrate(spec, QUIET, responses=about)
    run = mlflow.MlflowClient().get_run(first.run_id)
    assert (run.data.params["covariates"], run.data.params["data.covariates"]) == ("sex", "sex")
    kept = stored_table(first.run_id, COVARIATES)
    assert kept["user"].tolist() == list(first.analysis.responses.users)
    assert set(kept["sex"]) == {"f", "m"}
    again = tg.calibrate(spec.model_copy(update={"responses": f"run:{first.run_id}"}), QUIET)
    pd.testing.assert_frame_equal(stored_table(again.run_id, COVARIATES), kept)
