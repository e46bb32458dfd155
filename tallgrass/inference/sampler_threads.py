"""Threads of a sampler that must be gone before this process ends."""

import threading
import time
from contextlib import suppress

import psutil

_SECONDS = 10.0
_POLL_SECONDS = 0.05


def thread_ids() -> set[int]:
    """The threads of this process, those of libraries too; none where the system hides them."""
    with suppress(psutil.Error):
        return {thread.id for thread in psutil.Process().threads()}
    return set()


def wait_for_end_of_others(before: set[int]) -> None:
    """Wait until the threads that began since ``before`` have ended, for at most ten seconds.

    nutpie's threads run compiled code. A process that ends while they do takes that code away
    under them, and the system ends it with a segmentation fault. Python's own threads, which may
    have begun meanwhile to keep the status of a run, are not theirs.
    """
    until = time.monotonic() + _SECONDS
    pythons = {thread.native_id for thread in threading.enumerate()}
    while thread_ids() - before - pythons and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
