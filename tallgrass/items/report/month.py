"""The page of a month: was the bank calibrated and published, and what changed since the last."""

from dataclasses import dataclass

import pandas as pd

from tallgrass.inference.fit_verdict import FitVerdict
from tallgrass.inference.verdict import Verdict
from tallgrass.items.agreement import Agreement
from tallgrass.report.checks import verdict_head
from tallgrass.report.fit import fit_beside, fit_findings
from tallgrass.report.html import html_page
from tallgrass.report.page import Bullets, Cell, Column, Section, Table, Text, numeric, rows
from tallgrass.report.words import counted, listed, signed

SHOWN = 60
_STYLES = {"moved": "failed", "weaker": "open", "new": "passed", "gone": "open"}


@dataclass(frozen=True, eq=False)
class MonthInput:
    """What the page of a month shows.

    Parameters
    ----------
    title : str
        The month or window.
    verdict : Verdict
        That of the calibration whose items count.
    fit : FitVerdict
        Whether the model fits this month's responses.
    engine, run_id, compared_id, before_id, location : str
        The engine, its run, the run that compares engines, the run of the month before (empty
        without), and where the responses are from.
    n_items, n_responses, published : int
        Items and responses of this month, and rows written.
    publication : str
        What was done about publication, in words.
    n_drifted, n_anchors : int
        Anchors that drifted, of how many.
    agreement : Agreement
        The engines pair by pair.
    changes : DataFrame or None
        As of :func:`tallgrass.items.changes.changes`; None in the first month.
    """

    title: str
    verdict: Verdict
    fit: FitVerdict
    engine: str
    run_id: str
    compared_id: str
    before_id: str
    location: str
    n_items: int
    n_responses: int
    published: int
    publication: str
    n_drifted: int
    n_anchors: int
    agreement: Agreement
    changes: pd.DataFrame | None


def build_month(month: MonthInput) -> str:
    """The page of a month as HTML that loads nothing from the network."""
    facts = [
        ("Items", f"{month.n_items:,}"),
        ("Responses", f"{month.n_responses:,}"),
        ("From", month.location),
        ("Run", month.run_id),
        ("Engines compared in", month.compared_id),
    ]
    head = verdict_head(
        month.verdict,
        "item bank",
        f"Item bank, {month.title}",
        f"Engine {month.engine}",
        facts,
        fit_beside(month.fit, "responses"),
    )
    return html_page(head, [_findings(month), _changes(month)], {})


def _findings(month: MonthInput) -> Section:
    statements = [month.publication]
    if month.n_anchors:
        statements.append(
            f"{month.n_drifted} of {counted(month.n_anchors, 'anchor')} drifted or are in conflict "
            "with the responses; they are not published."
        )
    for _, row in month.agreement.summary.iterrows():
        statements.append(
            f"{row['first']} and {row['second']} disagree on {int(row['n_flagged'])} of "
            f"{counted(int(row['n']), 'item')}."
        )
    if month.changes is not None:
        counts = month.changes["change"].value_counts()
        parts = [f"{counts.get(kind, 0)} {kind}" for kind in ("moved", "weaker", "new", "gone")]
        statements.append(f"Since the month before: {listed(parts)}.")
    doubts = [Text(words, tone="warning") for words in fit_findings(month.fit)]
    return Section("findings", "Key findings", (*doubts, Bullets(tuple(statements))))


def _changes(month: MonthInput) -> Section:
    if month.changes is None:
        words = "This is the first month in this experiment: there is nothing to compare it with."
        return Section("changes", "What changed", (Text(words),))
    changed = month.changes[month.changes["change"] != ""]
    text = Text(
        f"Items against the month before (run {month.before_id}): moved are those whose b or a "
        "changed beyond the threshold and beyond chance, weaker those that lost too much of their "
        "information."
    )
    if changed.empty:
        return Section("changes", "What changed", (text, Text("No item changed.")))
    shown = changed.head(SHOWN)
    cells = rows(
        list(shown["item"].astype(str)),
        [Cell(kind, style=_STYLES[kind]) for kind in shown["change"]],
        *([numeric(v) for v in shown[name]] for name in ("b_before", "b", "a_before", "a")),
        [
            Cell("" if pd.isna(v) else f"{signed(100 * v, 0)} %", None if pd.isna(v) else v)
            for v in shown["information_change"]
        ],
    )
    columns = (
        Column("Item"), Column("Change"), Column("b before", numeric=True),
        Column("b", numeric=True), Column("a before", numeric=True), Column("a", numeric=True),
        Column("Information", numeric=True, hint="change of the mean over N(0, 1)"),
    )  # fmt: skip
    more = f", the first {SHOWN} of {len(changed):,}" if len(changed) > SHOWN else ""
    return Section("changes", "What changed", (text, Table(f"Items{more}", columns, cells)))
