"""What the commands answer: the result of a run, lists and comparisons, for people and as data."""

import sys
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import printable, records, say, table

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.inference.diagnostics import Verdict
    from tallgrass.rollcalls.result import FitResult


def summary(result: "FitResult") -> dict[str, Any]:
    """A finished run as plain values, for ``--json``."""
    verdict, comparison = result.verdict, result.comparison
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        **verdict_record(verdict),
        "metrics": result.diagnostics.metrics(),
        "comparison": None
        if comparison is None
        else {
            "abs_r": comparison.abs_r,
            "spearman": comparison.spearman,
            "sign_flip": comparison.sign_flip,
            "n_common": comparison.n_common,
        },
        "timings": result.timings,
        "report_path": result.report_path,
        "ui_url": result.ui_url,
        "results_url": result.results_url,
    }


def verdict_record(verdict: "Verdict") -> dict[str, Any]:
    """A verdict with its reasons and checks as plain values."""
    return {
        "verdict": verdict.status,
        "reasons": verdict.reasons,
        "checks": [
            {
                "name": check.name,
                "value": check.value,
                "relation": check.relation,
                "threshold": check.threshold,
                "passed": check.passed,
            }
            for check in verdict.checks
        ],
    }


def print_result(result: "FitResult") -> None:
    """The end of a run: its id, the verdict with its rows, and where to look."""
    say("", f"Run {result.run_id}")
    print_verdict(result.verdict)
    say(
        f"Report:  {result.report_path}",
        f"MLflow:  {result.ui_url}  (start it with: tallgrass ui)",
        f"Results: {result.results_url}",
    )


def print_verdict(verdict: "Verdict") -> None:
    """The verdict with its rows and reasons."""
    words = {True: "pass", False: "fail", None: "unresolved"}
    say(f"Verdict: {verdict.status}", "")
    rows = [
        [
            check.name,
            "-" if check.value is None else f"{check.value:.6g}",
            f"{check.relation} {check.threshold:g}",
            words[check.passed],
        ]
        for check in verdict.checks
    ]
    table(["what", "value", "passes", ""], rows)
    say("", *("  " + reason for reason in verdict.reasons))


def print_runs(found: "DataFrame") -> None:
    """Runs as a table; ids are short on a terminal, whole where another program reads them."""
    heads = ["run", "started (UTC)", "session", "chamber", "model", "sampler", "init", "status"]
    heads += ["verdict", "R-hat", "ESS", "div.", "|r|", "seconds"]
    forms = {"rhat_max": ".4f", "ess_min": ".0f", "divergences": "d", "abs_r": ".4f"}
    forms["total_s"] = ".1f"
    rows = []
    for one in records(found):
        numbers = [format(one[k], form) if one[k] is not None else "" for k, form in forms.items()]
        words = [one[k] or "" for k in ("session", "chamber", "model", "sampler", "init", "status")]
        run_id = one["run_id"][:8] if sys.stdout.isatty() else one["run_id"]
        started = f"{one['start_time']:%Y-%m-%d %H:%M}"
        rows.append([run_id, started, *words, one["verdict"] or "", *numbers])
    table(heads, rows)


def print_comparison(compared: "DataFrame") -> None:
    """Runs side by side, a row a measure and a column a run."""
    from tallgrass.tracking.reading import passing

    marks = {True: " pass", False: " FAIL"}
    run_ids = list(dict.fromkeys(compared["run_id"]))
    names = dict(zip(compared["run_id"], compared["run"], strict=True))
    rows = []
    for measure, of_measure in compared.groupby("measure", sort=False):
        texts = {
            row["run_id"]: row["text"] + (marks.get(row["passed"], "") if row["relation"] else "")
            for row in records(of_measure)
        }
        rows.append([measure, passing(of_measure), *(texts[run_id] for run_id in run_ids)])
    table(["", "passes", *(f"{printable(names[one])} {one[:8]}" for one in run_ids)], rows)


def print_details(found: dict[str, Any]) -> None:
    """Everything a run holds, in sections."""
    started = f"{found['start_time']:%Y-%m-%d %H:%M} UTC"
    say(f"{found['name']}  {found['run_id']}  {found['status']}  {started}")
    for part in ("tags", "params", "metrics"):
        say("", part)
        for name, value in found[part].items():
            shown = f"{value:.10g}" if isinstance(value, float) else value
            say(f"  {name:<28} {shown}")
    say("", "artifacts in " + found["artifact_uri"], *("  " + path for path in found["artifacts"]))
    say("", f"in the browser: {found['ui_url']} (tallgrass ui)")
