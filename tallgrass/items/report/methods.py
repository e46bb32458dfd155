"""The report of several engines on the same responses: which converged, and whether they agree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from tallgrass.inference.verdict import Check, Verdict
from tallgrass.items import plots
from tallgrass.items.agreement import Agreement
from tallgrass.items.report.comparisons import agreement_section
from tallgrass.items.spec import CalibrationSpec
from tallgrass.report.checks import verdict_head
from tallgrass.report.html import html_page
from tallgrass.report.images import images
from tallgrass.report.page import Cell, Column, Section, Table, Text, rows
from tallgrass.report.words import counted, listed, measured, number

STYLES = {"pass": "passed", "fail": "failed", "unresolved": "open"}


@dataclass(frozen=True, eq=False)
class MethodsInput:
    """Several calibrations of the same responses, as their common report needs them.

    Parameters
    ----------
    spec : CalibrationSpec
        What they have in common.
    location : str
        Where the responses are from.
    run_id : str
        The parent run.
    n_items : int
        Number of items.
    agreement : Agreement
        The methods pair by pair.
    verdicts, run_ids, metrics : mapping
        By engine.
    """

    spec: CalibrationSpec
    location: str
    run_id: str
    n_items: int
    agreement: Agreement
    verdicts: Mapping[str, Verdict]
    run_ids: Mapping[str, str]
    metrics: Mapping[str, Mapping[str, float]]


def methods_figures(run: MethodsInput) -> dict[str, Figure]:
    """The scatters of every pair of methods."""
    return {"agreement": plots.agreement(run.agreement.pairs, run.spec.agreement)}


def build_methods(run: MethodsInput, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of the comparison as one HTML page."""
    files = images(methods_figures(run)) if pngs is None else pngs
    head = verdict_head(
        _together(run),
        "item calibration",
        f"Methods compared on {counted(run.n_items, 'item')}",
        listed(list(run.verdicts)),
        [("Items", f"{run.n_items:,}"), ("Responses", run.location), ("Run", run.run_id)],
    )
    return html_page(head, [_engines(run), agreement_section(run)], files)


def _together(run: MethodsInput) -> Verdict:
    """One check an engine: how many of its own it failed."""
    checks = []
    for engine, verdict in run.verdicts.items():
        failed = sum(check.passed is False for check in verdict.checks)
        passed = {"pass": True, "fail": False}.get(verdict.status)
        checks.append(Check(f"failed checks of {engine}", failed, 0, "=", passed))
    outcomes = {check.passed for check in checks}
    if False in outcomes:
        return Verdict("fail", tuple(checks))
    return Verdict("unresolved" if None in outcomes else "pass", tuple(checks))


def _engines(run: MethodsInput) -> Section:
    def figures(name: str, form: Callable[[float], str]) -> list[str]:
        return [form(run.metrics[engine].get(name, float("nan"))) for engine in engines]

    engines = list(run.verdicts)
    cells = rows(
        engines,
        [Cell(v.status, style=STYLES[v.status]) for v in run.verdicts.values()],
        figures("sampling_s", lambda seconds: number(seconds, 1)),
        figures("rhat_max", measured),
        figures("ess_min", measured),
        [run.run_ids[engine] for engine in engines],
    )
    columns = (
        Column("Engine"),
        Column("Verdict"),
        Column("Seconds", numeric=True, hint="to sample or to maximise"),
        Column("Highest R-hat", numeric=True),
        Column("Lowest ESS", numeric=True),
        Column("Run"),
    )
    text = Text(
        "Every engine has a run of its own under this one, with a report of its own: items, drift "
        "of anchors, fit and convergence are there."
    )
    return Section("engines", "Engines", (text, Table("Engines", columns, cells)))
