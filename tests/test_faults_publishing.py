"""kill -9 while a run is promoted: nothing is half-registered, and it can be repeated."""

import signal

import fault_tools as tools
import mlflow
import pytest
from example_store import default_store

pytestmark = pytest.mark.faults

# Ends the process as kill -9 does, before or after it calls something.
KILLED = (
    "import os, sys, {module} as module\n"
    "real = module.{called}\n"
    "def killed(*words, **named):\n"
    "    if {after}: real(*words, **named)\n"
    "    os.kill(os.getpid(), 9)\n"
    "module.{called} = killed\n"
    "from tallgrass.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
PROMOTING = {
    "when its model is to be stored": ("mlflow", "MlflowClient.log_model_artifacts", False),
    "when its model is registered": ("mlflow", "MlflowClient.set_registered_model_alias", False),
}


@pytest.fixture
def store(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def carry_out(folder, words, moment=None):
    """The exit status of a command, which is killed at a moment."""
    code = None
    if moment is not None:
        module, called, after = moment
        code = KILLED.format(module=module, called=called, after=after)
    return tools.start(folder, command=words, code=code).wait(400)


def all_runs():
    return mlflow.MlflowClient().search_runs(["1"])


@pytest.mark.parametrize("moment", PROMOTING.values(), ids=PROMOTING)
def test_promoting_that_is_killed_registers_nothing_and_can_be_repeated(store, moment):
    assert carry_out(store, [*tools.RUN, "--draws=20", "--tune=30"]) == 0
    [run] = all_runs()
    assert carry_out(store, ["promote", run.info.run_id], moment) == -signal.SIGKILL
    client = mlflow.MlflowClient()
    assert all(not model.aliases for model in client.search_registered_models())

    assert carry_out(store, ["promote", run.info.run_id]) == 0

    [model] = client.search_registered_models()
    version = client.get_model_version_by_alias(model.name, "baseline")
    assert version.run_id == run.info.run_id
    assert mlflow.pyfunc.load_model(f"models:/{model.name}@baseline") is not None
    assert client.get_run(run.info.run_id).data.tags["baseline"] == "true"
