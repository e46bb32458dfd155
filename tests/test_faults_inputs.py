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
        answers()
        yield tmp_path


def answers():
    """Responses that can be used, in the working folder."""
    rows = [f"u{user},q{item},{user * item % 2}" for user in range(9) for item in range(4)]
    Path("answers.csv").write_text("\n".join(["user,item,response", *rows]))


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


@pytest.mark.parametrize("kind", ["scores", "anchors"])
@pytest.mark.parametrize(
    "place", [HOSTILE["a pipe"], HOSTILE["a device"], os.mkdir], ids=["pipe", "device", "folder"]
)
def test_answers_and_anchors_that_are_no_file_are_called_so(
    tmp_path, monkeypatch, capsys, kind, place
):
    monkeypatch.chdir(tmp_path)
    answers()
    place(tmp_path / "hostile.csv")
    assert main(INPUTS[kind]) == 2
    assert "a folder, pipe or device, and no file of" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["responses", "anchors"])
def test_a_file_of_terabytes_is_refused_before_it_is_read(tmp_path, monkeypatch, capsys, kind):
    monkeypatch.chdir(tmp_path)
    answers()
    head = {"responses": "user,item,response\nu1,q1,1\n", "anchors": "item,a,b\nq1,1,0\n"}[kind]
    Path("hostile.csv").write_text(head)
    os.truncate("hostile.csv", 3 * 10**12)  # a hole, which takes no place
    assert main(INPUTS[kind]) == 2
    told = capsys.readouterr().err
    # All of the file, where reading found a little more than the limit of 1 GiB.
    assert "'hostile.csv' is too large: received '3,000,000,000,000 bytes'" in told


def test_no_pipe_or_device_is_opened_as_a_file(folder):
    with (
        pytest.raises(OSError, match=r"pipe or a device|symbolic links"),
        opened(folder / "hostile.csv"),
    ):
        raise AssertionError("opened")
