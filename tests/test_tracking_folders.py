"""Stores in folders as they are: moved, copied, or with names that addresses cannot hold."""

import shutil
from pathlib import Path

import mlflow
import pytest
from example_store import bare_folder

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import TrackingError
from tallgrass.tracking import folders, store
from tallgrass.tracking.writing import start_run


def run_made(name="x"):
    """A run with an artifact in the store of this folder, and where the artifact is."""
    store.connect()
    with start_run(None, name) as run:
        run.log_params({"model": "flat"})
        run.log_text("text", "note.txt")
    return run.run_id, run.artifact_location("note.txt")


@pytest.mark.parametrize("name", ["a b", "a#b", "a b#c+d", "é", "50% of it", "a\nb", "[x]", "~"])
def test_odd_names_of_folders_work_and_leave_nothing_beside_them(tmp_path, name):
    (tmp_path / name).mkdir()
    with bare_folder(tmp_path / name):
        _, note = run_made()
        assert note.startswith(str(tmp_path / name / "mlruns"))
        assert Path(note).read_text("utf-8") == "text"
        assert len(tg.runs()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["My%20Project", "what?"])
def test_names_that_mlflow_cannot_hold_are_refused_at_once(tmp_path, name):
    (tmp_path / name).mkdir()
    with bare_folder(tmp_path / name), pytest.raises(TrackingError, match="rename the folder"):
        store.connect()
    assert not list((tmp_path / name).iterdir())


@pytest.fixture(params=["moved", "copied"])
def elsewhere(tmp_path, request):
    """A folder whose store was made in another one, which is still there if it was copied."""
    (tmp_path / "old").mkdir()
    with bare_folder(tmp_path / "old"):
        run_id, _ = run_made()
    if request.param == "moved":
        (tmp_path / "old").rename(tmp_path / "new")
    else:
        shutil.copytree(tmp_path / "old", tmp_path / "new")
    with bare_folder(tmp_path / "new"):
        yield tmp_path, run_id


def test_a_run_in_a_folder_that_was_moved_is_refused_with_the_command_that_mends_it(elsewhere):
    base, _ = elsewhere
    before = sorted(base.rglob("*.txt"))
    with pytest.raises(TrackingError, match="tallgrass moved") as error:
        run_made("refused")
    assert str(base / "old" / "mlruns") in str(error.value)
    assert sorted(base.rglob("*.txt")) == before
    assert len(tg.runs()) == 1


def test_a_folder_that_was_moved_is_used_once_that_is_recorded(elsewhere, capsys):
    base, run_id = elsewhere
    assert main(["moved"]) == 0
    assert f"is now {base / 'new' / 'mlruns' / '1'}" in capsys.readouterr().out
    (artifact,) = mlflow.MlflowClient().list_artifacts(run_id)
    assert artifact.path == "note.txt"
    assert mlflow.MlflowClient().get_run(run_id).info.artifact_uri.startswith(str(base / "new"))
    _, note = run_made("second")
    assert note.startswith(str(base / "new" / "mlruns"))
    assert main(["moved"]) == 0
    assert "where it is recorded" in capsys.readouterr().out


def test_an_experiment_whose_artifacts_were_elsewhere_from_the_start_is_left_alone(tmp_path):
    (tmp_path / "own").mkdir()
    with bare_folder(tmp_path / "own"):
        store.connect()
        mlflow.create_experiment("far", artifact_location=str(tmp_path / "far"))
        with start_run("far", "x") as run:
            run.log_text("text", "note.txt")
        assert folders.record_place() == {}
    assert list((tmp_path / "far").rglob("note.txt"))
