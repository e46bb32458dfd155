"""The live table of all runs of an experiment: state, draws, divergences, seconds."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tallgrass.escaping import printable
from tallgrass.experiment.expansion import PlannedRun

_ROWS = 30  # that fit on a terminal; the rest are only counted
_STYLES = {"pass": "green", "fail": "bold red", "running": "cyan", "error": "red"}


@dataclass
class Row:
    """The state of one run."""

    label: str
    state: str = "waiting"  # waiting, running, done before, an end (a verdict), or error
    draws: str = ""
    divergences: int = 0
    began: float | None = None
    seconds: float | None = None

    @property
    def elapsed(self) -> float | None:
        """Seconds since it began, or until its end."""
        if self.seconds is None and self.began is not None:
            return time.monotonic() - self.began
        return self.seconds


class Board:
    """The state of all runs, updated by events of the scheduler and by the runner."""

    def __init__(self, runs: Sequence[PlannedRun], plain: bool) -> None:
        self.rows = {run.key: Row(run.label) for run in runs}
        self._plain = plain

    def progress(self, event: Any) -> None:
        """Update a row from a worker's event (time and message)."""
        message = event[1]
        row = self.rows.get(message["key"])
        if row is None or row.state not in ("waiting", "running"):
            return
        if row.state == "waiting":
            row.state, row.began = "running", time.monotonic()
            self._say(row)
        row.draws = f"{message['finished']:,} of {message['total']:,}"
        row.divergences = message["divergences"]

    def ended(self, key: str, state: str) -> None:
        """Record the end of a run."""
        row = self.rows[key]
        row.seconds = row.elapsed
        row.state = state
        self._say(row)

    def _say(self, row: Row) -> None:
        if self._plain:
            n_ended = sum(row_.state not in ("waiting", "running") for row_ in self.rows.values())
            seconds = "" if row.elapsed is None or row.seconds is None else f" {row.seconds:.0f} s"
            line = f"[{n_ended} of {len(self.rows)}] {row.label}: {row.state}{seconds}"
            print(printable(line), file=sys.stderr, flush=True)

    def __rich__(self) -> Table:
        """The current table: running runs first, then ended, then waiting ones."""
        order = {"running": 0, "waiting": 2}
        rows = sorted(self.rows.values(), key=lambda row: order.get(row.state, 1))
        table = Table(box=None, pad_edge=False)
        table.add_column("run")
        table.add_column("state")
        for name in ("draws", "div.", "seconds"):
            table.add_column(name, justify="right")
        for row in rows[:_ROWS]:
            elapsed = "" if row.elapsed is None else f"{row.elapsed:.0f}"
            state = Text(row.state, style=_STYLES.get(row.state.partition(":")[0], ""))
            divergences = str(row.divergences) if row.draws else ""
            table.add_row(Text(row.label), state, row.draws, divergences, elapsed)
        if len(rows) > _ROWS:
            table.add_row(f"and {len(rows) - _ROWS} more")
        return table


@contextmanager
def board(runs: Sequence[PlannedRun], mode: str) -> Iterator[Board]:
    """The table of runs, shown on standard error according to the setting ``progress``."""
    drawn = mode == "bar" or (mode == "auto" and sys.stderr.isatty())
    table = Board(runs, plain=not drawn and mode != "none")
    if drawn:
        with Live(table, console=Console(stderr=True), refresh_per_second=2):
            yield table
    else:
        yield table
