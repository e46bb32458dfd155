"""The command ``monitor``: the runs on this machine and their progress."""

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from tallgrass.inference.progress import ChainProgress
    from tallgrass.tracking.lifecycle import Status

OPTIONS = (Option("once", "show the runs once and end (the default if the output is no terminal)"),)
_HEADS = ["run", "name", "phase", "chain", "draws", "div", "step size", "left", "message"]
_EVERY_SECONDS = 1.0
_FRAME_LINES = 8  # of the live view: head, caption, and some names of two lines


def monitor(arguments: Arguments) -> int:
    """Show the runs of this machine until Ctrl-C, or once without a terminal."""
    settings = load_settings(arguments.settings)
    if arguments.json:
        print(as_json({"runs": [_record(status) for status in _statuses(settings)]}))
        return 0
    if arguments.options.get("once") == "true" or not sys.stdout.isatty():
        rows = [row for status in _statuses(settings) for row in _rows(status)]
        if rows:
            table(_HEADS, rows)
        else:
            say("no runs on this machine today")
        return 0
    from rich.live import Live

    try:
        with Live(auto_refresh=False) as live:
            while True:
                live.update(_drawn(settings, live.console.height), refresh=True)
                time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return 0  # Ctrl-C is the normal end


def _statuses(settings: Settings) -> "list[Status]":
    """The statuses of all runs: live ones first, newest first within both groups."""
    from tallgrass.tracking.lifecycle import all_statuses, state_dir

    statuses = [status for _, status in all_statuses(state_dir(settings.state_dir))]
    return sorted(statuses, key=lambda status: not status.alive)


def _record(status: "Status") -> dict[str, Any]:
    return {**asdict(status), "alive": status.alive, "phase": _phase(status)}


def _phase(status: "Status") -> str:
    """The phase of the run; ``died`` if the process is gone but did not end the run."""
    return status.phase if status.alive or status.ended else "died"


def _rows(status: "Status") -> list[list[object]]:
    remaining = "-" if status.eta_s is None or not status.alive else _duration(status.eta_s)
    message = status.message
    if _phase(status) == "died":
        message = f"died while {status.phase}: tallgrass recover {status.run_id[:8]}"
    head: list[object] = [status.run_id[:8], status.name, _phase(status)]
    if not status.chains:
        return [[*head, "-", "-", "-", "-", remaining, message]]
    if not status.alive:
        done, total = (sum(getattr(c, n) for c in status.chains) for n in ("finished", "total"))
        draws = f"{done / max(1, total):4.0%} {done}/{total}"
        return [[*head, "all", draws, status.divergences, "-", remaining, message]]
    rows = []
    for number, chain in enumerate(status.chains):
        first = number == 0
        rows.append(
            [
                *(head if first else ["", "", ""]),
                number,
                _draws(chain),
                chain.divergences,
                "-" if chain.step_size is None else f"{chain.step_size:.3g}",
                remaining if first else "",
                message if first else "",
            ]
        )
    return rows


def _draws(chain: "ChainProgress") -> str:
    share = chain.finished / max(1, chain.total)
    stage = " tuning" if chain.tuning and chain.finished < chain.total else ""
    return f"{share:4.0%} {chain.finished}/{chain.total}{stage}"


def _drawn(settings: Settings, height: int) -> "Table":
    """The runs as a table of at most this many lines: live runs, then the newest ended ones."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from tallgrass.cli.output import printable

    styles = {"died": "bold red", "failed": "red", "killed": "yellow", "finished": "green"}
    view = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in _HEADS:
        view.add_column(Text(head), overflow="fold")
    n_hidden = 0
    for status in _statuses(settings):
        rows = _rows(status)
        if not status.alive and view.row_count + len(rows) > height - _FRAME_LINES:
            n_hidden += 1
            continue
        for row in rows:
            cells = [printable(cell) for cell in row]
            view.add_row(*(Text(cell, style=styles.get(cell, "")) for cell in cells))
    more = f"{n_hidden} more that ended: tallgrass monitor --once. " if n_hidden else ""
    view.caption = f"{more}Ctrl-C ends this view, not the runs"
    return view


def _duration(seconds: float) -> str:
    minutes, seconds_left = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return (
        f"{hours}:{minutes_left:02d}:{seconds_left:02d}"
        if hours
        else f"{minutes_left}:{seconds_left:02d}"
    )
