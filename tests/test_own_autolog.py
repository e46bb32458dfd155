"""Plain ``pm.sample`` and ``nutpie.sample`` become runs."""

import gc
import logging

import mlflow
import numpy as np
import pymc as pm
import pytest
from example_store import default_store
from own_models import eight_schools

import tallgrass as tg
from tallgrass.own import autolog as module

FEW = {"draws": 60, "tune": 60, "chains": 2, "cores": 1, "progressbar": False, "random_seed": 3}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        yield folder


@pytest.fixture(autouse=True)
def _off_again():
    yield
    tg.finish_autolog()
    tg.autolog(disable=True)


def small():
    with pm.Model(name="", coords={"item": ["a", "b"]}) as model:
        mu = pm.Normal("mu", 0, 5, dims="item")
        pm.Normal("y", mu, 1, observed=[1.0, 2.0], dims="item")
    return model


def artifacts(run_id, folder=None):
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(run_id, entry.path) if entry.is_dir else [entry.path]


def children_of(run_id):
    client = mlflow.MlflowClient()
    experiment = client.get_run(run_id).info.experiment_id
    return client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")


@pytest.mark.filterwarnings("ignore")
def test_each_sampling_is_a_run_the_open_one_its_child_or_one_of_its_own(store):
    tg.autolog(extra_tags={"team": "a"})
    tg.autolog(extra_tags={"team": "a"})
    mlflow.set_experiment("mine")
    with small():
        alone = pm.sample(nuts_sampler="pymc", **FEW)
    with mlflow.start_run() as outer:
        with small():
            pm.sample(nuts_sampler="pymc", **FEW)
            pm.sample(nuts_sampler="pymc", **FEW)
        mlflow.log_param("mine", 1)
    first, joined, child = tg.finish_autolog()
    assert tg.finish_autolog() == []
    run = mlflow.get_run(first)
    assert run.info.status == "FINISHED"
    assert mlflow.get_experiment(run.info.experiment_id).name == "mine"
    assert {"verdict", "verdict.reasons", "data.sha256"} <= set(run.data.tags)
    assert (run.data.tags["team"], run.data.tags["autolog"]) == ("a", "true")
    assert run.data.params["prior.mu"] == "Normal(0, 5)"
    assert run.data.params["dims.item"] == "2"
    assert (run.data.params["draws"], run.data.params["seed"]) == ("60", "3")
    assert run.data.params["sampler"] == "pymc"
    assert {"rhat_max", "ess_min", "divergences", "sampling_s"} <= set(run.data.metrics)
    assert {"trace/idata.nc", "report/index.html", "model/graph.mmd"} <= set(artifacts(first))
    stored = tg.load_trace(first)
    np.testing.assert_array_equal(stored["posterior"]["mu"], alone["posterior"]["mu"])
    assert len(run.inputs.dataset_inputs) == 1
    # In the open run, and then below it.
    assert joined == outer.info.run_id
    assert mlflow.get_run(joined).info.status == "FINISHED"
    assert {"mine", "prior.mu"} <= set(mlflow.get_run(joined).data.params)
    assert [entry.info.run_id for entry in children_of(joined)] == [child]


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_recorded_where_it_is_switched_off_or_recorded_already(store, monkeypatch):
    started = []
    monkeypatch.setattr(module, "begun", lambda *given: started.append(given))
    plain = pm.sample
    sample = {"nuts_sampler": "pymc", **FEW, "draws": 5, "tune": 5, "chains": 1}
    tg.autolog()
    assert pm.sample is not plain
    with small(), tg.track("by hand"):
        pm.sample(**sample)
    tg.autolog(exclusive=True)
    with mlflow.start_run(), small():
        pm.sample(**sample)
    tg.autolog(disable=True)
    assert pm.sample is plain
    with small():
        pm.sample(**sample)
    assert started == []


@pytest.mark.filterwarnings("ignore")
def test_an_error_of_ours_is_a_warning_and_the_draws_are_returned(store, monkeypatch, caplog):
    def broken(*_given):
        raise OSError("no process can be started")

    monkeypatch.setattr(module, "begun", broken)
    tg.autolog()
    with caplog.at_level(logging.WARNING), small():
        draws = pm.sample(nuts_sampler="pymc", **FEW)
    assert draws["posterior"].sizes["draw"] == FEW["draws"]
    assert "autolog: not recorded (OSError: no process can be started)" in caplog.text


@pytest.mark.slow
def test_an_error_of_the_users_is_raised_and_the_run_failed(store):
    tg.autolog()
    with small(), pytest.raises(ValueError, match="nosuch"):
        pm.sample(nuts_sampler="nosuch", **FEW)
    (run_id,) = tg.finish_autolog()
    run = mlflow.get_run(run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["error"].startswith("ValueError: ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nutpie_called_by_the_user_and_by_pymc_is_one_run_each_without_data(store):
    import nutpie

    tg.autolog(log_datasets=False)
    compiled = nutpie.compile_pymc_model(eight_schools())
    nutpie.sample(compiled, draws=100, tune=100, chains=2, seed=1, progress_bar=False)
    with eight_schools():
        pm.sample(nuts_sampler="nutpie", **FEW)
    runs = [mlflow.get_run(run_id) for run_id in tg.finish_autolog()]
    assert len(runs) == 2
    for run in runs:
        assert run.data.params["sampler"] == "nutpie"
        assert run.data.params["prior.mu"] == "Normal(0, 5)"
        assert not run.inputs.dataset_inputs
        assert "observed_data" not in tg.load_trace(run.info.run_id).children


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_store_that_cannot_be_used_costs_no_draws_and_says_how_to_record_them(
    tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TALLGRASS_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
    tg.autolog()
    with small():
        draws = pm.sample(nuts_sampler="pymc", **FEW)
    assert draws["posterior"].sizes["draw"] == FEW["draws"]
    with caplog.at_level(logging.WARNING):
        assert tg.finish_autolog() == []
    assert "record them with: tallgrass log " in caplog.text


def test_the_collector_passes_over_what_is_alive_while_sampling_and_no_longer():
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    try:
        before = gc.get_freeze_count()
        with module._spared():
            assert gc.get_freeze_count() > module._FROZEN_BY_PYTHON
        assert gc.get_freeze_count() <= before
        gc.freeze()  # as a server does before it forks
        with module._spared():
            pass
        assert gc.get_freeze_count() > module._FROZEN_BY_PYTHON
    finally:
        gc.unfreeze()
        if frozen > module._FROZEN_BY_PYTHON:
            gc.freeze()
