"""The disk of the store fills up while a run samples, and eight runs write to one store at once."""

import os
import subprocess
from contextlib import contextmanager

import fault_tools as tools
import mlflow
import pytest
from example_store import default_store, migrated
from needs import missing

import tallgrass as tg
from tallgrass.cli import main

pytestmark = pytest.mark.faults


@contextmanager
def small_disk(folder, size):
    """A disk of its own of this size."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, check=False).returncode:
        missing("no small disk could be mounted: only root can, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path):
    """Write until the disk is full."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(file, bytes(1 << 12))
    except OSError:
        os.close(file)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def runs_of(uri):
    client = mlflow.MlflowClient(uri)
    return client.search_runs([one.experiment_id for one in client.search_experiments()])


def test_a_disk_that_is_full_under_the_store_loses_no_draw(folder):
    with small_disk(folder / "disk", "64m") as disk:
        (disk / "mlflow.db").write_bytes(migrated())
        uri = f"sqlite:///{disk}/mlflow.db"
        words = [f"--tracking-uri={uri}", "--draws=3000", "--tune=300", "--deliver-seconds=1"]
        process = tools.start(folder, *words)
        tools.sampling(folder, process)
        fill(disk / "filler")
        process.wait(300)
        said = (folder / "said").read_text()
        assert "Traceback" not in said, said
        assert "tallgrass recover" in said, said

        (disk / "filler").unlink()
        assert main(["recover", "--all", f"--tracking-uri={uri}"]) == 0

        [run] = runs_of(uri)
        assert run.info.status == "FINISHED"
        assert tg.load_trace(run.info.run_id)["posterior"].sizes["draw"] == 3000


def test_eight_runs_at_once_on_one_database_all_end_well(folder):
    words = ["--draws=100", "--tune=100", "--max-concurrent=8"]
    processes = [tools.start(folder, *words, f"--seed={seed}") for seed in range(8)]
    assert [process.wait(600) for process in processes] == [0] * 8, (folder / "said").read_text()
    runs = runs_of(f"sqlite:///{folder}/mlflow.db")
    assert [run.info.status for run in runs] == ["FINISHED"] * 8
    assert {run.data.params["seed"] for run in runs} == set(map(str, range(8)))
    assert all(run.data.tags["verdict"] for run in runs)
    assert "Traceback" not in (folder / "said").read_text()
