# ruff: noqa: RUF001 - dashes and the signs of printed numbers are meant
"""The sections of a dynamic run: polarization, what made it, who moved, and every career."""

import math

from tallgrass.report.fit import fit_findings
from tallgrass.report.page import (
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    numeric,
    rows,
)
from tallgrass.report.words import chance, counted, number, percent, signed, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.misfit import misfit_words
from tallgrass.rollcalls.plots import session_labels
from tallgrass.rollcalls.report.baseline import agreement_finding
from tallgrass.rollcalls.report.career_cells import interval_cells, session_cells
from tallgrass.rollcalls.report.career_figures import movers
from tallgrass.rollcalls.report.career_members import member_sections
from tallgrass.rollcalls.report.overview import FAILED
from tallgrass.rollcalls.report.words import party_cell

SURE = 0.95
_NAMED = 3


def career_sections(run: RollCallAnalysis) -> list[Section]:
    """The sections after the model and before those that all runs have; none for other models."""
    if run.tables.careers is None:
        return []
    return [_polarization(run), _decomposition(run), _medians(run), *member_sections(run)]


def key_findings(run: RollCallAnalysis) -> Section:
    """What the run says, in a few sentences: the gap first."""
    careers, tables = run.careers, run.tables.careers
    assert careers is not None
    assert tables is not None
    items = []
    for chamber in careers.chambers:
        items += _gap_words(run, chamber)
    moved = movers(run)
    sure = moved[(moved["p_right"] > SURE) | (moved["p_right"] < 1 - SURE)] if len(moved) else moved
    if len(moved):
        first = ", ".join(
            f"{row['name']} ({signed(row['change'])} from {row['first']} to {row['last']})"
            for _, row in moved.head(_NAMED).iterrows()
        )
        items.append(
            f"{len(sure)} of {counted(len(moved), 'member')} of two sessions or more moved in one "
            f"direction with a probability above 95 %. Farthest moved {first}."
        )
    tau = tables.metrics["dynamic/tau"]
    items.append(
        f"A typical step of a member from one biennium to the next is {number(tau)}, where half "
        "the distance between the parties in the reference session is 1."
    )
    if run.fit and "fit/accuracy" in run.fit:
        items.append(
            f"The model calls {percent(run.fit['fit/accuracy'], 1)} of the recorded votes right."
        )
    if as_expected := misfit_words(run.checks, run.fit_tables.legislators, by_chance=True):
        items.append(as_expected)
    items += agreement_finding(run)
    # What the run was made for comes first; whether one line describes the votes after it.
    blocks: list[Bullets | Text] = [Bullets(tuple(items))]
    if run.verdict.status == "fail":
        blocks.insert(0, Text(FAILED, tone="warning"))
    blocks += [Text(words, tone="warning") for words in fit_findings(run.fit_verdict)]
    blocks += [Text(f"{w[:1].upper()}{w[1:]}.", tone="warning") for w in run.warnings]
    return Section("key-findings", "Key findings", tuple(blocks))


def _gap_words(run: RollCallAnalysis, chamber: str) -> list[str]:
    """How the gap of a chamber changed, and what made it."""
    careers, tables = run.careers, run.tables.careers
    assert careers is not None
    assert tables is not None
    table = tables.decomposition
    whole = table[
        (table["chamber"] == chamber) & (table["span"] == "whole") & (table["of"] == "gap")
    ]
    if whole.empty:
        return []
    part = whole.iloc[0]
    gap = tables.gap[tables.gap["chamber"] == chamber]
    ends = [float(gap["mean"].iloc[0]), float(gap["mean"].iloc[-1])]
    is_sure = part["change_low"] > 0 or part["change_high"] < 0
    moved = "drew apart" if part["change"] > 0 else "came closer"
    verb = moved if is_sure else "may have stayed as far apart as they were"
    of = f" of the {chamber.capitalize()}" if careers.both else ""
    text = (
        f"From {part['first']} to {part['last']} the parties{of} {verb}: the distance between "
        f"their means went from {number(ends[0])} to {number(ends[1])} "
        f"(change {signed(part['change'])}, 95 % interval "
        f"{span(part['change_low'], part['change_high'])})."
    )
    sentences = [text]
    if is_sure and part["n_stay"]:
        sentences.append(
            f"Of that change{of}, {signed(part['movement'])} is due to the "
            f"{counted(int(part['n_stay']), 'member')} who served in both sessions and moved, and "
            f"{signed(part['replacement'])} to those who came for those who left."
        )
    return sentences


def how_to_read(run: RollCallAnalysis) -> Section:
    """How to read positions over time."""
    assert run.careers is not None
    reference, both = run.careers.reference_session, run.careers.both
    of = " in the House" if both else ""
    items = [
        f"All positions are on one scale, that of {reference}: there the mean of the Democrats{of} "
        "is at −1 and that of the Republicans at +1. Right is the Republican end.",
        "Members who serve in more than one session carry the scale from one to the other: the "
        "model takes small moves of a member for likely and large ones for rare. If all members "
        "moved together, and by the same amount, no votes could show it.",
        "Every estimate comes with a 95 % interval: given the model and the votes, the value lies "
        "in it with a probability of 95 %. Neighbouring sessions of a member move together, so "
        "take the probability of a change from the table of changes, not from two intervals.",
        "Ranks and medians are within a session"
        + (" and chamber." if both else ".")
        + " Rank 1 is the farthest to the right.",
        "R-hat compares the chains, which are independent attempts at the same answer: near 1 "
        "they agree. The effective number of draws says how many independent draws the estimate "
        "is worth.",
    ]
    return Section("how-to-read", "How to read it", (Bullets(tuple(items)),))


def _polarization(run: RollCallAnalysis) -> Section:
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    gap, parties = tables.gap, tables.parties
    columns = [Column("Session")]
    cells: list[list[Cell]] = [session_cells(gap, careers.both)]
    for party in PARTIES:
        part = parties[parties["party"] == party]
        columns += [Column(f"{party}s", numeric=True), Column("95 % interval", numeric=True)]
        cells += [[numeric(v) for v in part["mean"]], interval_cells(part)]
        columns.append(Column("Spread", numeric=True, hint=f"of the {party}s"))
        cells.append([numeric(v) for v in part["spread"]])
    columns += [
        Column("Distance", numeric=True, hint="between the parties' means"),
        Column("95 % interval", numeric=True),
        Column("Wider than before", numeric=True, hint="probability"),
    ]
    cells += [
        [numeric(v) for v in gap["mean"]],
        interval_cells(gap),
        [Cell(chance(v) if math.isfinite(v) else "", v) for v in gap["p_wider"]],
    ]
    ends = "; ".join(
        f"{row['session']} {row['chamber']}: {number(row['mean'])} "
        f"({span(row['hdi_low'], row['hdi_high'])})"
        for _, row in gap.iterrows()
    )
    alt = f"Means of both parties over time and the distance between them: {ends}."
    text = Text(
        "Above, the mean of each party's members in every session, with bands for the 95 % "
        "interval; below, the distance between the two. In the reference session, "
        f"{careers.reference_session}, they are at −1 and +1, and the distance is 2."
    )
    blocks = (
        text,
        Picture("polarization", alt, "The parties and the distance between them"),
        Table("The parties over time", tuple(columns), rows(*cells), sortable=True),
    )
    return Section("polarization", "Did the parties draw apart?", blocks)


def _decomposition(run: RollCallAnalysis) -> Section:
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    table = tables.decomposition.drop_duplicates(["chamber", "first", "last", "of"])
    short = dict(zip(careers.sessions, session_labels(careers.sessions), strict=True))
    names = [
        f"{short[row['first']]} to {short[row['last']]}"
        + (f", {row['chamber'].capitalize()}" if careers.both else "")
        for _, row in table.iterrows()
    ]
    cells = rows(
        [Cell(name, style="whole") for name in names],
        [Cell("Distance", style="strong") if of == "gap" else party_cell(of) for of in table["of"]],
        *([Cell(str(v), float(v)) for v in table[c]] for c in ("n_stay", "n_enter", "n_leave")),
        *(
            column
            for name in ("change", "movement", "replacement")
            for column in (
                [numeric(v, show=signed) for v in table[name]],
                [
                    Cell(span(a, b), float(a))
                    for a, b in zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
                ],
            )
        ),
    )
    columns = (
        Column("From, to"),
        Column("Of"),
        Column("Stayed", numeric=True),
        Column("Came", numeric=True),
        Column("Left", numeric=True),
        Column("Change", numeric=True),
        Column("95 %", numeric=True),
        Column("Movement", numeric=True),
        Column("95 %", numeric=True),
        Column("Replacement", numeric=True),
        Column("95 %", numeric=True),
    )
    text = Text(
        "A party's mean changes because members who stay move, and because others come for those "
        "who leave. Movement is the change of the mean of those who served in both sessions for "
        "the same party; replacement is the rest. Where few stayed, movement is that of these few."
    )
    gap = table[table["of"] == "gap"]
    alt = "Bars of movement and replacement by step. " + "; ".join(
        f"{row['first']} to {row['last']} {row['chamber']}: change {signed(row['change'])}, "
        f"movement {signed(row['movement'])}, replacement {signed(row['replacement'])}"
        for _, row in gap.iterrows()
    )
    blocks = (
        text,
        Picture("gap_decomposition", alt, "What made the distance between the parties"),
        Table("Changes of the means and of the distance, and what made them", columns, cells),
    )
    return Section("decomposition", "Did members move, or were they replaced?", blocks)


def _medians(run: RollCallAnalysis) -> Section:
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    table = tables.medians
    cells = rows(
        session_cells(table, careers.both),
        [Cell("All members") if body == "all" else party_cell(body) for body in table["body"]],
        [numeric(v) for v in table["mean"]],
        interval_cells(table),
        [Cell(name) for name in table["likeliest"]],
        [Cell(chance(p), float(p)) for p in table["p_likeliest"]],
    )
    columns = (
        Column("Session"),
        Column("Of"),
        Column("Median", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Likeliest median member"),
        Column("Probability", numeric=True),
    )
    alt = "Median of all members and of each party over time. " + "; ".join(
        f"{row['session']} {row['chamber']}: {number(row['mean'])}"
        for _, row in table[table["body"] == "all"].iterrows()
    )
    blocks = (
        Picture("medians", alt, "The median member over time"),
        Table("Medians over time", columns, cells, sortable=True, fold="Table of all medians"),
    )
    return Section("medians", "The member in the middle", blocks)
