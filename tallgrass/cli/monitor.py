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
    from tallgrass.tracking.lifecycle import Fate, Status

    Seen = tuple[Status, Fate]

OPTIONS = (Option("once", "show the runs once and end (the default if the output is no terminal)"),)
_HEADS = ["run", "name", "phase", "chain", "draws", "div", "step size", "left", "message"]
_EVERY_SECONDS = 1.0
_FRAME_LINES = 9  # of the live view: head, caption, a line, and some names of two lines


def monitor(arguments: Arguments) -> int:
    """Show the runs of this machine until Ctrl-C, or once without a terminal."""
    settings = load_settings(arguments.settings)
    if arguments.json:
        print(as_json({"runs": [_record(*seen) for seen in _statuses(settings)]}))
        return 0
    if arguments.options.get("once") == "true" or not sys.stdout.isatty():
        _print(_statuses(settings))
        return 0
    from rich.live import Live

    try:
        with Live(auto_refresh=False) as live:
            while True:
                live.update(_drawn(settings, live.console.height), refresh=True)
                time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return 0  # Ctrl-C is the normal end


def _statuses(settings: Settings) -> "list[Seen]":
    """Status and fate of all runs: live ones first, newest first within both groups."""
    from tallgrass.tracking.lifecycle import all_statuses, fate_of, state_dir

    found = all_statuses(state_dir(settings.state_dir))
    seen = [(status, fate_of(folder, status)) for folder, status in found]
    return sorted(seen, key=lambda one: one[1] != "alive")


def _print(statuses: "list[Seen]") -> None:
    """The runs under way, and below a line those that ended."""
    rows: dict[bool, list[list[object]]] = {True: [], False: []}
    for status, fate in statuses:
        rows[fate == "alive"] += _rows(status, fate)
    if rows[True]:
        table(_HEADS, rows[True])
    else:
        say("no run is under way on this machine")
    if rows[False]:
        say("", "ended today, or not seen from here:")
        table(_HEADS, rows[False])


def _record(status: "Status", fate: "Fate") -> dict[str, Any]:
    about = {"alive": fate == "alive", "life": str(fate), "phase": _phase(status, fate)}
    return {**asdict(status), **about}


def _phase(status: "Status", fate: "Fate") -> str:
    """The phase of the run; ``died`` if the process is gone but did not end the run."""
    return "died" if fate == "dead" and not status.ended else status.phase


def _rows(status: "Status", fate: "Fate") -> list[list[object]]:
    alive = fate == "alive"
    remaining = "-" if status.eta_s is None or not alive else _duration(status.eta_s)
    message = status.message
    if _phase(status, fate) == "died":
        message = f"died while {status.phase}: tallgrass recover {status.run_id[:8]}"
    elif fate == "unknown":
        message = f"of {status.whose}: not seen from here"
    head: list[object] = [status.run_id[:8], status.name, _phase(status, fate)]
    if not status.chains:
        return [[*head, "-", "-", "-", "-", remaining, message]]
    if not alive:
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
    n_hidden, n_alive = 0, 0
    for status, fate in _statuses(settings):
        rows = _rows(status, fate)
        if fate != "alive" and view.row_count + len(rows) > height - _FRAME_LINES:
            n_hidden += 1
            continue
        if fate == "alive":
            n_alive += 1
        elif n_alive:
            view.add_row(Text("ended:", style="dim"))
            n_alive = 0
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
