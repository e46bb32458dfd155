"""Ctrl-C, termination and a closed terminal: once stops well, twice at once, thrice hard."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# Python drops an exception that a handler raises inside a callback of a library in C, such as the
# compiler's: who waits for long asks here as well.
_asked = threading.Event()


def asked_to_stop() -> bool:
    """Whether a signal has come since the run took its place."""
    return _asked.is_set()


@contextmanager
def graceful() -> Iterator[None]:
    """While open, the first signal ends sampling and keeps its draws, the second ends at once.

    Both raise a KeyboardInterrupt: the first one reaches the sampler, which hands back what it has;
    the second one whatever saves that, so that the run is closed as KILLED without it (its draws
    are on disk). A third one ends the process there and then. Signals that this process was started
    to ignore stay ignored. Outside the main thread, where Python delivers none, nothing happens.
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
