"""Inputs that never end, or never begin: each is refused in one line, at once."""

import os
import signal
from pathlib import Path

import pytest
from example_store import default_store

from tallgrass.cli import main
from tallgrass.inputs.paths import opened

pytestmark = pytest.mark.faults
CALIBRATE = ["calibrate", "--progress=none", "--min-responses=1"]
# Every kind of input that a command takes, as the words that name it.
INPUTS = {
    "votes": ["run", "--session=hostile.csv"],
    "a session": ["run", "--session=hostile"],
    "members": ["run", "--session=simulated", "--model=dynamic", "--members=hostile.csv"],
    "a model": ["run", "--session=simulated", "--model=hostile.py:model"],
    "responses": [*CALIBRATE, "--responses=hostile.csv"],
    "anchors": [*CALIBRATE, "--responses=answers.csv", "--anchors=hostile.csv"],
    "a map": [*CALIBRATE, "--responses=answers.csv", "--publish-map=hostile.csv"],
    "draws": ["log", "hostile.csv"],
    "an experiment": ["experiment", "hostile"],
    "scores": ["score", "abcd1234", "--responses=hostile.csv"],
}
HOSTILE = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def folder(tmp_path, monkeypatch, request):
    """A folder in which every file that an input may be is hostile."""
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        session = tmp_path / "hostile"
        session.mkdir()
        names = [f"hostile_{part}.csv" for part in ("votes", "rollcalls", "legislators")]
        for path in [*(session / name for name in names), session / "experiment.toml"]:
            request.param(path)
        for name in ("hostile.csv", "hostile.py"):
            request.param(tmp_path / name)
        rows = [f"u{user},q{item},{user * item % 2}" for user in range(9) for item in range(4)]
        Path("answers.csv").write_text("\n".join(["user,item,response", *rows]))
        yield tmp_path


@pytest.fixture(autouse=True)
def patience():
    """Whatever waits for a pipe, or reads a device, is ended."""

    def end(*_):
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("words", INPUTS.values(), ids=INPUTS)
def test_an_input_that_is_no_file_is_refused_at_once(folder, words, capsys):
    assert main(words) == 2
    told = capsys.readouterr()
    [line] = [line for line in told.err.splitlines() if not line.startswith("machine:")]
    assert line.startswith("tallgrass: error: ")


def test_no_pipe_or_device_is_opened_as_a_file(folder):
    with (
        pytest.raises(OSError, match=r"pipe or a device|symbolic links"),
        opened(folder / "hostile.csv"),
    ):
        raise AssertionError("opened")
