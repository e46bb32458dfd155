"""The MLflow project of calibrations: its entry points, its README, its R scripts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from example_store import default_store
from item_data import simulated_items
from mlflow.projects._project_spec import load_project
from needs import missing

from tallgrass.cli import COMMANDS
from tallgrass.cli.parser import parse, parser_of, switches_of
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import calibrate_gibbs
from tallgrass.items.priors import item_priors
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import make_calibration_spec
from tallgrass.items.tables import of_trace

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "projects" / "calibration"
ENGINES = ["nuts", "gibbs", "map", "mml"]


@pytest.fixture(scope="module")
def project():
    return load_project(str(FOLDER))


def arguments_of(command):
    """What the command line reads when the shell runs the command (``python`` prints it)."""
    script = 'cd() { :; }\npython() { printf "%s\\0" "$@"; }\n' + command
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    *words, _ = done.stdout.split("\0")
    assert words[:3] == ["-m", "tallgrass", "calibrate"]
    one = COMMANDS["calibrate"]
    parser = parser_of("calibrate", one)
    return parse(parser, words[3:], switches_of(one))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_entry_point_without_parameters_is_the_default_of_its_engine(project, engine):
    command = project.get_entry_point(engine).compute_command({}, None)
    spec = make_calibration_spec(**arguments_of(command).run)
    assert spec == CalibrationSpec(engine=engine)


def test_the_entry_point_all_runs_every_engine(project):
    given = arguments_of(project.get_entry_point("all").compute_command({}, None))
    assert given.options["engines"].split(",") == ENGINES


@pytest.mark.parametrize("engine", [*ENGINES, "all"])
def test_every_declared_parameter_reaches_the_command_unharmed(project, engine):
    entry = project.get_entry_point(engine)
    values = {name: f"it's {name}; $(touch x)" for name in entry.parameters}
    given = arguments_of(entry.compute_command(values, None)).run
    assert {name: given[name] for name in values} == values


def test_the_readme_lists_every_parameter_with_its_default():
    lines = (FOLDER / "README.md").read_text().splitlines()
    for name, field in CalibrationSpec.model_fields.items():
        default = str(field.default).lower() if field.annotation is bool else str(field.default)
        shown = f"`{default}`" if default else ""
        assert f"| `{name}` | {shown} | {field.description} |" in lines


def run_r(name, *words, path=None):
    environment = dict(os.environ)
    environment.pop("MLFLOW_RUN_ID", None)
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        [shutil.which("sh"), str(FOLDER / "run-r"), name, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_r_one_line_says_what_to_install(tmp_path):
    done = run_r("mirt", "--responses=x.csv", "--output=y.csv", path=str(tmp_path))
    assert done.returncode == 2
    assert "Rscript is not on PATH" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def rscript():
    found = shutil.which("Rscript")
    if found is None:
        reason = "no Rscript: apt-get install r-cran-brms r-base-dev"
        missing(reason)
    return found


@pytest.fixture
def answers(tmp_path):
    simulated = simulated_items(n_users=300, n_items=10, n_anchors=2, per_user=10, seed=2)
    responses, anchors = simulated.responses, simulated.anchors
    pd.DataFrame(
        {
            "user": [responses.users[k] for k in responses.user],
            "item": [responses.items[k] for k in responses.item],
            "response": responses.correct,
        }
    ).to_csv(tmp_path / "answers.csv", index=False)
    table = pd.DataFrame({"item": anchors.items, "a": anchors.a, "b": anchors.b})
    table.to_csv(tmp_path / "anchors.csv", index=False)
    return tmp_path, responses, anchors


def test_a_missing_r_package_is_told(rscript, answers):
    folder, *_ = answers
    given = (f"--responses={folder}/answers.csv", f"--output={folder}/mirt.csv")
    done = run_r("mirt", *given)
    if done.returncode == 0:  # mirt is there
        assert len(pd.read_csv(folder / "mirt.csv")) == 10
    else:
        assert done.returncode == 2
        assert re.search(r"the R package mirt is not installed", done.stderr)


@pytest.mark.slow
def test_brms_samples_the_same_posterior(rscript, answers):
    folder, responses, anchors = answers
    files = [f"--responses={folder}/answers.csv", f"--anchors={folder}/anchors.csv"]
    done = run_r(
        "brms", *files, f"--output={folder}/brms.csv", "--min_responses=20", "--chains=2",
        "--draws=500", "--tune=500",
    )  # fmt: skip
    if "package brms is not installed" in done.stderr and not os.environ.get("CI"):
        missing("no brms: apt-get install r-cran-brms r-base-dev")
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = pd.read_csv(folder / "brms.csv").set_index("item")
    trace = calibrate_gibbs(responses, anchors, SamplerSpec(draws=2000, tune=200, seed=1)).trace
    found = of_trace(trace, responses, item_priors(responses, anchors))
    ours = found.items.set_index("item").loc[theirs.index]
    for name in ("a", "b"):
        # 1,000 draws with an ESS of about 500: 20 means within 5 standard errors of a mean.
        sd = ours[f"{name}_sd"]
        assert ((theirs[name] - ours[name]).abs() < 5 * sd / 500**0.5).all()
        assert (theirs[f"{name}_sd"] / sd).between(0.8, 1.25).all()


@pytest.mark.slow
def test_mlflow_run_of_all_engines_makes_a_parent_run_that_compares_them(tmp_path):
    with default_store(tmp_path):
        words = ["-e", "all", "-P", "draws=300", "-P", "tune=200", "-P", "chains=2"]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [sys.executable, "-m", "mlflow", "run", str(FOLDER), "--env-manager", "local", *words],
            env={
                **os.environ,
                "PATH": path,
                "PYTHONPATH": str(ROOT),
                "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        client = mlflow.MlflowClient()
        found = client.search_runs([one.experiment_id for one in client.search_experiments()])
        parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
        children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
        (parent,) = parents
        assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
        assert sorted(run.data.params["engine"] for run in children) == sorted(ENGINES)
        assert {run.info.status for run in found} == {"FINISHED"}
        listed = {entry.path for entry in client.list_artifacts(parent.info.run_id, "tables")}
        assert "tables/consensus.csv" in listed
