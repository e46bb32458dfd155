"""Progress of sampling: a bar in a terminal, plain lines elsewhere, always on standard error."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tallgrass.inference.progress import ChainProgress

_LINE_EVERY = 0.1  # a plain line at least this share of all draws after the last
_LINE_SECONDS = 5.0  # and at least this long after it


class Display(Protocol):
    """An observer of sampling."""

    def __call__(self, chains: Sequence[ChainProgress], /) -> None:
        """Show the progress of all chains."""


@contextmanager
def display(mode: str) -> Iterator[Display]:
    """An observer that shows progress while the context is open.

    Parameters
    ----------
    mode : str
        ``auto`` (a bar where standard error is a terminal, plain lines elsewhere), ``bar``,
        ``plain`` or ``none``.
    """
    if mode == "none":
        yield lambda chains: None
    elif mode == "bar" or (mode == "auto" and sys.stderr.isatty()):
        with _bar() as bar:
            yield bar
    else:
        yield _Lines()


@contextmanager
def counting(mode: str, what: str) -> Iterator[Callable[[int], None]]:
    """Shows how many rows were read so far; modes as those of :func:`display`."""
    if mode == "none":
        yield lambda count: None
    elif mode == "bar" or (mode == "auto" and sys.stderr.isatty()):
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda count: progress.update(task, completed=count)
    else:
        yield _Counted(what)


class _Counted:
    """A line every few seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._at = time.monotonic()

    def __call__(self, count: int, /) -> None:
        if time.monotonic() - self._at > _LINE_SECONDS:
            self._at = time.monotonic()
            print(f"{self._what}: {count:,} rows", file=sys.stderr, flush=True)


@contextmanager
def _bar() -> Iterator[Display]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: list[TaskID] = []

        def show(chains: Sequence[ChainProgress], /) -> None:
            while len(tasks) < len(chains):
                tasks.append(progress.add_task(f"chain {len(tasks) + 1}", state="waiting"))
            for task, chain in zip(tasks, chains, strict=True):
                state = _state(chain)
                progress.update(task, completed=chain.finished, total=chain.total, state=state)

        yield show


class _Lines:
    """A line for every tenth of the work, but not more than one every few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown = 0.0
        self._at = time.monotonic()

    def __call__(self, chains: Sequence[ChainProgress], /) -> None:
        done = sum(chain.finished for chain in chains)
        share = done / max(1, sum(chain.total for chain in chains))
        with self._lock:
            late = time.monotonic() - self._at > _LINE_SECONDS
            if share < 1 and not (late and share - self._shown > _LINE_EVERY):
                return
            if share <= self._shown:
                return
            self._shown, self._at = share, time.monotonic()
        divergences = sum(chain.divergences for chain in chains)
        print(f"sampling: {share:4.0%}, {divergences} divergences", file=sys.stderr, flush=True)


def _state(chain: ChainProgress) -> str:
    if chain.finished == 0:
        return "waiting"
    stage = "tuning" if chain.tuning else "sampling"
    return f"{stage}, {chain.divergences} divergences" if chain.divergences else stage
