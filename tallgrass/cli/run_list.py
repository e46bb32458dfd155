"""The list of runs: on a terminal what fits into it, for other programs every column."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from tallgrass.cli.output import table
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls.run_name import session_words
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rounding import diagnostic, rounded

Run = Mapping[str, Any]
_MEASURES = {"rhat_max": "R-hat", "ess_min": "ESS", "divergences": "div.", "abs_r": "|r|"}
# Settings are shown where rows differ in them; these have a column, or say nothing of the draws.
_NO_SETTINGS = {"session", "chamber", "model", "dims", "sampler", "init", "strict", "fit_checks"}
_MOST_TELLING = 3  # settings that are worth more than the columns of _LESS
# What a terminal that is too narrow leaves out, the first ones first.
_LESS = ("seconds", "fit")
_MORE = ("|r|", "div.", "ESS", "R-hat", "chamber", "session", "model")


def print_runs(runs: Sequence[Run]) -> None:
    """Print runs as a table; on a terminal ids are short and what all rows share is left out."""
    if sys.stdout.isatty():
        columns = _for_people(runs)
        settings = [head for head in columns if head in ("sampler", "init", *_differing(runs))]
        telling, others = settings[:_MOST_TELLING], settings[_MOST_TELLING:]
        spare = ["started (UTC)", *others[::-1], *_LESS, *telling[::-1], *_MORE]
    else:
        columns, spare = _for_programs(runs), []
    table(list(columns), list(zip(*columns.values(), strict=True)), spare)


def _for_people(runs: Sequence[Run]) -> dict[str, list[str]]:
    judged = {
        "run": [run["run_id"][:8] for run in runs],
        "session": [_session(run["session"]) for run in runs],
        "chamber": [run["chamber"] or "" for run in runs],
        "model": [_model(run) for run in runs],
        "verdict": [_outcome(run) for run in runs],
    }
    settings = _settings(
        runs, [*(n for n in ("sampler", "init") if _differs(runs, n)), *_differing(runs)]
    )
    numbers = _numbers(runs)
    seconds = numbers.pop("seconds")
    fit = [("" if run["fit"] == "not checked" else run["fit"]) or "" for run in runs]
    columns = {**judged, **numbers, **settings, "fit": fit, "seconds": seconds, **_started(runs)}
    # A column without a value is no column; ids and verdicts are there whatever they hold.
    return {head: cells for head, cells in columns.items() if any(cells)}


def _for_programs(runs: Sequence[Run]) -> dict[str, list[str]]:
    words = ("sampler", "init", "status", "verdict", "fit")
    return {
        "run": [run["run_id"] for run in runs],
        **_started(runs),
        "session": [run["session"] or "" for run in runs],
        "chamber": [run["chamber"] or "" for run in runs],
        "model": [_model(run) for run in runs],
        **{name: [run[name] or "" for run in runs] for name in words},
        **_numbers(runs),
        **_settings(runs, _differing(runs)),
    }


def _numbers(runs: Sequence[Run]) -> dict[str, list[str]]:
    numbers = {
        head: [
            "" if run[name] is None else diagnostic(run[name], *Thresholds().of(name))
            for run in runs
        ]
        for name, head in _MEASURES.items()
    }
    seconds = ["" if run["total_s"] is None else rounded(run["total_s"], 1) for run in runs]
    return {**numbers, "seconds": seconds}


def _started(runs: Sequence[Run]) -> dict[str, list[str]]:
    return {"started (UTC)": [f"{run['start_time']:%Y-%m-%d %H:%M}" for run in runs]}


def _differing(runs: Sequence[Run]) -> list[str]:
    """Parameters in which the runs on roll calls differ, priors first."""
    names = [name for name in RunSpec.model_fields if name not in _NO_SETTINGS]
    names.sort(key=lambda name: not name.endswith("_prior"))
    return [name for name in names if _differs(runs, name)]


def _differs(runs: Sequence[Run], name: str) -> bool:
    """Whether runs on roll calls differ in a parameter; a run without it does not count."""
    return len({_text(run[name]) for run in _on_votes(runs) if run[name] is not None}) > 1


def _on_votes(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run["chamber"]]


def _settings(runs: Sequence[Run], names: Sequence[str]) -> dict[str, list[str]]:
    return {name: [_text(run[name]) if run["chamber"] else "" for run in runs] for name in names}


def _session(session: str | None) -> str:
    """A session, or a file without its folder."""
    given = session or ""
    return session_words(PurePath(given).name if given.startswith("/") else given)


def _model(run: Run) -> str:
    return (run["model"] or "") + (" 2d" if run.get("dims") == 2 else "")


def _outcome(run: Run) -> str:
    """The verdict, and MLflow's status where there is none; recovered runs are marked."""
    status = "" if run["status"] == "FINISHED" else run["status"]
    if run["status"] == "KILLED" and run.get("interrupted_at"):
        status = "KILLED, partial"
    outcome = run["verdict"] or status
    return f"{outcome}, recovered" if run.get("recovered") else outcome


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value).replace("''", "")  # as mlflow run passes no text
