"""Progress of sampling: a bar in a terminal, plain lines elsewhere, always on standard error."""

import os
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
_STEPS = {
    "load_s": "loading the libraries",
    "read_s": "reading the responses",
    "prepare_s": "reading the votes and building the model",
    "connect_s": "connecting to the store",
    "save_trace_s": "storing the draws",
    "diagnostics_s": "computing R-hat and effective sample sizes",
    "fit_checks_s": "checking how the model fits",
    "report_s": "writing tables, pictures and the report",
}


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
    elif mode == "bar" or (mode == "auto" and _can_draw()):
        with _bar() as bar:
            yield bar
    else:
        yield _Lines()


@contextmanager
def counting(mode: str, what: str) -> Iterator[Callable[[int], None]]:
    """Shows how many rows were read so far; modes as those of :func:`display`."""
    if mode == "none":
        yield lambda count: None
    elif mode == "bar" or (mode == "auto" and _can_draw()):
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda count: progress.update(task, completed=count)
    else:
        yield _Counted(what)


@contextmanager
def parts(mode: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows how many equal parts of some work are done, and how long the others will take.

    Parameters
    ----------
    mode : str
        As for :func:`display`.
    what : str
        What is done, worded to stand before a colon.

    Yields
    ------
    callable
        Takes the number of parts that are done, and that of all.
    """
    if mode == "none":
        yield lambda done, total: None
    elif mode == "bar" or (mode == "auto" and _can_draw()):
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
    else:
        yield _Parts(what)


def steps(mode: str) -> Callable[[str], None]:
    """Says on a terminal what a run does before and after sampling, each step once.

    Parameters
    ----------
    mode : str
        As for :func:`display`; another program that reads standard error is told nothing.

    Returns
    -------
    callable
        Takes the name of a step, as its seconds are called: ``prepare_s``.
    """
    said: set[str] = set()

    def tell(step: str) -> None:
        if step in _STEPS and step not in said:
            said.add(step)
            print(f"{_STEPS[step]} ...", file=sys.stderr, flush=True)

    if mode == "none" or not sys.stderr.isatty():
        return lambda step: None
    return tell


def _can_draw() -> bool:
    """Whether standard error is a terminal that knows control codes."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


class _Counted:
    """A line every few seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._at = time.monotonic()

    def __call__(self, count: int, /) -> None:
        if time.monotonic() - self._at > _LINE_SECONDS:
            self._at = time.monotonic()
            print(f"{self._what}: {count:,} rows", file=sys.stderr, flush=True)


class _Parts:
    """A line every few seconds, with the time left: every part takes as long as another."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._at = time.monotonic()

    def __call__(self, done: int, total: int, /) -> None:
        now = time.monotonic()
        if done and now - self._at > _LINE_SECONDS:
            self._at = now
            left = (now - self._began) / done * (total - done)
            words = f"{self._what}: {done:,} of {total:,}, about {left:.0f} s left"
            print(words, file=sys.stderr, flush=True)


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
    return f"{stage}, {chain.divergences} divergences"
