"""The results that commands print: of a run, lists and comparisons, for people and as data."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import chain
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import in_browser, printable, records, say, table
from tallgrass.rounding import diagnostic, rounded, size

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.inference.fit_verdict import FitVerdict
    from tallgrass.inference.verdict import Verdict
    from tallgrass.own.result import ModelResult
    from tallgrass.rollcalls.result import FitResult


def summary(result: "FitResult") -> dict[str, Any]:
    """A finished run as plain values, for ``--json``."""
    verdict, comparison = result.verdict, result.comparison
    fit = result.fit
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        **verdict_record(verdict),
        "fit": fit.status,
        "fit_checks": [asdict(check) for check in fit.checks],
        "metrics": result.diagnostics.metrics(),
        "comparison": None
        if comparison is None
        else {
            "abs_r": comparison.abs_r,
            "spearman": comparison.spearman,
            "sign_flip": comparison.sign_flip,
            "n_common": comparison.n_common,
            "n_compared": comparison.n_compared,
            "within": {party: values._asdict() for party, values in comparison.within.items()},
            "moved_most": comparison.moved_most._asdict(),
            "elpd": None if result.analysis.elpd is None else asdict(result.analysis.elpd),
        },
        "timings": result.timings,
        "report_path": result.report_path,
        "ui_url": result.ui_url,
        "results_url": result.results_url,
    }


def model_summary(result: "ModelResult") -> dict[str, Any]:
    """A finished run of any model as plain values, for ``--json``."""
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        **verdict_record(result.verdict),
        "metrics": result.diagnostics.metrics(),
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
    """Print a finished run: what came out, the verdict with its rows, and its addresses."""
    from tallgrass.rollcalls.report import first_findings

    say("", f"Run {result.run_id}")
    say("", *chain(*(wrapped(finding) for finding in first_findings(result.analysis))), "")
    print_verdict(result.verdict)
    print_fit(result.fit)
    if result.comparison is not None:
        print_agreement(result)
    say(
        f"Report:  {result.report_path}",
        f"MLflow:  {in_browser(result.ui_url)}",
        f"Results: {result.results_url}",
    )


def print_model_result(result: "ModelResult") -> None:
    """Print a finished run of any model: its id, the verdict with its rows, and its addresses."""
    say("", f"Run {result.run_id}")
    print_verdict(result.verdict)
    say(
        f"Report:  {result.report_path}",
        f"MLflow:  {in_browser(result.ui_url)}",
        f"Results: {result.results_url}",
    )


def print_verdict(verdict: "Verdict") -> None:
    """Print a verdict with its rows and reasons."""
    words = {True: "pass", False: "fail", None: "unresolved"}
    say(f"Verdict: {verdict.status}", "")
    rows = [
        [
            check.name,
            check.text,
            f"{check.relation} {check.threshold:g}",
            words[check.passed],
        ]
        for check in verdict.checks
    ]
    table(["what", "value", "passes", ""], rows)
    say("", *chain(*map(wrapped, verdict.reasons)))


def print_fit(fit: "FitVerdict") -> None:
    """Print whether one line fits the votes, and what speaks against it."""
    say(f"Fit: {fit.status}", *chain(*map(wrapped, fit.reasons)), "")


def wrapped(words: str) -> list[str]:
    """A sentence as indented lines; a number and its %, and double names, stay on one of them."""
    blank = "\N{NO-BREAK SPACE}"  # at which wrap() does not break
    whole = words.replace(" %", blank + "%")
    lines = wrap(whole, 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace(blank, " ") for line in lines]


def print_agreement(result: "FitResult") -> None:
    """Print what |r| over everybody hides: r within each party, who moved, ELPD."""
    from tallgrass.rollcalls.against_baseline import NO_ELPD, moved_words

    analysis, comparison = result.analysis, result.comparison
    assert comparison is not None  # checked by the caller
    within = ", ".join(
        f"{party} {diagnostic(values.r)}" for party, values in comparison.within.items()
    )
    say("Against the baseline:")
    if within:
        say(f"  r within each party:  {within}")
    say(f"  moved most places:    {moved_words(comparison, analysis.names)}")
    if (elpd := analysis.elpd) is not None:
        difference, se = (rounded(value, 1) for value in (elpd.difference, elpd.se))
        say(f"  ELPD minus its ELPD:  {difference} (standard error {se})")
    else:
        say(f"  ELPD minus its ELPD:  not compared: {NO_ELPD}")
    say("")


def print_comparison(comparison: "DataFrame") -> None:
    """Print runs side by side, with a row per measure and a column per run."""
    from tallgrass.tracking.reading import passing_values

    marks = {True: " pass", False: " FAIL"}
    run_ids = list(dict.fromkeys(comparison["run_id"]))
    names = dict(zip(comparison["run_id"], comparison["run"], strict=True))
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for row in records(comparison):
        by_measure.setdefault(row["measure"], []).append(row)
    rows = []
    for measure, of_runs in by_measure.items():
        texts = {
            row["run_id"]: row["text"] + (marks.get(row["passed"], "") if row["relation"] else "")
            for row in of_runs
        }
        limits = passing_values((row["relation"], row["threshold"]) for row in of_runs)
        rows.append([measure, limits, *(texts[run_id] for run_id in run_ids)])
    table(["", "passes", *(f"{printable(names[run_id])} {run_id[:8]}" for run_id in run_ids)], rows)


def print_details(details: dict[str, Any], sizes: bool = False) -> None:
    """Print all records of a run, in sections; the largest artifacts first where ``sizes``."""
    started = f"{details['start_time']:%Y-%m-%d %H:%M} UTC"
    say(f"{details['name']}  {details['run_id']}  {details['status']}  {started}")
    for part in ("tags", "params", "metrics"):
        say("", part)
        for name, value in details[part].items():
            text = f"{value:.10g}" if isinstance(value, float) else value
            say(f"  {name:<28} {text}")
    say(
        "",
        "artifacts in " + details["artifact_uri"],
        *(_sized(details["sizes"]) if sizes else ("  " + path for path in details["artifacts"])),
    )
    say("", f"in the browser: {in_browser(details['ui_url'])}")


def _sized(sizes: Mapping[str, int]) -> list[str]:
    largest_first = sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [f"  {size(taken):>8}  {path}" for path, taken in largest_first]
    return [*lines, f"  {size(sum(sizes.values())):>8}  in all"]
