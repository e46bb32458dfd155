"""A run on roll calls of a model in a file of the user's."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.experiment.declaration import read_experiment
from tallgrass.experiment.expansion import expand

MODELS = Path(__file__).parents[1] / "projects" / "own-model" / "models.py"
FEW = {"draws": 60, "tune": 100, "chains": 2, "sampler": "pymc", "fit_checks": True}


def small_votes():
    generator = np.random.default_rng(3)
    xi = np.r_[np.full(6, -1.0), np.full(6, 1.0)] + 0.3 * generator.normal(size=12)
    eta = np.outer(xi, generator.normal(1, 1, 24))
    cells = pd.DataFrame(np.where(generator.random((12, 24)) < 1 / (1 + np.exp(-eta)), 1, -1))
    cells.columns = [f"v{j}" for j in cells]
    people = pd.DataFrame(
        {"slug": [f"m{i}" for i in range(12)], "party": ["Democrat"] * 6 + ["Republican"] * 6}
    )
    table = cells.assign(legislator=people["slug"])
    long = table.melt("legislator", var_name="rollcall", value_name="vote")
    return tg.VoteMatrix.from_frame(long, people, chamber="house")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        shutil.copy(MODELS, folder / "mine.py")
        yield folder


@pytest.fixture(scope="module")
def rasch(store):
    spec = tg.RunSpec(model="mine.py:rasch", min_votes=0, **FEW)
    return tg.fit(spec, votes=small_votes())


def artifacts(run_id, folder=None):
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(run_id, entry.path) if entry.is_dir else [entry.path]


def test_a_model_with_ideal_points_gets_the_tables_of_roll_calls(rasch):
    run = mlflow.get_run(rasch.run_id)
    assert run.data.tags["model"] == "mine.py:rasch"
    assert {"tables/ideal_points.csv", "tables/rollcalls.csv", "tables/votes.parquet"} <= set(
        artifacts(rasch.run_id)
    )
    assert "fit/accuracy" in run.data.metrics
    assert {"rhat/spread_max", "rhat/xi_max"} <= set(run.data.metrics)
    assert "rhat/beta_max" not in run.data.metrics  # it is 1 in every draw
    page = Path(rasch.report_path).read_text("utf-8")
    assert "Model mine.py:rasch" in page
    assert "HalfNormal(0, 2)" in page
    assert "Republican end" not in page  # which way its scale runs is not known


def test_file_digest_and_priors_are_in_the_run_and_settings_of_our_models_are_not(rasch, store):
    run = mlflow.get_run(rasch.run_id)
    assert run.data.params["prior.alpha"] == "Normal(0, 3)"
    assert "beta_prior" not in run.data.params
    assert len(run.data.tags["model.file.sha256"]) == 64
    path = mlflow.artifacts.download_artifacts(run_id=rasch.run_id, artifact_path="model/source.py")
    assert Path(path).read_text() == (store / "mine.py").read_text()


def test_a_stored_run_never_has_its_file_run(rasch, capsys):
    assert main(["rerun", rasch.run_id]) == 2
    assert "code does not run because a stored run names it" in capsys.readouterr().err
    spec = tg.rerun_spec(rasch.run_id)
    with pytest.raises(tg.errors.SpecError, match="name the file yourself"):
        tg.fit(spec)


def test_a_changed_file_is_refused_unless_it_is_meant(rasch, store, capsys, monkeypatch):
    (store / "changed.py").write_text((store / "mine.py").read_text() + "\n# changed\n")
    assert main(["rerun", rasch.run_id, "--model", "changed.py:rasch"]) == 2
    assert "is not the one that the run was made with" in capsys.readouterr().err
    made = []
    monkeypatch.setattr("tallgrass.cli.run._fitted", lambda spec, *_: made.append(spec) or 0)
    assert main(["rerun", rasch.run_id, "--model", "changed.py:rasch", "--changed"]) == 0
    assert main(["rerun", rasch.run_id, "--model", "mine.py:rasch"]) == 0
    assert [spec.model for spec in made] == ["changed.py:rasch", "mine.py:rasch"]


def test_a_function_that_makes_no_model_is_one_line_and_no_run(store, capsys):
    (store / "number.py").write_text("def f(votes, spec):\n    return 3\n")
    before = len(mlflow.search_runs(search_all_experiments=True, output_format="list"))
    assert main(["run", "--model", "number.py:f"]) == 2
    assert "number.py:f makes no PyMC model: received 'int'" in capsys.readouterr().err
    assert len(mlflow.search_runs(search_all_experiments=True, output_format="list")) == before


def test_experiments_vary_over_models_in_a_file_beside_them(tmp_path):
    shutil.copytree(MODELS.parent, tmp_path / "mine")
    planned = expand(read_experiment(tmp_path / "mine"), tmp_path)
    assert {run.spec.model for run in planned} == {"flat", f"{tmp_path / 'mine'}/models.py:rasch"}
    assert any("models.py:rasch" in run.label for run in planned)
    assert not any(str(tmp_path) in run.label for run in planned)


@pytest.mark.slow
def test_any_other_model_gets_what_every_model_gets(store, capsys):
    votes = small_votes()
    spec = tg.RunSpec(model="mine.py:plane", min_votes=0, **FEW)
    result = tg.fit(spec, votes=votes)
    run = mlflow.get_run(result.run_id)
    assert run.data.tags["model.kind"] == "own"
    assert (run.data.tags["chamber"], run.data.params["dims.axis"]) == ("house", "2")
    assert {"tables/summary.csv", "model/source.py", "spec/run.json"} <= set(
        artifacts(result.run_id)
    )
    with pytest.raises(tg.errors.SpecError, match="name the file yourself"):
        tg.fit(tg.rerun_spec(result.run_id))


@pytest.mark.slow
def test_eight_schools_of_the_project_is_a_run(store, monkeypatch):
    namespace = {"__name__": "eight_schools"}
    path = MODELS.with_name("eight_schools.py")
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    result = tg.sample(namespace["eight_schools"], draws=200, tune=300, chains=2)
    assert json.loads(json.dumps(result.timings))["sampling_s"] > 0
    assert 2 < result.summary.set_index("label").loc["mu", "mean"] < 7


@pytest.mark.slow
def test_items_are_sampled_with_a_model_in_a_file(store, capsys):
    generator = np.random.default_rng(4)
    right = generator.random((60, 4)) < 1 / (1 + np.exp(-generator.normal(size=(60, 1))))
    pd.DataFrame(right.astype(int), columns=list("abcd")).to_csv("answers.csv", index=False)
    words = ["calibrate", "--model", "mine.py:three_parameters", "--responses", "answers.csv"]
    words += ["--draws", "100", "--tune", "100", "--chains", "2", "--min-responses", "10"]
    assert main([*words, "--json", "--progress", "none"]) == 0
    run_id = json.loads(capsys.readouterr().out)["run_id"]
    run = mlflow.get_run(run_id)
    assert run.data.params["prior.guess"] == "Beta(5, 17)"
    assert (run.data.params["dims.item"], run.data.params["draws"]) == ("4", "100")
    assert len(run.data.tags["responses.sha256"]) == 64
    assert main(["rerun", run_id]) == 2
    assert "tallgrass calibrate --model mine.py:three_parameters" in capsys.readouterr().err
