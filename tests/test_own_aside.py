"""The recording process, as the user's process sees it."""

import logging
import subprocess
import sys

import pytest

from tallgrass.own.aside import Sidecar, answers_of


def test_lines_of_libraries_are_no_answers():
    text = 'View run at http://127.0.0.1\n{"job": 2, "run_id": "ab"}\n7\n{"other": 1}\n'
    assert answers_of(text) == {2: {"job": 2, "run_id": "ab"}}


def test_what_is_printed_in_the_process_does_not_reach_the_answers():
    code = (
        "from tallgrass.own.recording import own_channel\n"
        "channel = own_channel()\n"
        "print('of a library', flush=True)\n"
        "print('answer', file=channel, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "answer\n"
    assert "of a library" in done.stderr


@pytest.mark.parametrize("silent", [False, True])
def test_a_process_that_dies_is_a_warning_and_no_error(tmp_path, monkeypatch, caplog, silent):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    sidecar = Sidecar(tmp_path)
    job = sidecar.begin({"name": "mine"}, silent)
    job.failed(ValueError("of the user"))
    with caplog.at_level(logging.WARNING):
        assert sidecar.finish() == []
    assert ("draws were not recorded (exit status 1)" in caplog.text) is not silent


def test_a_fork_that_holds_the_pipe_open_keeps_nobody_waiting(tmp_path):
    sidecar = Sidecar(tmp_path)
    holder = subprocess.Popen(
        ["sleep", "60"], stdin=sidecar._process.stdin, pass_fds=[sidecar._process.stdin.fileno()]
    )
    try:
        assert sidecar.finish() == []
        assert sidecar._process.returncode == 0
        assert holder.poll() is None
    finally:
        holder.kill()
        holder.wait()
