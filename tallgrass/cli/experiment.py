"""The command ``experiment``: make the runs of a project's file and print the answers."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, in_browser, records, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls.spec import RunSpec, changed_spec
from tallgrass.rounding import diagnostic, rounded
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.experiment import ExperimentResult

OPTIONS = (
    Option("scheduler", "address of a Dask scheduler (default: workers on this machine)", "ADDR"),
    Option("workers", "local workers, each for one run at a time (default: by the cores)", "N"),
    Option("resume", "continue the last attempt: FINISHED runs are not repeated"),
    Option("force", "resume an attempt that cannot be seen from here, if you know that it ended"),
    Option("dry_run", "only list the runs"),
    Option("yes", "allow more than 10,000 runs"),
)
_HOLDS = {"yes": "holds", "no": "does not hold", "open": "open"}


def experiment(arguments: Arguments) -> int:
    """Make all runs of an experiment, compare them, and print the answers."""
    if find_spec("distributed") is None:
        mend = "pip install 'tallgrass[experiments]'"
        raise SpecError("tallgrass experiment needs Dask, which is not installed", None, mend)
    settings = load_settings(arguments.settings)
    checked = changed_spec(RunSpec(), arguments.run)
    flags = {name: getattr(checked, name) for name in arguments.run}
    options = {name: _switch(arguments, name) for name in ("resume", "force", "dry_run", "yes")}
    count = arguments.number("workers", 0, least=0) or None
    scheduler = arguments.options.get("scheduler") or None
    with redirect_stdout(sys.stderr):  # standard output is only for the answer
        from tallgrass.experiment import (
            Options,
            expand,
            overridden,
            read_experiment,
            run_experiment,
        )

        declared = overridden(read_experiment(Path(arguments.operands[0])), flags)
        planned = expand(declared, settings.data_dir, options["yes"])
    if options["dry_run"]:
        runs = [{"label": run.label, "spec": run.spec.model_dump()} for run in planned]
        if arguments.json:
            print(as_json({"runs": runs}))
        else:
            say(f"{declared.name}: {len(planned)} runs", *("  " + run.label for run in planned))
        return 0
    with redirect_stdout(sys.stderr):
        resume, many, force = options["resume"], options["yes"], options["force"]
        result = run_experiment(declared, settings, Options(scheduler, count, resume, many, force))
    if arguments.json:
        print(as_json(_summary(result)))
    else:
        _print(result)
    return 2 if result.errors else 0


def _switch(arguments: Arguments, name: str) -> bool:
    text = arguments.options.get(name, "false").lower()
    if text not in ("true", "false"):
        raise SpecError(f"bad value for {name}", text, "use true or false")
    return text == "true"


def _summary(result: "ExperimentResult") -> dict[str, Any]:
    table = result.results.runs.rename_axis("run_id").reset_index()
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        "verdict": result.results.verdict,
        "answers": [
            {"expected": answer.expectation.words, "holds": answer.holds, "reasons": answer.reasons}
            for answer in result.answers
        ],
        "runs": records(table),
        "errors": result.errors,
        "report_path": result.report_path,
        "ui_url": result.ui_url,
        "results_url": result.results_url,
    }


def _diagnostic(name: str, value: float) -> str:
    return diagnostic(value, *Thresholds().of(name))


def _print(result: "ExperimentResult") -> None:
    forms: dict[str, Callable[[float], str]] = {
        name: partial(_diagnostic, name) for name in ("rhat_max", "ess_min", "divergences", "abs_r")
    }
    forms |= dict.fromkeys(("ess/per_second", "sampling_s"), lambda value: rounded(value, 1))
    rows = []
    for run_id, run in result.results.runs.iterrows():
        numbers = [
            form(run[k]) if k in run and run[k] == run[k] else "" for k, form in forms.items()
        ]
        rows.append([run["label"], str(run_id)[:8], run["verdict"] or "", *numbers])
    say("", f"Experiment {result.results.experiment.name}, run {result.run_id}", "")
    heads = ["run", "id", "verdict", "R-hat", "ESS", "div.", "|r|", "ESS/s", "seconds"]
    table(heads, rows)
    say("", result.results.experiment.question)
    for answer in result.answers:
        say(
            f"  {answer.expectation.words}: {_HOLDS[answer.holds]}",
            *(f"    {r}" for r in answer.reasons),
        )
    for label, reason in result.errors.items():
        say(f"  {label}: no result: {reason}")
    say(
        "",
        f"Report:  {result.report_path}",
        f"MLflow:  {in_browser(result.ui_url)}",
        f"Results: {result.results_url}",
    )
