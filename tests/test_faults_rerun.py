"""kill -9 while a run is made again: the run before it is untouched, and the new one ends."""

import hashlib
import signal
from pathlib import Path

import fault_tools as tools
import mlflow
import pytest
from example_store import default_store

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.settings import Settings

pytestmark = pytest.mark.faults

SIZES = ["--house-members=14", "--senate-members=12", "--house-rollcalls=24"]
SIZES += ["--senate-rollcalls=20", "--matched=8", "--seed=2"]
RUN = ["run", "--session=legislature", "--model=flat", "--min-votes=5", "--baseline=none"]
RUN += ["--draws=60", "--tune=50", "--chains=2", "--fit-checks=false", "--progress=none"]
# Ends the process as kill -9 does, where it is about to call something.
KILLED = (
    "import os, sys, {module} as module\n"
    "module.{called} = lambda *_, **__: os.kill(os.getpid(), 9)\n"
    "from tallgrass.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
# Where it is killed; and what the new run is once it was recovered: None where none was begun.
MOMENTS = {
    "when the store is opened": ("tallgrass.study.way", "store.connect", None),
    "when it says what it is": ("tallgrass.study.recorder", "Recorder.declare", "FAILED"),
    "when its draws are stored": ("tallgrass.study.recorder", "Recorder.conclude", "FINISHED"),
    "when it is FINISHED": ("tallgrass.tracking.lifecycle.life", "Life.end", "FINISHED"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    with default_store(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLGRASS_STATE_DIR", str(folder / "state"))
        assert main(["simulate", "legislature", *SIZES]) == 0
        assert main(RUN) == 0
        yield folder


def runs():
    client = mlflow.MlflowClient()
    return client.search_runs([one.experiment_id for one in client.search_experiments()])


def everything_of(run):
    """What the store holds of a run, its files as the bytes that they are."""
    place = Path(mlflow.artifacts.download_artifacts(run.info.artifact_uri))
    files = {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file()
    }
    assert "trace/idata.nc" in files
    return dict(run.info), run.data.to_dictionary(), files


@pytest.mark.parametrize(("module", "called", "left"), MOMENTS.values(), ids=MOMENTS)
def test_a_run_that_is_killed_while_it_is_made_again_leaves_the_earlier_one_as_it_was(
    store, module, called, left
):
    earlier = runs()[-1]
    before, known = everything_of(earlier), {run.info.run_id for run in runs()}
    code = KILLED.format(module=module, called=called)
    process = tools.start(store, command=["rerun", earlier.info.run_id], code=code)
    assert process.wait(300) == -signal.SIGKILL, (store / "said").read_text()

    assert main(["recover", "--all"]) == 0

    assert recovery.remains(Settings()) == []
    assert everything_of(mlflow.get_run(earlier.info.run_id)) == before
    new = [run for run in runs() if run.info.run_id not in known]
    assert [run.info.status for run in new] == ([left] if left else [])
    if left == "FINISHED":
        assert new[0].data.tags["recovered"] == "true"
        assert new[0].data.params == earlier.data.params
        files = everything_of(new[0])[2]
        # The draws are those of the earlier run: the spec and the seed are.
        assert files.keys() == before[2].keys()
        assert new[0].data.metrics["rhat_max"] == earlier.data.metrics["rhat_max"]
    elif left == "FAILED":
        assert "ended without a word" in new[0].data.tags["error"]
