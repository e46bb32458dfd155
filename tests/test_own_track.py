"""Code that samples in its own way, as a run."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from own_models import eight_schools

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError

RNG = np.random.default_rng(5)
DRAWS = {"mu": RNG.normal(size=(4, 600)), "theta": RNG.normal(size=(4, 600, 3))}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


def artifacts(run_id, folder=None):
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(run_id, entry.path) if entry.is_dir else [entry.path]


def test_draws_get_metrics_verdict_trace_and_report(store):
    with tg.track("by hand", params={"step": 0.5}, tags={"team": "a"}, note="mine") as run:
        result = run.log_inference_data(DRAWS)
    stored = mlflow.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.tags["verdict"] == result.verdict.status == "pass"
    assert "divergences" not in stored.data.metrics
    assert "no divergences, no E-BFMI" in stored.data.tags["verdict.reasons"]
    assert stored.data.params["step"] == "0.5"
    assert stored.data.tags["team"] == "a"
    assert {"trace/idata.nc", "report/index.html", "tables/summary.csv"} <= set(
        artifacts(run.run_id)
    )
    np.testing.assert_array_equal(tg.load_trace(run.run_id)["posterior"]["mu"], DRAWS["mu"])


def test_a_model_beside_the_draws_gives_its_priors(store):
    draws = {
        "mu": RNG.normal(size=(2, 50)),
        "tau": RNG.random((2, 50)),
        "unit": RNG.normal(size=(2, 50, 8)),
        "theta": RNG.normal(size=(2, 50, 8)),
    }
    with tg.track("eight") as run:
        run.log_inference_data(draws, eight_schools())
    stored = mlflow.get_run(run.run_id)
    assert stored.data.params["prior.mu"] == "Normal(0, 5)"
    assert stored.data.tags["data.sha256"]


def test_own_params_metrics_figures_and_tables_are_logged(store):
    with tg.track("pieces") as run:
        run.log_params({"priors": {"mu": "N(0, 1)"}})
        run.log_metrics({"loss": 1.5, "undefined": float("nan")}, step=3)
        figure, _ = plt.subplots()
        run.log_figure(figure, "mine")
        run.log_table(pd.DataFrame({"a": [1, 2]}), "rows")
    stored = mlflow.get_run(run.run_id)
    assert stored.data.params["priors"] == '{"mu": "N(0, 1)"}'
    assert stored.data.metrics == {"loss": 1.5}
    assert {"plots/mine.png", "tables/rows.csv"} <= set(artifacts(run.run_id))


def test_an_exception_of_the_users_code_makes_the_run_failed(store):
    with pytest.raises(ZeroDivisionError), tg.track("broken") as run:
        _ = 1 / 0
    stored = mlflow.get_run(run.run_id)
    assert stored.info.status == "FAILED"
    assert "ZeroDivisionError" in stored.data.tags["error"]


def test_a_second_set_of_draws_and_an_unknown_variable_are_refused(store):
    with tg.track("twice") as run:
        with pytest.raises(SpecError, match="compare names no variable"):
            run.log_inference_data(DRAWS, compare="nope")
        run.log_inference_data(DRAWS)
        with pytest.raises(SpecError, match="has draws already"):
            run.log_inference_data(DRAWS)


def test_draws_that_cannot_be_used_leave_no_run_running(store):
    with pytest.raises(DataError), tg.track("bad draws") as run:
        run.log_inference_data({"x": 3})
    assert mlflow.get_run(run.run_id).info.status == "FAILED"


def test_inside_a_run_of_the_users_own_it_is_a_child(store):
    with mlflow.start_run(run_name="outer") as outer, tg.track("inner") as run:
        pass
    tags = mlflow.get_run(run.run_id).data.tags
    assert tags["mlflow.parentRunId"] == outer.info.run_id


def test_a_file_of_draws_becomes_a_run_from_the_command_line(store, capsys):
    with tg.track("first") as run:
        run.log_inference_data(DRAWS)
    tg.load_trace(run.run_id).to_netcdf("mine.nc", engine="h5netcdf")
    words = ["log", "mine.nc", "--baseline", run.run_id[:8], "--compare", "theta", "--json"]
    assert main(words) == 0
    answer = json.loads(capsys.readouterr().out)
    stored = mlflow.get_run(answer["run_id"])
    assert stored.info.run_name == "mine"
    assert stored.data.metrics["baseline/theta_diff_sd"] == 0
    assert stored.data.tags["baseline.run_id"] == run.run_id


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.nc"], "no such file of draws"),
        (["mlflow.db"], "not a NetCDF file of draws"),
        ([], "log takes one file"),
    ],
)
def test_a_file_that_is_not_one_of_draws_leaves_no_run(store, capsys, words, said):
    before = len(mlflow.search_runs(search_all_experiments=True))
    assert main(["log", *words]) == 2
    assert said in capsys.readouterr().err
    assert len(mlflow.search_runs(search_all_experiments=True)) == before


@pytest.mark.slow
def test_a_thousand_variables_do_not_choke_the_run_or_its_page(store):
    draws = {f"x[{i}]": RNG.normal(size=(2, 20)) for i in range(1000)}
    with tg.track("many") as run:
        result = run.log_inference_data(draws)
    metrics = mlflow.get_run(run.run_id).data.metrics
    assert sum(name.startswith("rhat/x_") for name in metrics) == 1000
    page = Path(result.report_path).read_text("utf-8")
    assert len(page) < 5_000_000
    assert "first 500 of 1,000 entries" in page
