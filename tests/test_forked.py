"""Forked commands: in every respect that a test counts on, a process that was asked for."""

import functools
import json
import os
import signal
import subprocess
import sys

import fault_tools
import psutil
import pytest
from forked import Forked, Forkery

pytestmark = pytest.mark.slow
ABOUT = """
import json, os, sys, random, threading
import numpy as np
print(json.dumps({
    "cwd": os.getcwd(), "env": dict(os.environ), "session": os.getsid(0) == os.getpid(),
    "argv": sys.argv, "main": __name__, "path": sys.path, "threads": threading.active_count(),
    "files": sorted(map(int, os.listdir("/proc/self/fd"))), "random": np.random.rand(),
    "pid": os.getpid(), "imported": "pymc" in sys.modules,
}), flush=True)
"""


@pytest.fixture(scope="module")
def forkery():
    """One with the variables of now: other tests may have left some."""
    return Forkery(fault_tools.environment())


def said(forkery, folder, code, *words, **variables):
    """What a process says of itself, and the process, which has ended."""
    (folder / "said").unlink(missing_ok=True)
    process = fault_tools.start(folder, *words, command=(), code=code, by=forkery, **variables)
    assert process.wait(60) == 0, (folder / "said").read_text()
    return json.loads((folder / "said").read_text()), process


def test_it_has_what_it_was_given_and_nothing_of_others(forkery, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLGRASS_DRAWS", "7")
    about, process = said(forkery, tmp_path, ABOUT, "a word", TALLGRASS_TUNE="9")

    assert isinstance(process, Forked)
    assert about.pop("imported")
    assert about["pid"] == process.pid
    assert about["cwd"] == str(tmp_path)
    assert about["argv"] == ["-c", "a word"]
    assert about["session"]
    assert about["threads"] == 1
    assert about["env"]["TALLGRASS_TUNE"] == "9"
    assert "TALLGRASS_DRAWS" not in about["env"]
    again, _ = said(forkery, tmp_path, ABOUT)
    assert again["random"] != about["random"]
    assert "TALLGRASS_TUNE" not in again["env"]


def test_what_a_library_sets_when_it_is_imported_makes_no_new_process(
    forkery, tmp_path, monkeypatch
):
    said(forkery, tmp_path, ABOUT)
    monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")  # by JAX
    about, process = said(forkery, tmp_path, ABOUT)
    assert isinstance(process, Forked)
    assert about["env"]["TPU_SKIP_MDS_QUERY"] == "1"


def test_it_is_as_a_new_process_is(forkery, tmp_path):
    forked, _ = said(forkery, tmp_path, ABOUT)
    # An environment that modules may have read when they were imported.
    new, process = said(forkery, tmp_path, ABOUT, ANOTHER_SETTING="1")

    assert isinstance(process, subprocess.Popen)
    for one in (forked, new):
        for name in ("pid", "random", "imported"):
            del one[name]
        # numba and the like set these when they are imported
        one["env"] = {k: v for k, v in one["env"].items() if k in os.environ}
    assert forked == new


def test_its_end_is_told_as_that_of_any_process(forkery, tmp_path):
    start = functools.partial(fault_tools.start, tmp_path, command=(), by=forkery)
    assert start(code="import sys; sys.exit(3)").wait(60) == 3
    assert start(code="1 / 0").wait(60) == 1
    assert "ZeroDivisionError" in (tmp_path / "said").read_text()
    process = start(code="import time; time.sleep(600)")
    assert process.poll() is None
    assert abs(psutil.Process(process.pid).create_time() - psutil.time.time()) < 30
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    assert not psutil.pid_exists(process.pid)


def test_a_shell_finds_the_command(forkery, tmp_path):
    folder = forkery.folder
    done = subprocess.run(
        ["bash", "-c", "tallgrass --version; tallgrass no-such-command; echo $?"],
        env={**fault_tools.environment(), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "tallgrass"
    assert done.stdout.split()[-1] == "2"
    assert "unknown command" in done.stderr
    assert sys.executable not in done.stderr
