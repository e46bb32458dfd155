"""Models that are compiled before they are needed."""

import os
import subprocess
import sys

import pytest

from tallgrass.cli import main
from tallgrass.lab.warm import COMMANDS, _environment


def in_folder(folder, *words):
    """Run a command whose compiled code is in a folder of the test."""
    flags = {"PYTENSOR_FLAGS": f"base_compiledir={folder / 'cache'}"}
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    state = {"TALLGRASS_STATE_DIR": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "tallgrass", *words],
        cwd=folder,
        env=os.environ | flags | store | state,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def compiled(folder):
    """The files of machine code."""
    return {path.name for path in (folder / "cache").rglob("*.nbc")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "run"),
    [
        ("hierarchical", ("run", "--chamber", "house", "--session", "simulated")),
        ("gibbs", ("calibrate", "--responses", "simulated", "--engine", "gibbs")),
    ],
)
def test_after_it_a_run_on_other_data_compiles_nothing(tmp_path, model, run):
    assert model in in_folder(tmp_path, "warm", model)
    before = compiled(tmp_path)
    assert len(before) > 10
    in_folder(tmp_path, *run, "--draws", "50", "--tune", "50", "--seed", "3")
    assert compiled(tmp_path) == before


def test_an_unknown_model_is_named_with_the_nearest(capsys):
    assert main(["warm", "hierarchicall"]) == 2
    assert "did you mean hierarchical?" in capsys.readouterr().err


def test_its_runs_are_in_a_store_of_their_own_and_without_settings_of_the_user(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TALLGRASS_SESSION", "mine")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    environment = _environment(tmp_path)
    assert "TALLGRASS_SESSION" not in environment
    assert "MLFLOW_EXPERIMENT_NAME" not in environment
    assert str(tmp_path) in environment["MLFLOW_TRACKING_URI"]


def test_every_model_and_engine_that_runs_by_default_is_among_them():
    from typing import get_args

    from tallgrass.items.spec import CalibrationSpec
    from tallgrass.rollcalls.spec import ModelName

    engines = get_args(CalibrationSpec.model_fields["engine"].annotation)
    assert set(get_args(ModelName)) | {"two-dimensional"} | set(engines) == set(COMMANDS)
