import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
import yaml
from example_store import default_store
from mlflow.projects._project_spec import load_project
from needs import missing

from tallgrass.cli import COMMANDS
from tallgrass.cli.parser import parse, parser_of, switches_of
from tallgrass.errors import SpecError
from tallgrass.rollcalls.spec import RunSpec, changed_spec

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def main_entry():
    return load_project(str(ROOT)).get_entry_point("main")


def arguments_of(command):
    """What the command line reads when the shell runs the command (``python`` prints it)."""
    script = 'python() { printf "%s\\0" "$@"; }\n' + command
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    *words, end = done.stdout.split("\0")
    assert words[:3] == ["-m", "tallgrass", "run"]
    assert end == ""
    run = COMMANDS["run"]
    parser = parser_of("run", run)
    return parse(parser, words[3:], switches_of(run))


def test_the_parameters_are_those_of_the_declared_model_with_its_defaults(main_entry):
    declared = {name: parameter.default for name, parameter in main_entry.parameters.items()}
    assert set(declared) == set(RunSpec.model_fields)
    # MLflow logs what is written here as text before the run starts: the texts must agree too.
    logged = {name: str(value) for name, value in declared.items()}
    resolved = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in RunSpec().model_dump().items()
    }
    assert resolved == logged


def test_numbers_are_declared_as_numbers(main_entry):
    types = {name: parameter.type for name, parameter in main_entry.parameters.items()}
    numbers = {n for n, field in RunSpec.model_fields.items() if field.annotation in (int, float)}
    assert {name for name, kind in types.items() if kind == "float"} == numbers
    assert {kind for name, kind in types.items() if name not in numbers} == {"string"}


def test_the_command_passes_every_parameter_under_its_own_name(main_entry):
    values = {name: f"value of {name}" for name in RunSpec.model_fields}
    assert arguments_of(main_entry.compute_command(values, None)).run == values


def test_the_bare_command_is_the_default_run(main_entry):
    given = arguments_of(main_entry.compute_command({}, None)).run
    assert changed_spec(RunSpec(), given) == RunSpec()


@pytest.mark.parametrize(
    "session",
    ["91st 2025", "O'Neil", 'say "aye"', "a; touch broken", "$(touch broken)", "`x`", "-x", "a\nb"],
)
def test_no_text_of_a_parameter_is_run_by_the_shell(main_entry, tmp_path, monkeypatch, session):
    monkeypatch.chdir(tmp_path)
    given = arguments_of(main_entry.compute_command({"session": session}, None)).run
    assert given["session"] == session
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_is_not_declared_reaches_the_command_line_that_refuses_it(main_entry):
    command = main_entry.compute_command({"chambre": "house"}, None)
    with pytest.raises(SpecError, match="did you mean --chamber"):
        arguments_of(command)


def test_the_environment_installs_the_project_itself():
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text())
    (pip,) = (one["pip"] for one in environment["dependencies"] if isinstance(one, dict))
    assert pip == ["-e ./[experiments]"]
    assert "pip" in environment["dependencies"]


def test_the_artifact_folder_is_kept_in_git_and_its_content_is_not():
    patterns = (ROOT / "mlruns" / ".gitignore").read_text().split()
    assert patterns == ["*", "!.gitignore"]


@pytest.fixture
def project(tmp_path):
    """The project in a folder of its own, with an empty store."""
    for name in ("MLproject", "conda.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    with default_store(tmp_path):
        yield tmp_path


def mlflow_run(*parameters, uri="."):
    words = [word for one in parameters for word in ("-P", one)]
    # MLflow runs whatever python is first on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "mlflow", "run", uri, "--env-manager", "local", *words],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def only_run():
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return run


@pytest.mark.slow
def test_mlflow_run_with_a_bad_parameter_ends_failed_with_one_line_of_ours(project):
    done = mlflow_run("chambre=house")  # other bad ones take the same way from the command line on
    assert done.returncode != 0
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("tallgrass: error"))
    assert "did you mean --chamber" in line
    assert "Traceback" not in done.stderr
    assert only_run().info.status == "FAILED"


@pytest.mark.slow
def test_mlflow_run_with_a_hostile_parameter_runs_nothing_of_it(project):
    before = {path.name for path in project.iterdir()}
    hostile = "'; touch a; `touch b` $(touch c) \"; touch d & touch e"
    done = mlflow_run(f"session={hostile}")
    assert done.returncode != 0
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("tallgrass: error"))
    assert "session not found" in line
    assert "touch d & touch e" in line
    assert "Traceback" not in done.stderr
    assert {path.name for path in project.iterdir()} - before <= {"mlruns", "mlflow.db"}
    assert only_run().info.status == "FAILED"


@pytest.mark.slow
def test_mlflow_run_leaves_one_finished_run_with_declared_and_resolved_params(project):
    done = mlflow_run(
        "session=simulated", "draws=20", "tune=30", "chains=2", "fit_checks=false", "seed=7"
    )
    assert done.returncode == 0, done.stderr
    run = only_run()
    assert run.info.status == "FINISHED"
    said = "simulated Senate · hierarchical · nutpie pca · draws 20 · tune 30 · +2"
    assert run.info.run_name == f"{said} · {run.data.tags['verdict']}"
    assert run.data.params["draws"] == "20"
    assert int(run.data.params["model.n_legislators"]) > 0
    assert run.data.tags["verdict"] in ("pass", "fail", "unresolved")
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    assert run.data.tags["schema_version"] == "1"


@pytest.mark.slow
def test_mlflow_run_of_a_git_address_says_where_it_looked_for_a_relative_session(project):
    git = shutil.which("git") or missing("mlflow run of a git address needs git")
    address = project / "repository"
    address.mkdir()
    for name in ("MLproject", "conda.yaml"):
        shutil.copy(ROOT / name, address)
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run([git, *author, *words], cwd=address, check=True)
    (project / "votes").mkdir()
    done = mlflow_run("session=votes/small", uri=f"file://{address}")
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("tallgrass: error"))
    assert "session not found: received 'votes/small'" in line
    assert "mlflow run works in its copy of the project, /" in line
    assert "give an absolute path" in line
