"""Ctrl-C, termination and a closed terminal.

The first signal ends sampling and keeps the draws, the second ends the run without saving, the
third ends the process.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# Python drops an exception that a signal handler raises inside a callback of a C library, such as
# the compiler. Loops that wait for long therefore also ask here.
_asked = threading.Event()


def asked_to_stop() -> bool:
    """Whether a signal has come since the run took its place."""
    return _asked.is_set()


@contextmanager
def graceful() -> Iterator[None]:
    """While open, the first signal ends sampling and keeps its draws, the second ends at once.

    Both raise a KeyboardInterrupt. The first one reaches the sampler, which returns the draws that
    it has; the second one interrupts saving them, and the run is closed as KILLED (the draws are
    still on disk). A third one ends the process at once. Signals that this process was started to
    ignore stay ignored. Python delivers signals to the main thread only: elsewhere this does
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received = 0
    _asked.clear()
    before = {}
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.getsignal(number)

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        _asked.set()
        if received == 1:
            _say("stopping: the draws made so far are kept (once more: stop at once)")
        elif received > 2:
            _end_hard(number)
        earlier = before[number]
        if callable(earlier):
            earlier(number, frame)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        _asked.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_hard(number: int) -> None:
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue
    _say("stopped; see: tallgrass recover")
    os._exit(128 + number)


def _say(words: str) -> None:
    # Not through logging, whose lock the interrupted code may hold.
    try:
        os.write(sys.stderr.fileno(), f"tallgrass: {words}\n".encode())
    except (OSError, ValueError, AttributeError):
        return
