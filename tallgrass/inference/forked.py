"""Forked processes that do not outlive the one that forked them."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 1.0
_parents: list[int] = []  # id of this process while a context below is open; else empty


@contextmanager
def ending_with_this_process() -> Iterator[None]:
    """Processes that are forked in this context end soon after this process, even after kill -9.

    A chain of PyMC waits for messages from a pipe. The other chains have the other end of that
    pipe open too, so that it is not closed when the run is killed: the chain would wait for ever.
    """
    _parents.append(os.getpid())
    try:
        yield
    finally:
        _parents.pop()


def _watch_in_child() -> None:
    if _parents:
        threading.Thread(target=_end_after, args=(_parents[-1],), daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


if hasattr(os, "register_at_fork"):  # spawned processes share no ends of pipes
    os.register_at_fork(after_in_child=_watch_in_child)
