"""The posterior of a stored run as an MLflow model that predicts."""

import json
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_store import default_store

import tallgrass as tg
from tallgrass.errors import DataError
from tallgrass.serving import served

LOADED_ELSEWHERE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tallgrass":
            raise ImportError("this process has no Tallgrass")

sys.meta_path.insert(0, Refuse())
import mlflow, pandas as pd

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
rows = pd.DataFrame({"legislator": ["b", "a"], "rollcall": ["v3", "v1"]})
print(model.predict(rows).to_json())
"""


def rollcall_draws(dimensions=1):
    generator = np.random.default_rng(2)
    shape, dims = ((2, 50, 2), ()) if dimensions == 1 else ((2, 50, 2, dimensions), ("axis",))
    xi = generator.normal(size=shape)
    beta = generator.normal(size=(2, 50, 3, *shape[3:]))
    return xr.Dataset(
        {
            "xi": (("chain", "draw", "legislator", *dims), xi),
            "alpha": (("chain", "draw", "rollcall"), generator.normal(size=(2, 50, 3))),
            "beta": (("chain", "draw", "rollcall", *dims), beta),
        },
        {"legislator": ["a", "b"], "rollcall": ["v1", "v2", "v3"]},
    )


def posterior_of(draws, tmp_path):
    made = served(xr.DataTree.from_dict({"posterior": draws}))
    namespace = {"__name__": "served"}
    exec(made.code.read_text(), namespace)
    np.savez(tmp_path / "draws.npz", **made.arrays)
    return namespace["Posterior"](str(tmp_path / "draws.npz")), made.example


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        yield folder


@pytest.fixture(scope="module")
def run_id(store):
    with tg.track("votes") as run:
        run.log_inference_data(rollcall_draws())
    return run.run_id


@pytest.mark.parametrize("dimensions", [1, 2])
def test_the_probability_of_a_yea_is_the_mean_over_the_draws(tmp_path, dimensions):
    draws = rollcall_draws(dimensions)
    posterior, _ = posterior_of(draws, tmp_path)
    rows = pd.DataFrame({"legislator": ["b", "a"], "rollcall": ["v3", "v1"]}, index=[7, 9])
    predicted = posterior.predict(rows)
    xi, beta = (draws[n].to_numpy().reshape(100, -1, dimensions) for n in ("xi", "beta"))
    alpha = draws["alpha"].to_numpy().reshape(100, 3)
    eta = (xi[:, 1] * beta[:, 2]).sum(axis=1) - alpha[:, 2]
    assert list(predicted.index) == [7, 9]
    assert predicted["probability"].iloc[0] == pytest.approx(np.mean(1 / (1 + np.exp(-eta))), 1e-6)
    assert (predicted["low"] < predicted["high"]).all()


def test_a_name_that_the_run_does_not_know_is_an_error(tmp_path):
    posterior, _ = posterior_of(rollcall_draws(), tmp_path)
    with pytest.raises(ValueError, match="not a legislator of the run: zed"):
        posterior.predict(pd.DataFrame({"legislator": ["zed"], "rollcall": ["v1"]}))


@pytest.fixture
def items(tmp_path):
    a, b = np.ones((1, 4, 2)), np.broadcast_to([0.0, 1.0], (1, 4, 2))
    dims = ("chain", "draw", "item")
    draws = xr.Dataset({"a": (dims, a), "b": (dims, b)}, {"item": ["q1", "q2"]})
    return posterior_of(draws, tmp_path)[0]


def test_persons_are_scored_by_their_answers_on_a_normal_prior(items):
    rows = pd.DataFrame(
        {"person": list("xyyz"), "item": ["q1", "q1", "q2", "q1"], "response": [1, 1, 1, np.nan]}
    )
    scored = items.predict(rows)
    grid = np.linspace(-8, 8, 4001)
    weight = np.exp(-(grid**2) / 2) / (1 + np.exp(-grid))
    mean = (weight * grid).sum() / weight.sum()
    assert scored["theta"].iloc[0] == pytest.approx(mean, abs=1e-4)
    assert scored["theta"].iloc[1] == scored["theta"].iloc[2] > mean
    assert scored.iloc[3, :3].to_list() == pytest.approx([0.5, 0.0, 1.0], abs=1e-6)
    assert np.isnan(scored["wle"].iloc[3])  # no answer, no estimate without a prior


def test_an_answer_does_not_predict_itself(items):
    rows = pd.DataFrame({"person": ["x"] * 2, "item": ["q1", "q2"], "response": [1.0, np.nan]})
    wrong = rows.assign(response=[0.0, np.nan])
    right, other = items.predict(rows)["probability"], items.predict(wrong)["probability"]
    assert right[0] == pytest.approx(0.5, abs=1e-6) == other[0]
    assert right[1] > other[1]


@pytest.mark.parametrize("column", ["item", "response"])
def test_an_unknown_item_or_answer_is_an_error(items, column):
    rows = pd.DataFrame({"person": ["x"], "item": ["q1"], "response": [1.0]})
    rows[column] = "q9" if column == "item" else 2.0
    with pytest.raises(ValueError, match=r"not an item of the run: q9|responses are 1, 0"):
        items.predict(rows)


def test_other_draws_make_no_model():
    draws = xr.Dataset({"mu": (("chain", "draw"), np.zeros((2, 5)))})
    with pytest.raises(DataError, match="no model can be made of the run: received 'mu'"):
        served(xr.DataTree.from_dict({"posterior": draws}))


def test_the_model_loads_in_a_process_without_tallgrass(store, run_id):
    address = tg.log_model(run_id)
    uri = mlflow.get_tracking_uri()
    command = [sys.executable, "-P", "-c", LOADED_ELSEWHERE, uri, address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    predicted = pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))
    assert list(predicted.columns) == ["probability", "low", "high"]
    info = mlflow.models.get_model_info(address)
    assert [column.name for column in info.signature.inputs] == ["legislator", "rollcall"]
    assert info.saved_input_example_info is not None
    assert info.run_id == run_id


def test_a_promoted_run_is_the_baseline_of_the_registry(store, run_id):
    address = tg.promote(run_id)
    assert address == "models:/votes@baseline"
    assert mlflow.get_run(run_id).data.tags["baseline"] == "true"
    assert tg.promote(run_id) == address
    version = mlflow.MlflowClient().get_model_version_by_alias("votes", "baseline")
    assert (int(version.version), version.run_id) == (2, run_id)


def test_a_run_that_predicts_nothing_is_promoted_without_a_model(store):
    with tg.track("scalar") as run:
        run.log_inference_data({"mu": np.random.default_rng(1).normal(size=(2, 50))})
    assert tg.promote(run.run_id) is None
    assert mlflow.get_run(run.run_id).data.tags["baseline"] == "true"
