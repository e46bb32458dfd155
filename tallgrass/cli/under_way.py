"""The commands ``monitor`` and ``recover``: runs under way on this machine, and what they left."""

import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError, TallgrassError
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from tallgrass.inference.progress import ChainProgress
    from tallgrass.recovery import Recovered, Remains
    from tallgrass.tracking.lifecycle import Status

MONITOR_OPTIONS = (
    Option("once", "show the runs once and end (where the output is no terminal, it does so)"),
)
RECOVER_OPTIONS = (
    Option("all", "all that is listed"),
    Option("discard", "remove the draws instead of finishing the run"),
    Option("draws_only", "keep draws and diagnostics alone, for a run whose data are gone"),
)
_HEADS = ["run", "name", "phase", "chain", "draws", "div", "step size", "left", "message"]
_EVERY_SECONDS = 1.0
_FRAME_LINES = 8  # of the live view: head, caption, and some names that take two lines


def monitor(arguments: Arguments) -> int:
    """Show the runs of this machine until Ctrl-C; once where nobody watches."""
    settings = load_settings(arguments.settings)
    if arguments.json:
        print(as_json({"runs": [_record(one) for one in _statuses(settings)]}))
        return 0
    if arguments.options.get("once") == "true" or not sys.stdout.isatty():
        rows = [row for one in _statuses(settings) for row in _rows(one)]
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
        return 0  # the way to end it


def recover(arguments: Arguments) -> int:
    """List what runs left behind, or finish or discard one of them or all."""
    from tallgrass import recovery as work

    settings = load_settings(arguments.settings)
    everything = arguments.options.get("all") == "true"
    discards = arguments.options.get("discard") == "true"
    draws_only = arguments.options.get("draws_only") == "true"
    if discards and draws_only:
        raise SpecError("recover --discard keeps nothing", "--draws-only", "leave one of them out")
    if arguments.operands and everything:
        raise SpecError("recover takes a run or --all, not both", arguments.operands[0])
    if not arguments.operands and not everything:
        if discards or draws_only:
            flag = "--discard" if discards else "--draws-only"
            raise SpecError(f"recover {flag} needs a run or --all")
        return _listed(work.remains(settings), arguments.json)
    chosen = work.remains(settings) if everything else [work.find(settings, arguments.operands[0])]
    recover_one = partial(work.finish, settings=settings, draws_only=draws_only)
    done, failed = _carried_out(chosen, settings, None if discards else recover_one, everything)
    if arguments.json:
        print(as_json({"recovered": done}))
    elif not chosen:
        say("nothing to recover")
    for about in () if arguments.json else done:
        _print_done(about)
    return 2 if failed else 0


def _carried_out(
    chosen: "list[Remains]",
    settings: Settings,
    finish: "Callable[[Remains], Recovered] | None",
    go_on: bool,
) -> tuple[list[dict[str, Any]], int]:
    """What became of each, and how many failed where one failure does not end it.

    Without ``finish`` what they left is removed.
    """
    from tallgrass import recovery as work
    from tallgrass.study.surroundings import close_orphans
    from tallgrass.tracking import store

    done: list[dict[str, Any]] = []
    failed = 0
    if go_on:
        store.connect(settings.tracking_uri)
        close_orphans()
    for one in chosen:
        try:
            with redirect_stdout(sys.stderr):
                work.connect(one, settings)
                close_orphans()
                if finish is None:
                    work.discard(one)
                    done.append({"run_id": one.status.run_id, "discarded": True})
                else:
                    done.append(asdict(finish(one)))
        except TallgrassError as error:
            if not go_on:
                raise
            failed += 1
            say(f"tallgrass: error: {one.status.run_id}: {error}", to=sys.stderr)
    return done, failed


def _listed(found: "list[Remains]", json: bool) -> int:
    if json:
        records = [
            {
                "run_id": one.status.run_id,
                "name": one.status.name,
                "phase": one.status.phase,
                "draws": one.draws,
                "waiting": one.waiting,
                "tracking_uri": one.status.tracking_uri,
                "folder": str(one.folder),
            }
            for one in found
        ]
        print(as_json({"runs": records}))
        return 0
    if not found:
        say("nothing to recover")
        return 0
    rows = [
        [
            one.status.run_id,
            one.status.name,
            one.status.phase if one.status.ended else f"died {one.status.phase}",
            _moment(one.status.updated_at),
            ", ".join(map(str, one.draws)) or "-",
            one.waiting,
            one.status.tracking_uri,
        ]
        for one in found
    ]
    table(["run", "name", "state", "last seen", "draws by chain", "to deliver", "store"], rows)
    say("", "finish one: tallgrass recover RUN; remove its draws: tallgrass recover RUN --discard")
    return 0


def _print_done(about: dict[str, Any]) -> None:
    if about.get("discarded"):
        say(f"{about['run_id']}: discarded")
        return
    parts = []
    if about["n_draws"]:
        parts.append(f"{about['n_chains']} chains of {about['n_draws']} draws recovered")
        parts.append(f"verdict {about['verdict']}")
    if about["again"]:
        parts.append(f"made again, verdict {about['verdict'] or 'none'}")
    if about["delivered"]:
        parts.append(f"{about['delivered']} writes delivered")
    say(f"{about['run_id']}: {', '.join(parts) or 'closed; no draw was finished'}")


def _statuses(settings: Settings) -> "list[Status]":
    """Of every run that has one: those under way, then the others, the newest of each first."""
    from tallgrass.tracking.lifecycle import all_statuses, state_dir

    found = [status for _, status in all_statuses(state_dir(settings.state_dir))]
    return sorted(found, key=lambda one: not one.alive)


def _record(status: "Status") -> dict[str, Any]:
    return {**asdict(status), "alive": status.alive, "phase": _phase(status)}


def _phase(status: "Status") -> str:
    """Where the run is; a process that is gone without saying so has died."""
    return status.phase if status.alive or status.ended else "died"


def _rows(status: "Status") -> list[list[object]]:
    left = "-" if status.eta_s is None or not status.alive else _duration(status.eta_s)
    message = status.message
    if _phase(status) == "died":
        message = f"died while {status.phase}: tallgrass recover {status.run_id[:8]}"
    head: list[object] = [status.run_id[:8], status.name, _phase(status)]
    if not status.chains:
        return [[*head, "-", "-", "-", "-", left, message]]
    if not status.alive:
        done, total = (sum(getattr(c, n) for c in status.chains) for n in ("finished", "total"))
        draws = f"{done / max(1, total):4.0%} {done}/{total}"
        return [[*head, "all", draws, status.divergences, "-", left, message]]
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
                left if first else "",
                message if first else "",
            ]
        )
    return rows


def _draws(chain: "ChainProgress") -> str:
    share = chain.finished / max(1, chain.total)
    stage = " tuning" if chain.tuning and chain.finished < chain.total else ""
    return f"{share:4.0%} {chain.finished}/{chain.total}{stage}"


def _drawn(settings: Settings, height: int) -> "Table":
    """The runs as a table of so many lines: the newest of those that ended as far as they fit."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from tallgrass.cli.output import printable

    styles = {"died": "bold red", "failed": "red", "killed": "yellow", "finished": "green"}
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in _HEADS:
        drawn.add_column(Text(head), overflow="fold")
    left_out = 0
    for one in _statuses(settings):
        rows = _rows(one)
        if not one.alive and drawn.row_count + len(rows) > height - _FRAME_LINES:
            left_out += 1
            continue
        for row in rows:
            cells = [printable(cell) for cell in row]
            drawn.add_row(*(Text(cell, style=styles.get(cell, "")) for cell in cells))
    more = f"{left_out} more that ended: tallgrass monitor --once. " if left_out else ""
    drawn.caption = f"{more}Ctrl-C ends this view, not the runs"
    return drawn


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours}:{left:02d}:{rest:02d}" if hours else f"{left}:{rest:02d}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
