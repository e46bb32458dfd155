"""Forked processes that do not outlive the one that forked them."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 1.0
_parents: list[int] = []  # processes whose children are to end with them: this one, or none


@contextmanager
def ending_with_this_process() -> Iterator[None]:
    """Whatever is forked in this context ends soon after this process, even after kill -9.

    PyMC's chains wait for orders from a pipe whose other end their siblings hold as well: when
    the run is killed, that end is never closed, and they would wait for ever.
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


if hasattr(os, "register_at_fork"):  # spawned processes hold nothing of others
    os.register_at_fork(after_in_child=_watch_in_child)
