"""Forked processes that end with their parent."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

FORKS = """
import os, time
from tallgrass.inference.forked import ending_with_this_process
with ending_with_this_process():
    child = os.fork()
    if child:
        print(child, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_ends_soon_after_its_parent_was_killed():
    parent = subprocess.Popen([sys.executable, "-c", FORKS], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    try:
        time.sleep(1.5)
        assert child.is_running()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _, alive = psutil.wait_procs([child], timeout=10)
        assert alive == []
    finally:
        parent.kill()
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
