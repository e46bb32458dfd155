"""The password of an MLflow server is nowhere but in the variable that gives it."""

import time
from pathlib import Path

import fault_tools as tools
import psutil
import pytest

pytestmark = pytest.mark.faults
PASSWORD = "kept4secret9word"
EXPERIMENT = """\
name = "secret"
question = "Is it told?"
[hold]
session = "simulated"
draws = 30
tune = 30
chains = 2
fit_checks = false
[vary]
init = ["pca", "none"]
[[extra]]
session = "missing"
"""
COMMANDS = {
    "run": [*tools.RUN, "--draws=30", "--tune=30"],
    "experiment": ["experiment", ".", "--workers=1", "--progress=none"],
    "runs": ["runs"],
    "recover": ["recover", "--all"],
}
# A server that dies while it is written to: what waits is on disk, what is said is an error.
DEAD = ["run", "--session=simulated", "--progress=none", "--draws=30", "--tune=30"]


def holders(folder: Path) -> list[str]:
    """The files that hold the password: store, artifacts, reports, statuses, what was said."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(folder)) for path in files if PASSWORD.encode() in path.read_bytes()
    ]


def shown(process) -> list[str]:
    """Command lines of a process and what it started that show the password, until it ends."""
    found = []
    while process.poll() is None:
        try:
            parent = psutil.Process(process.pid)
            family = [parent, *parent.children(recursive=True)]
            found += [line for one in family if PASSWORD in (line := " ".join(one.cmdline()))]
        except psutil.Error:
            pass
        time.sleep(0.1)
    return found


@pytest.fixture
def address(tmp_path):
    with tools.server(tmp_path / "server") as server:
        yield server.url.replace("://", f"://ann:{PASSWORD}@")


def test_the_password_of_a_server_is_told_to_nobody(tmp_path, address):
    (tmp_path / "experiment.toml").write_text(EXPERIMENT)
    ended = {}
    for name, words in COMMANDS.items():
        process = tools.start(tmp_path, command=words, MLFLOW_TRACKING_URI=address)
        assert shown(process) == []
        ended[name] = process.returncode
    said = (tmp_path / "said").read_text()
    assert ended == {"run": 0, "experiment": 2, "runs": 0, "recover": 0}, said
    assert "missing" in said  # the run that could not be made was told of
    assert holders(tmp_path) == []


def test_the_password_of_a_server_that_cannot_be_reached_is_told_to_nobody(tmp_path):
    address = f"http://ann:{PASSWORD}@127.0.0.1:{tools.free_port()}"
    for words in (DEAD, ["runs"], ["recover", "--all"]):
        process = tools.start(tmp_path, command=words, MLFLOW_TRACKING_URI=address)
        assert shown(process) == []
        assert process.returncode == 2
    assert holders(tmp_path) == []
    assert "cannot use the MLflow store" in (tmp_path / "said").read_text()
