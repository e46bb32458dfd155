"""A PyMC model of the user as a run."""

from pathlib import Path

import mlflow
import numpy as np
import pymc as pm
import pytest
from example_store import default_store
from own_models import (
    SCHOOLS,
    eight_schools,
    of_several_shapes,
    with_discrete,
    without_free_variables,
)

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import SpecError

FEW = {"draws": 300, "tune": 300, "chains": 2}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.fixture(scope="module")
def result(store):
    return tg.sample(
        eight_schools,
        **FEW,
        target_accept=0.9,
        log_likelihood=True,
        posterior_predictive=True,
        prior_predictive=True,
        params={"version": 2, "columns": ["a", "b"]},
        tags={"team": "psychometrics"},
        note="The classic.",
    )


@pytest.fixture(scope="module")
def run(result):
    return mlflow.get_run(result.run_id)


def artifacts(run_id, folder=None):
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(run_id, entry.path) if entry.is_dir else [entry.path]


def test_the_run_holds_what_every_run_holds(result, run):
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "eight_schools"
    assert {"rhat_max", "ess_min", "ess_tail_min", "divergences", "ebfmi_min"} <= set(
        run.data.metrics
    )
    assert {"sampling_s", "total_s", "rhat/theta_max", "ess/mu_min"} <= set(run.data.metrics)
    assert run.data.tags["verdict"] == result.verdict.status
    files = set(artifacts(result.run_id))
    assert {
        "trace/idata.nc",
        "report/index.html",
        "tables/diagnostics.csv",
        "metrics.json",
    } <= files
    assert {"model/variables.json", "model/graph.mmd", "trace/predictive.nc"} <= files
    assert "plots/forest_0.png" in files


def test_priors_dimensions_sampler_and_versions_are_params(run):
    params = run.data.params
    assert params["prior.mu"] == "Normal(0, 5)"
    assert params["prior.tau"] == "HalfNormal(0, 5)"
    assert params["likelihood.effect"].startswith("Normal(")
    assert params["dims.school"] == "8"
    assert (params["sampler"], params["draws"], params["seed"]) == ("nutpie", "300", "42")
    assert (params["adaptation"], params["sampler.adaptation"]) == ("auto", "diag")
    assert params["sampler.trajectory"] == "leapfrog"
    assert params["version.pymc"] == pm.__version__
    assert (params["version"], params["columns"]) == ("2", '["a", "b"]')


def test_tags_note_and_data_are_recorded(run):
    assert run.data.tags["team"] == "psychometrics"
    # What the run gave follows.
    assert run.data.tags["mlflow.note.content"].startswith("The classic.\n\n<!-- by tallgrass -->")
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.digest == run.data.tags["data.sha256"][:36]


def test_the_posterior_is_the_one_that_is_known(result):
    # Stan's reference posterior: mu 4.41, tau (half-Cauchy) 3.6; the half-normal prior is lighter.
    summary = result.summary.set_index("label")
    assert summary.loc["mu", "mean"] == pytest.approx(4.4, abs=0.8)
    assert 2.0 < summary.loc["tau", "mean"] < 5.0
    assert list(summary.index[-8:]) == [f"theta[{name}]" for name in SCHOOLS]
    assert summary.loc["theta[a]", "mean"] > summary.loc["theta[c]", "mean"]


def test_the_trace_holds_data_and_statistics_with_labels(result):
    trace = tg.load_trace(result.run_id)
    assert list(trace["posterior"]["school"].to_numpy()) == SCHOOLS
    assert trace["observed_data"]["effect"].to_numpy().tolist() == [28, 8, -3, 7, -1, 1, 18, 12]
    assert trace["constant_data"]["errors"].to_numpy()[0] == 15
    assert trace["sample_stats"]["n_steps"].dtype == np.int64
    assert trace["warmup_sample_stats"].sizes["draw"] == FEW["tune"]


def test_leave_one_out_and_coverage_are_metrics_and_sections(result, run):
    # The published PSIS-LOO of this model is about -30.8, with a standard error of 1.4.
    assert run.data.metrics["fit/effect_elpd_loo"] == pytest.approx(-30.8, abs=0.6)
    assert run.data.metrics["fit/effect_inside_90"] == 1.0
    page = Path(result.report_path).read_text("utf-8")
    assert "Predictions and the data" in page
    assert "effect_elpd_loo" in page


def test_the_page_names_the_model_its_priors_and_what_is_not_said(result):
    page = Path(result.report_path).read_text("utf-8")
    for words in (
        "eight_schools",
        "HalfNormal(0, 5)",
        "theta[a]",
        "does not say whether the model",
    ):
        assert words in page


def test_the_next_run_is_compared_with_the_promoted_one(result):
    tg.promote(result.run_id)
    again = tg.sample(
        eight_schools(), name="eight_schools", **FEW, seed=7, target_accept=0.9, compare="theta"
    )
    assert again.comparison.run_id == result.run_id
    assert again.comparison.abs_r("theta") > 0.9
    assert {check.name for check in again.verdict.checks} >= {"|r| with the baseline"}
    metrics = mlflow.get_run(again.run_id).data.metrics
    # Monte Carlo errors of two runs; 5 is exceeded once in fifty thousand pairs of 18 entries.
    assert metrics["baseline/theta_diff_mcse"] < 5
    assert "Beside the baseline" in Path(again.report_path).read_text("utf-8")


def test_inside_a_run_of_the_users_own_it_is_a_child(store, result):
    # Not by mlflow.set_experiment, which stays set for the tests that follow.
    mine = mlflow.create_experiment("mine")
    with mlflow.start_run(run_name="outer", experiment_id=mine) as outer:
        inner = tg.sample(eight_schools, **FEW)
    run = mlflow.get_run(inner.run_id)
    assert run.data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert run.info.experiment_id == outer.info.experiment_id == mine
    assert mlflow.get_run(outer.info.run_id).info.status == "FINISHED"


def test_a_model_that_diverges_by_nature_fails_and_shows_where(store):
    result = tg.sample(lambda: eight_schools(centred=True), name="centred", **FEW)
    assert result.verdict.status == "fail"
    assert sum(result.diagnostics.divergences) > 0
    assert "plots/divergences.png" in set(artifacts(result.run_id))


@pytest.mark.slow
def test_discrete_variables_are_sampled_by_pymc_and_the_choice_is_recorded(store):
    result = tg.sample(with_discrete, **FEW)
    params = mlflow.get_run(result.run_id).data.params
    assert params["sampler"] == "pymc"
    switch = result.trace["posterior"]["switch"]
    assert switch.dtype.kind == "i"
    assert abs(float(switch.mean()) - 15) < 2


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_scalars_simplices_and_matrices_are_kept_by_both_samplers(store, sampler):
    result = tg.sample(of_several_shapes, **FEW, sampler=sampler)
    posterior = result.trace["posterior"]
    assert posterior["share"].shape == (2, 300, 3)
    np.testing.assert_allclose(posterior["share"].sum("share_dim_0"), 1.0, atol=1e-9)
    assert posterior["table"].dims == ("chain", "draw", "table_dim_0", "table_dim_1")
    # The prior N(1, 2) times exp(-mu^2): normal with precision 1/4 + 2.
    assert float(posterior["mu"].mean()) == pytest.approx(0.25 / 2.25, abs=0.12)
    assert "table[1, 2]" in set(result.summary["label"])


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (without_free_variables, {}, "without free variables"),
        (eight_schools, {"compare": "nope"}, "compare names no variable"),
        (eight_schools, {"draws": 1}, "bad value for draws"),
        (eight_schools, {"var_names": ["nope"]}, "no variable of the model"),
        (with_discrete, {"sampler": "nutpie"}, "nutpie samples no discrete"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_run_exists(store, model, options, words):
    before = mlflow.search_runs(search_all_experiments=True)
    with pytest.raises(SpecError, match=words):
        tg.sample(model, **options)
    assert len(mlflow.search_runs(search_all_experiments=True)) == len(before)


def test_a_run_of_a_users_model_is_not_made_again_from_the_command_line(result, capsys):
    assert main(["rerun", result.run_id]) == 2
    assert "run its script again" in capsys.readouterr().err
