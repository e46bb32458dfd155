"""``tallgrass bench run``: where the seconds of a run go, from Enter to FINISHED."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tallgrass.cli.parser import Arguments, Option
from tallgrass.rollcalls.spec import load_run_spec
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.lab.benchmark.steps import Record

OPTIONS = (Option("warm", "bench run: leave out the run with cold caches"),)
_SLOWER, _NOTED = 1.25, 0.3  # a step is named when it takes this much longer, and so many seconds


def steps(arguments: Arguments, flags: Mapping[str, str], repeats: int) -> dict[str, Any]:
    """Measure, keep the measurement, and compare it with the last one on this machine.

    Parameters
    ----------
    flags : mapping of str to str
        Parameters of the run that were given.
    repeats : int
        Warm runs.
    """
    from tallgrass.lab.benchmark.machine import processor
    from tallgrass.lab.benchmark.steps import history, keep, measure
    from tallgrass.rollcalls.sources.files import find_session

    spec = load_run_spec(dict(flags))
    settings = load_settings(arguments.settings)
    words = [f"--{name}={value}" for name, value in flags.items() if name != "session"]
    # The runs are made in folders of their own, where a relative path would lead nowhere.
    session = find_session(spec.session, settings.data_dir.absolute())
    words = [f"--session={session}", *words, "--baseline=none"]
    last = next(reversed(history(words)), None)
    record = measure(words, repeats, cold=arguments.options.get("warm") != "true")
    path = keep(record)
    machine = processor()
    notes = [
        f"{spec.model} model, {spec.chamber} of {spec.session}; median of {repeats} warm runs",
        str(machine),
        *([] if last is None else [f"last: version {last.version}, {last.at}"]),
        *slower(record, last),
        f"kept in {path}",
    ]
    data = {"record": asdict(record), "last": None if last is None else asdict(last)}
    return {"data": {**data, "notes": notes}, "tables": [steps_table(record, last)], "notes": notes}


def steps_table(record: "Record", last: "Record | None") -> tuple[list[str], list[list[str]]]:
    """Heads and rows: a row per step; the last measurement beside this one."""
    from tallgrass.lab.benchmark.steps import AROUND, STEPS

    columns = {"warm, s": record.warm, "cold, s": record.cold}
    if last is not None:
        columns |= {"last warm": last.warm, "last cold": last.cold}
    names = {**STEPS, AROUND: "in all, without chains"}
    names |= {step: step.removesuffix("_s") for step in record.warm if step not in names}
    shown = [step for step in names if any(step in column for column in columns.values())]
    rows = [
        [names[step], *(f"{c[step]:.2f}" if step in c else "" for c in columns.values())]
        for step in shown
    ]
    return ["step", *columns], rows


def slower(record: "Record", last: "Record | None") -> list[str]:
    """The steps that take clearly longer than the last time."""
    from tallgrass.lab.benchmark.steps import STEPS

    if last is None:
        return []
    lines = []
    for step, now in record.warm.items():
        before = last.warm.get(step)
        if before is None or step not in STEPS or now - before < _NOTED or now < before * _SLOWER:
            continue
        lines.append(f"slower than the last time: {STEPS[step]}, {before:.2f} s -> {now:.2f} s")
    return lines
