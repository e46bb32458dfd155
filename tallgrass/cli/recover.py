"""The command ``recover``: finish or discard runs that ended early, and deliver what waits."""

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
from tallgrass.rounding import size
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from tallgrass.recovery import Recovered, Remains

OPTIONS = (
    Option("all", "all listed runs"),
    Option("discard", "remove the draws instead of finishing the run"),
    Option("draws_only", "keep only draws and diagnostics, for a run whose data are gone"),
    Option("thin", "keep every N-th draw, where there are very many", "N"),
    Option("as_new", "make a new run of the draws, for a run whose store is gone"),
    Option("force", "also a run whose process cannot be seen from here, if you know that it ended"),
)

# Reading, diagnostics and report of draws, from their bytes on disk: linear.
_BYTES_A_SECOND = 3e6
_LARGE = 5e7


def recover(arguments: Arguments) -> int:
    """List the runs to recover, or finish or discard one of them or all."""
    from tallgrass import recovery

    settings = load_settings(arguments.settings)
    all_runs = arguments.options.get("all") == "true"
    discards = arguments.options.get("discard") == "true"
    draws_only = arguments.options.get("draws_only") == "true"
    force = arguments.options.get("force") == "true"
    as_new = arguments.options.get("as_new") == "true"
    step = arguments.number("thin", 1, least=2)
    if as_new and (all_runs or discards or not arguments.operands):
        raise SpecError("recover --as-new takes one run, and keeps its draws", "--as-new")
    if discards and (draws_only or step > 1):
        flag = "--draws-only" if draws_only else "--thin"
        raise SpecError("recover --discard keeps no draws", flag, "leave one of them out")
    if arguments.operands and all_runs:
        raise SpecError("recover takes a run or --all, not both", arguments.operands[0])
    if not arguments.operands and not all_runs:
        if discards or draws_only or force:
            flag = "--discard" if discards else "--draws-only" if draws_only else "--force"
            raise SpecError(f"recover {flag} needs a run or --all")
        return _listed(recovery.remains(settings), arguments.json)
    chosen = (
        recovery.remains(settings) if all_runs else [recovery.find(settings, arguments.operands[0])]
    )
    if all_runs and not force:
        chosen = _of_the_dead(chosen)
    finish = partial(
        recovery.finish,
        settings=settings,
        draws_only=draws_only,
        force=force,
        as_new=as_new,
        step=step,
    )
    discard = partial(recovery.discard, force=force) if discards else None
    done, failed = _recovered(chosen, settings, finish, discard, all_runs, as_new)
    if arguments.json:
        print(as_json({"recovered": done}))
    elif not chosen:
        say("nothing to recover")
    for record in () if arguments.json else done:
        _print_done(record)
    return 2 if failed else 0


def _of_the_dead(runs: "list[Remains]") -> "list[Remains]":
    """The runs whose process is dead; whose the others are is said."""
    from tallgrass.tracking.lifecycle import Fate

    for remains in runs:
        if remains.fate is not Fate.DEAD:
            say(f"left alone: {remains.status.run_id}, of {remains.status.whose}", to=sys.stderr)
    return [remains for remains in runs if remains.fate is Fate.DEAD]


def _recovered(
    chosen: "list[Remains]",
    settings: Settings,
    finish: "Callable[[Remains], Recovered]",
    discard: "Callable[[Remains], None] | None",
    go_on: bool,
    as_new: bool,
) -> tuple[list[dict[str, Any]], int]:
    """The result of each run, and the number of failures if ``go_on`` after one.

    With ``discard`` the runs are discarded.
    """
    from tallgrass import recovery
    from tallgrass.study.surroundings import close_orphans
    from tallgrass.tracking import lifecycle, store

    done: list[dict[str, Any]] = []
    failed = 0
    state = lifecycle.state_dir(settings.state_dir)
    if go_on:
        store.connect(settings.tracking_uri)
        close_orphans(state)
    for remains in chosen:
        try:
            with redirect_stdout(sys.stderr):
                recovery.connect(remains, settings, as_new)
                close_orphans(state)
                if discard is not None:
                    discard(remains)
                    done.append({"run_id": remains.status.run_id, "discarded": True})
                else:
                    if settings.progress != "none":
                        _announce(remains)
                    done.append(asdict(finish(remains)))
        except TallgrassError as error:
            if not go_on:
                raise
            failed += 1
            say(f"tallgrass: error: {remains.status.run_id}: {error}", to=sys.stderr)
    return done, failed


def _announce(remains: "Remains") -> None:
    """Say what is to be finished, and how to do less where it will take long."""
    draws = sum(remains.draws)
    if not draws:
        return
    words = f"{remains.status.run_id}: finishing it with {draws:,} draws ({size(remains.size)})"
    if remains.size > _LARGE:
        words += f"; about {remains.size / _BYTES_A_SECOND:.0f} s, fewer with --thin N"
    say(words, to=sys.stderr)


def _listed(runs: "list[Remains]", json: bool) -> int:
    if json:
        records = [
            {
                "run_id": remains.status.run_id,
                "name": remains.status.name,
                "phase": remains.status.phase,
                "life": str(remains.fate),
                "owner": remains.status.whose,
                "draws": remains.draws,
                "waiting": remains.waiting,
                "tracking_uri": remains.status.tracking_uri,
                "folder": str(remains.folder),
            }
            for remains in runs
        ]
        print(as_json({"runs": records}))
        return 0
    if not runs:
        say("nothing to recover")
        return 0
    rows = [
        [
            remains.status.run_id,
            remains.status.name,
            _state(remains),
            _moment(remains.status.updated_at),
            ", ".join(map(str, remains.draws)) or "-",
            remains.waiting,
            remains.status.tracking_uri,
        ]
        for remains in runs
    ]
    table(["run", "name", "state", "last seen", "draws by chain", "to deliver", "store"], rows)
    say("", "finish one: tallgrass recover RUN; remove its draws: tallgrass recover RUN --discard")
    return 0


def _state(remains: "Remains") -> str:
    from tallgrass.tracking.lifecycle import Fate

    if remains.fate is not Fate.DEAD:
        return f"unknown: of {remains.status.whose}"
    return remains.status.phase if remains.status.ended else f"died {remains.status.phase}"


def _print_done(record: dict[str, Any]) -> None:
    if record.get("discarded"):
        say(f"{record['run_id']}: discarded")
        return
    parts = []
    if record["n_draws"]:
        parts.append(f"{record['n_chains']} chains of {record['n_draws']} draws recovered")
        parts.append(f"verdict {record['verdict']}")
    if record["again"]:
        parts.append(f"repeated, verdict {record['verdict'] or 'none'}")
    if record["delivered"]:
        parts.append(f"{record['delivered']} writes delivered")
    say(f"{record['run_id']}: {', '.join(parts) or 'closed; no draw was finished'}")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
