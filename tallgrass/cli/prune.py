"""The command ``prune``: thin or remove traces that nothing stands on, after asking."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError, TrackingError
from tallgrass.rounding import size
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.tracking.reading.traces import Trace

OPTIONS = (
    Option("thin", "keep every N-th draw, in place of removing all", "N"),
    Option("before", "only runs that started before this time (UTC)", "TIME"),
    Option("dry_run", "say what would be freed, and change nothing"),
    Option("yes", "do not ask"),
)


def prune(arguments: Arguments) -> int:
    """Thin or remove the traces of runs that are neither promoted nor baselines nor pinned.

    Raises
    ------
    SpecError
        When there is nobody to ask.
    TrackingError
        When a run that was named must keep its trace.
    """
    from tallgrass.tracking import store
    from tallgrass.tracking.reading.traces import traces

    settings = load_settings(arguments.settings)
    step = arguments.number("thin", 0, least=2)
    dry = arguments.options.get("dry_run") == "true"
    store.connect_to_read(settings.tracking_uri)
    every = traces(arguments.operands, settings.experiment, arguments.options.get("before"))
    kept = [trace for trace in every if trace.kept]
    if arguments.operands and kept:
        first = kept[0]
        raise TrackingError(f"the trace of run {first.run_id} stays: {first.kept}")
    free = [trace for trace in every if not trace.kept and not (step and trace.thinned >= step)]
    if not dry and free and arguments.options.get("yes") != "true":
        if arguments.json or not sys.stdin.isatty():
            raise SpecError(
                "prune asks before it removes anything, and here nobody can answer",
                None,
                "add --yes, or --dry-run to see what would be freed",
            )
        _print_plan(free, kept, step)
        if not _agreed(step):
            say("nothing was changed")
            return 0
    pruned = _planned(free, step) if dry else _pruned(free, step)
    if arguments.json:
        print(as_json(_record(pruned, kept, dry)))
    elif dry:
        _print_plan(free, kept, step)
    else:
        freed = sum(pruned.values())
        what = "thinned" if step else "removed"
        say(f"{len(pruned)} traces {what}, {size(freed)} freed" if pruned else "nothing to prune")
    return 0


def _planned(free: "Sequence[Trace]", step: int) -> dict[str, int]:
    """Bytes that would be free, by run."""
    return {trace.run_id: _saving(trace, step) for trace in free}


def _saving(trace: "Trace", step: int) -> int:
    """Bytes that a trace would give back; for one that is thinned, about."""
    if not step:
        return trace.size
    return trace.size - trace.size // -(-step // trace.thinned)


def _pruned(free: "Sequence[Trace]", step: int) -> dict[str, int]:
    """Bytes that became free, by run; others may have promoted one of them meanwhile."""
    from tallgrass.tracking.reading.records import PRUNED
    from tallgrass.tracking.reading.traces import THINNED, still_free
    from tallgrass.tracking.writing.traces import remove_trace, thin_trace

    freed = {}
    for trace in free:
        if trace.path is None or not still_free(trace):
            continue
        if step:
            by = -(-step // trace.thinned)
            freed[trace.run_id] = thin_trace(trace.run_id, trace.path, by, THINNED)
        else:
            freed[trace.run_id] = remove_trace(trace.run_id, trace.path, PRUNED)
    return freed


def _print_plan(free: "Sequence[Trace]", kept: "Sequence[Trace]", step: int) -> None:
    if not free:
        say("nothing to prune")
    else:
        rows = [
            [t.run_id[:8], t.name, _day(t.started), size(t.size), size(_saving(t, step))]
            for t in free
        ]
        table(["run", "name", "started (UTC)", "size", "would free"], rows)
        say("", f"{len(free)} traces, {size(sum(_planned(free, step).values()))} would be free")
    for reason, count in Counter(trace.kept for trace in kept).items():
        say(f"{count} more stay: {reason}")


def _agreed(step: int) -> bool:
    what = f"Keep every {step}th draw only?" if step else "Remove these traces for good?"
    print(f"{what} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _record(pruned: dict[str, int], kept: "Sequence[Trace]", dry: bool) -> dict[str, Any]:
    return {
        "dry_run": dry,
        "pruned": [{"run_id": run_id, "freed": freed} for run_id, freed in pruned.items()],
        "freed": sum(pruned.values()),
        "kept": [{"run_id": trace.run_id, "reason": trace.kept} for trace in kept],
    }


def _day(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M}"
