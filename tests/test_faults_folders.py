"""The folder of runs under way is removed, replaced or read-only: one line, and no run RUNNING."""

import os
import subprocess

import fault_tools as tools
import mlflow
import pytest
from example_store import default_store
from needs import missing

from tallgrass.cli import main

pytestmark = pytest.mark.faults

SHORT = ["--draws=20", "--tune=30"]
# Removes the folder of runs, or puts a file in its place, when the run calls something.
REMOVED = (
    "import os, shutil, sys, {module} as module\n"
    "real = module.{called}\n"
    "def removed(*words, **named):\n"
    "    state = os.environ['TALLGRASS_STATE_DIR']\n"
    "    shutil.rmtree(state, ignore_errors=True)\n"
    "    if {replaced}: open(state, 'w').close()\n"
    "    module.{called} = real\n"
    "    return real(*words, **named)\n"
    "module.{called} = removed\n"
    "from tallgrass.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
# When it goes, and whether a file takes its place.
PREPARING = {
    "when the store is opened": ("tallgrass.study.way", "store.connect", False),
    "when it is prepared": ("tallgrass.study.way", "others", True),
}
BEGUN = {
    "when it says what it is": ("tallgrass.study.recorder", "Recorder.declare", False),
    "when it is to sample": ("tallgrass.study.surroundings", "DrawFiles", True),
    "when its report is stored": ("tallgrass.study.recorder", "Recorder.timings", True),
}


@pytest.fixture
def folder(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


def ended(folder, moment):
    """Exit status and words of a run whose folder of runs is removed at a moment."""
    module, called, replaced = moment
    code = REMOVED.format(module=module, called=called, replaced=replaced)
    process = tools.start(folder, *SHORT, code=code)
    status = process.wait(300)
    return status, (folder / "said").read_text()


def all_runs():
    client = mlflow.MlflowClient()
    return client.search_runs([one.experiment_id for one in client.search_experiments()])


@pytest.mark.parametrize("moment", PREPARING.values(), ids=PREPARING)
def test_a_folder_of_runs_that_goes_before_a_run_begins_is_told_in_one_line(folder, moment):
    status, said = ended(folder, moment)
    assert status == 2
    assert "Traceback" not in said
    assert (
        said.strip().splitlines()[-1].startswith("tallgrass: error: the folder of runs under way")
    )
    assert all_runs() == []


@pytest.mark.parametrize("moment", BEGUN.values(), ids=BEGUN)
def test_a_run_goes_on_without_its_folder(folder, moment):
    status, said = ended(folder, moment)
    assert status == 0, said
    assert "Traceback" not in said
    [run] = all_runs()
    assert run.info.status == "FINISHED"


@pytest.fixture
def read_only(folder, monkeypatch):
    """A folder of runs on a disk that can be read only, also by root."""
    disk = folder / "disk"
    disk.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(small, check=False).returncode:
        missing("no disk could be mounted: only root can, and not in every container")
    monkeypatch.setenv("TALLGRASS_STATE_DIR", str(disk / "state"))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("words", [["run", "--session=simulated", *SHORT], ["recover", "--all"]])
def test_a_folder_of_runs_that_can_only_be_read_is_told_in_one_line(read_only, capsys, words):
    assert main(words) == 2
    told = capsys.readouterr().err
    assert "cannot write the folder of runs under way (Read-only file system)" in told
    assert len(told.strip().splitlines()) == 1
    assert all_runs() == []
