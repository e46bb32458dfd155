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
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from tallgrass.recovery import Recovered, Remains

OPTIONS = (
    Option("all", "all listed runs"),
    Option("discard", "remove the draws instead of finishing the run"),
    Option("draws_only", "keep only draws and diagnostics, for a run whose data are gone"),
)


def recover(arguments: Arguments) -> int:
    """List the runs to recover, or finish or discard one of them or all."""
    from tallgrass import recovery

    settings = load_settings(arguments.settings)
    all_runs = arguments.options.get("all") == "true"
    discards = arguments.options.get("discard") == "true"
    draws_only = arguments.options.get("draws_only") == "true"
    if discards and draws_only:
        raise SpecError("recover --discard keeps no draws", "--draws-only", "leave one of them out")
    if arguments.operands and all_runs:
        raise SpecError("recover takes a run or --all, not both", arguments.operands[0])
    if not arguments.operands and not all_runs:
        if discards or draws_only:
            flag = "--discard" if discards else "--draws-only"
            raise SpecError(f"recover {flag} needs a run or --all")
        return _listed(recovery.remains(settings), arguments.json)
    chosen = (
        recovery.remains(settings) if all_runs else [recovery.find(settings, arguments.operands[0])]
    )
    recover_one = partial(recovery.finish, settings=settings, draws_only=draws_only)
    done, failed = _recovered(chosen, settings, None if discards else recover_one, all_runs)
    if arguments.json:
        print(as_json({"recovered": done}))
    elif not chosen:
        say("nothing to recover")
    for record in () if arguments.json else done:
        _print_done(record)
    return 2 if failed else 0


def _recovered(
    chosen: "list[Remains]",
    settings: Settings,
    finish: "Callable[[Remains], Recovered] | None",
    go_on: bool,
) -> tuple[list[dict[str, Any]], int]:
    """The result of each run, and the number of failures if ``go_on`` after one.

    Without ``finish`` the runs are discarded.
    """
    from tallgrass import recovery
    from tallgrass.study.surroundings import close_orphans
    from tallgrass.tracking import store

    done: list[dict[str, Any]] = []
    failed = 0
    if go_on:
        store.connect(settings.tracking_uri)
        close_orphans()
    for remains in chosen:
        try:
            with redirect_stdout(sys.stderr):
                recovery.connect(remains, settings)
                close_orphans()
                if finish is None:
                    recovery.discard(remains)
                    done.append({"run_id": remains.status.run_id, "discarded": True})
                else:
                    done.append(asdict(finish(remains)))
        except TallgrassError as error:
            if not go_on:
                raise
            failed += 1
            say(f"tallgrass: error: {remains.status.run_id}: {error}", to=sys.stderr)
    return done, failed


def _listed(runs: "list[Remains]", json: bool) -> int:
    if json:
        records = [
            {
                "run_id": remains.status.run_id,
                "name": remains.status.name,
                "phase": remains.status.phase,
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
            remains.status.phase if remains.status.ended else f"died {remains.status.phase}",
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
