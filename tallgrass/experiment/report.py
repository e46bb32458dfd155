"""The report of an experiment: the comparison of its runs as one self-contained HTML page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tallgrass.experiment import plots
from tallgrass.inference.thresholds import Thresholds
from tallgrass.report.html import Head, html_page
from tallgrass.report.images import images
from tallgrass.report.page import (
    Block,
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    figure,
    numeric,
    rows,
)
from tallgrass.report.palette import showing
from tallgrass.report.words import NOTHING, counted, measured, signed
from tallgrass.rollcalls.against_baseline import moved_words
from tallgrass.rollcalls.compare import Comparison
from tallgrass.rollcalls.groups import groups_of
from tallgrass.rollcalls.report.words import party_cell, plural

_WIDEST = 7  # runs in one scatter matrix; with more it is not readable
_MOVED = 12
_HOLDS = {"yes": ("holds", "passed"), "no": ("does not hold", "failed"), "open": ("open", "open")}
_MARKS = {True: "passed", False: "failed"}


@dataclass(frozen=True, eq=False)
class ComparedRuns:
    """Runs on the same chamber of the same session.

    Parameters
    ----------
    title : str
        Chamber and session.
    people : DataFrame
        One row per legislator: name, party.
    estimates : DataFrame
        The same rows, a column per run (its label), all on the scale of the first.
    comparisons : mapping of str to Comparison
        Every run that can be compared with the first, against it, by label; itself included.

    Anchors of a flat model have no estimate in it: their position is held.
    """

    title: str
    people: pd.DataFrame
    estimates: pd.DataFrame
    comparisons: Mapping[str, Comparison]


@dataclass(frozen=True, eq=False)
class ExperimentInput:
    """The content of the page of an experiment.

    Parameters
    ----------
    name, question, hypothesis, status, run_id, badge : str
        The experiment, its verdict, its parent run, and how many expectations hold in words.
    answers : sequence
        Statement, ``yes``, ``no`` or ``open``, and reasons.
    errors : mapping of str to str
        Label of a run without a result -> reason.
    comparison : DataFrame
        Measures with thresholds, one row per measure and run, as from
        :func:`tallgrass.tracking.reading.compare`.
    runs : DataFrame
        One row per run: label, verdict, ``ess/per_second`` and other metrics.
    groups : sequence of ComparedRuns
        The runs by chamber and session.
    """

    name: str
    question: str
    hypothesis: str
    status: str
    run_id: str
    badge: str
    answers: Sequence[tuple[str, str, Sequence[str]]]
    errors: Mapping[str, str]
    comparison: pd.DataFrame
    runs: pd.DataFrame
    groups: Sequence[ComparedRuns]


def build_experiment(page: ExperimentInput) -> tuple[str, dict[str, bytes]]:
    """The page, and its figures as PNG files by name."""
    parties = [party for group in page.groups for party in group.people["party"].astype(str)]
    with showing(groups_of(parties)):
        return _built(page)


def _built(page: ExperimentInput) -> tuple[str, dict[str, bytes]]:
    drawn = {}
    if "ess/per_second" in page.runs:
        verdicts = page.runs["verdict"].fillna("").tolist()
        drawn["rates"] = plots.rates(
            page.runs["label"].tolist(), page.runs["ess/per_second"].tolist(), verdicts
        )
    for i, group in enumerate(page.groups):
        if group.estimates.shape[1] > 1:
            part = group.estimates.iloc[:, :_WIDEST]
            drawn[f"agreement_{i}"] = plots.scatter_matrix(part, group.people["party"].tolist())
    pngs = images(drawn)
    head = Head(
        maker="comparison of runs",
        title=page.name,
        model="Experiment",
        # An expectation that does not hold is an answer, and no failure.
        status="unresolved" if page.status == "fail" else page.status,
        badge=page.badge,
        status_words=page.question,
        reasons=[f"Expected: {page.hypothesis}"] if page.hypothesis else [],
        checks=_answers(page) if page.answers else None,
        facts=[
            ("Runs", str(len(page.runs))),
            ("Verdict pass", str(int((page.runs["verdict"] == "pass").sum()))),
            ("Without a result", str(len(page.errors))),
            ("Run", page.run_id),
        ],
    )
    return html_page(head, _sections(page, set(drawn)), pngs), pngs


def _answers(page: ExperimentInput) -> Table:
    cells = rows(
        [Cell(words, style="wide") for words, _, _ in page.answers],
        [Cell(*_styled(_HOLDS[holds])) for _, holds, _ in page.answers],
        ["; ".join(reasons) for _, _, reasons in page.answers],
    )
    columns = (Column("What was expected"), Column("Outcome"), Column("Because"))
    return Table("Answers", columns, cells)


def _styled(pair: tuple[str, str]) -> tuple[str, None, str]:
    return pair[0], None, pair[1]


def _sections(page: ExperimentInput, drawn: set[str]) -> list[Section]:
    sections = []
    if page.errors:
        items = tuple(f"{label}: {reason}" for label, reason in page.errors.items())
        sections.append(Section("errors", "Runs without a result", (Bullets(items),)))
    sections.append(Section("runs", "All runs", (_overview(page.runs),)))
    if "rates" in drawn:
        picture = Picture(
            "rates",
            "Bars of the effective draws per second of every run",
            "The least bulk effective sample size of a run divided by its seconds of sampling. The "
            "axis is logarithmic. The rate of a run that did not converge is not reliable.",
        )
        sections.append(Section("speed", "Effective draws per second", (picture,)))
    for i, group in enumerate(page.groups):
        blocks: list[Block] = [_side_by_side(page, group)]
        if f"agreement_{i}" in drawn:
            blocks += [*_agreement(group, f"agreement_{i}"), _moved(group)]
        sections.append(Section(f"group-{i}", group.title, tuple(blocks)))
    return sections


def _overview(runs: pd.DataFrame) -> Table:
    marks = {"pass": "passed", "fail": "failed", "fits": "passed"}
    columns = [
        ("R-hat max", "rhat_max", None),
        ("ESS min", "ess_min", None),
        ("Div.", "divergences", None),
        ("E-BFMI", "ebfmi_min", None),
        ("|r|", "abs_r", None),
        ("r in party", "baseline/r_within_min", None),
        ("ELPD diff.", "baseline/elpd_diff", 1),
        ("its SE", "baseline/elpd_diff_se", 1),
        ("Seconds", "sampling_s", 1),
    ]
    present = [column for column in columns if column[1] in runs]
    judged = [name for name in ("verdict", "fit") if name in runs]
    cells = rows(
        runs["label"].tolist(),
        *([Cell(str(v), style=marks.get(str(v), "open")) for v in runs[name]] for name in judged),
        *(
            [
                figure(v, *Thresholds().of(name)) if digits is None else numeric(v, digits)
                for v in runs[name]
            ]
            for _, name, digits in present
        ),
    )
    heads = (
        Column("Run"),
        *(Column(name.capitalize()) for name in judged),
        *(Column(t, numeric=True) for t, _, _ in present),
    )
    return Table("Every run with its headline measures", heads, cells, "Find a run", True)


def _side_by_side(page: ExperimentInput, group: ComparedRuns) -> Table:
    labels = [str(label) for label in group.estimates]
    part = page.comparison[page.comparison["run"].isin(labels)]
    lines = []
    for measure, rows_of_measure in part.groupby("measure", sort=False):
        by_run = rows_of_measure.set_index("run")
        limits = rows_of_measure.dropna(subset=["threshold"])
        pairs = dict.fromkeys(zip(limits["relation"], limits["threshold"], strict=True))
        limits_text = " or ".join(f"{relation} {limit:g}" for relation, limit in pairs)
        cells = [Cell(str(measure)), Cell(limits_text or NOTHING)]
        cells += [_value(by_run.loc[label]) for label in labels]
        lines.append(tuple(cells))
    heads = (Column("Measure"), Column("Passes"), *(Column(label) for label in labels))
    return Table("Measures side by side", heads, tuple(lines))


def _value(row: Any) -> Cell:
    passed = row["passed"]
    text = str(row["text"])
    return Cell(text, style="" if pd.isna(passed) else _MARKS[bool(passed)])


def _agreement(group: ComparedRuns, name: str) -> list[Block]:
    n = group.estimates.shape[1]
    many = f" The first {_WIDEST} of {n} runs are drawn." if n > _WIDEST else ""
    low = min((c.abs_r for c in group.comparisons.values()), default=math.nan)
    summary = f"Least |r| with the first run: {measured(low)}, {counted(n, 'run')}."
    picture = Picture(
        name,
        f"Scatter plots of the ideal points of every pair of runs, {group.title}",
        "Ideal points of every pair of runs, with |r| in the opposite cell." + many,
    )
    return [Text(summary), _with_the_first(group), picture]


def _with_the_first(group: ComparedRuns) -> Table:
    """What |r| over everybody hides: r within each party, and who moved most."""
    others = list(group.comparisons.items())[1:]
    parties = sorted({party for _, comparison in others for party in comparison.within})
    cells = rows(
        [label for label, _ in others],
        [figure(comparison.abs_r, *Thresholds().of("abs_r")) for _, comparison in others],
        *(
            [figure(c.within[party].r if party in c.within else math.nan) for _, c in others]
            for party in parties
        ),
        [moved_words(comparison, group.people["name"]) for _, comparison in others],
    )
    heads = (
        Column("Run"),
        Column("|r|", numeric=True),
        *(Column(f"r within {plural(party)}", numeric=True) for party in parties),
        Column("Moved most places"),
    )
    return Table("Agreement with the first run", heads, cells)


def _moved(group: ComparedRuns) -> Table:
    """The legislators whose estimates differ most between the runs."""
    spread = group.estimates.max(axis=1) - group.estimates.min(axis=1)
    order = spread.sort_values(ascending=False).index[:_MOVED]
    part = group.estimates.loc[order]
    cells = rows(
        group.people.loc[order, "name"].tolist(),
        [party_cell(party) for party in group.people.loc[order, "party"]],
        [numeric(v, 3) for v in spread.loc[order]],
        *([numeric(v, 2, signed) for v in part[label]] for label in part),
    )
    heads = (
        Column("Legislator"),
        Column("Party"),
        Column("Range", numeric=True, hint="Highest minus lowest estimate over the runs"),
        *(Column(str(label), numeric=True) for label in part),
    )
    return Table("Who moved most between runs (on the scale of the first)", heads, cells)
