# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The sections on people and roll calls: ideal points, forest plot, cut points, the baseline."""

import math

import pandas as pd

from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import ALMOST, chance, counted, number, percent, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.people import person, rollcall_name
from tallgrass.rollcalls.report.divisions import divisions
from tallgrass.rollcalls.report.overview import estimated, overlap
from tallgrass.rollcalls.report.scatters import forest_picture
from tallgrass.rollcalls.report.words import named_cells, party_cell, plural

YEA_RATES = (
    " “Yeas” is the share of yeas. † marks one outside the 95 % interval that the model predicts: "
    "the position does not describe how this legislator voted."
)


def ideal_point_sections(run: RollCallAnalysis) -> list[Section]:
    """The table of ideal points and the forest plot."""
    ideal = run.tables.ideal_points.sort_values("rank", kind="stable")
    return [
        _table(ideal, run.fit_tables.legislators),
        _forest(run, ideal, run.prepared.file is None),
    ]


def _table(ideal: pd.DataFrame, fit: pd.DataFrame | None) -> Section:
    anchored = (ideal["anchor"] != 0).tolist()
    cells = rows(
        named_cells(ideal.assign(anchored=anchored)),
        [party_cell(party) for party in ideal["party"]],
        [numeric(v) for v in ideal["mean"]],
        [
            Cell("held fixed" if held else span(low, high), low)
            for low, high, held in zip(ideal["hdi_low"], ideal["hdi_high"], anchored, strict=True)
        ],
        [Cell(str(v), v) for v in ideal["rank"]],
        [Cell(f"{a}–{b}", a) for a, b in zip(ideal["rank_low"], ideal["rank_high"], strict=True)],
        [Cell(d, float(d) if d.isdecimal() else None) for d in ideal["district"]],
        [Cell(chance(v) if v > ALMOST else "", v) for v in ideal["p_median"]],
        [Cell(f"{v:,}", v) for v in ideal["n_votes"]],
        *([] if fit is None else [_yea_rates(ideal, fit)]),
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("Ideal point", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Rank", numeric=True, hint="1 is the farthest to the right"),
        Column("Rank, 95 %", numeric=True, hint="95 % interval of the rank"),
        Column("District", numeric=True),
        Column("Median", numeric=True, hint="probability of being the median member"),
        Column("Votes", numeric=True, hint="recorded yeas and nays used"),
        *([] if fit is None else [Column("Yeas", numeric=True, hint="share of yeas")]),
    )
    text = Text(
        "One row a legislator, from right to left. Click a column's title to order by it. “Median” "
        "is the probability of being the member in the middle of the own chamber; empty cells are "
        "below half a percent." + ("" if fit is None else YEA_RATES)
    )
    caption = f"Ideal points of {counted(len(ideal), 'legislator')}"
    table = Table(caption, columns, cells, find="Find a legislator", sortable=True)
    return Section("ideal-points", "Ideal points", (text, table))


def _yea_rates(ideal: pd.DataFrame, fit: pd.DataFrame) -> list[Cell]:
    """The share of yeas of every legislator, marked where the model does not predict it."""
    by_slug = fit.set_index("slug").reindex(ideal["slug"])
    cells = []
    for _, row in by_slug.iterrows():
        rate = row["yea_rate_observed"]
        is_off = row["misfit"] == 1  # NaN for a legislator without a vote
        text = percent(rate) + (" †" if is_off else "")
        sort = float(rate) if math.isfinite(rate) else None
        cells.append(Cell(text, sort, "failed" if is_off else ""))
    return cells


def _forest(run: RollCallAnalysis, ideal: pd.DataFrame, known_ends: bool) -> Section:
    free, joint = estimated(ideal), "chamber" in ideal
    top, bottom = free.iloc[0], free.iloc[-1]
    ends = [
        f"{word}: {person(row)} at {number(row['mean'])} ({span(row['hdi_low'], row['hdi_high'])})."
        for word, row in (("Highest", top), ("Lowest", bottom))
    ]
    alt = " ".join(
        [f"Forest plot of {len(ideal)} ideal points with 95 % intervals.", *ends, *overlap(run)]
    )
    text = Text(
        "Every legislator as a mark at the estimated position, with a line for the 95 % interval, "
        "from the farthest right on top to the farthest left. Colours and shapes of the marks tell "
        "the parties apart. Short lines are well-known positions; a long line means few votes, or "
        "votes that do not fit one position."
        + (" Filled marks are members of the House, open ones of the Senate." if joint else "")
    )
    picture = forest_picture(ideal, alt, known_ends)
    return Section("forest", "All legislators in one picture", (text, picture), brief=True)


def _divided(chosen: pd.DataFrame, party: str) -> Table:
    """The roll calls of the picture with their titles in full, and how the majority voted."""
    cells = rows(
        [Cell(rollcall_name(row)) for _, row in chosen.iterrows()],
        [Cell(title, style="wide") for title in chosen["title"]],
        [Cell(f"{a}–{b}", a - b) for a, b in zip(chosen["yea"], chosen["nay"], strict=True)],
        [
            Cell(f"{a}–{b}", a - b)
            for a, b in zip(chosen["own_yea"], chosen["own_nay"], strict=True)
        ],
        [numeric(v) for v in chosen["cut_point"]],
    )
    columns = (
        Column("Roll call"),
        Column("Title"),
        Column("Yea–nay", numeric=True),
        Column(plural(party), numeric=True),
        Column("Cut point", numeric=True),
    )
    return Table(f"Roll calls that divided the {plural(party)}", columns, cells)


def rollcall_section(run: RollCallAnalysis) -> Section:
    """The roll calls that divide the majority party, else the sharpest, and a table of all."""
    table = run.tables.rollcalls
    order = table["beta"].abs().sort_values(ascending=False, kind="stable").index
    ordered = table.loc[order]
    blocks: list[Text | Picture | Table] = []
    chosen, party = divisions(table, run.votes)
    if len(chosen):
        first = chosen.iloc[0]
        told = (
            f"These are the sharpest of the roll calls that divided the {plural(party)}: at least "
            "a tenth of them voted against the others. Votes along party lines say nothing of "
            "their order. A mark is"
            if party
            else "These roll calls separate left from right most sharply. A mark is"
        )
        blocks.append(
            Text(
                f"{told} the cut point: "
                "a legislator standing there is as likely to vote yea as nay. The mark points to "
                "the side of the yeas, and the line is a 95 % interval. The marks on top are the "
                "members, so one can see whom each roll call divides; the ticks below them are "
                "the cut points of all roll calls that have one."
            )
        )
        middle = chosen["cut_point"].between(
            run.tables.ideal_points["mean"].min(), run.tables.ideal_points["mean"].max()
        )
        alt = (
            f"Cut points of the {counted(len(chosen), 'roll call')} with the largest "
            f"discrimination; {middle.sum()} lie among the members. The sharpest is "
            f"{rollcall_name(first)}, with discrimination {number(first['beta'])} and cut point "
            f"{number(first['cut_point'])}, yeas to the "
            f"{'right' if first['yea_side'] == 'higher' else 'left'}."
        )
        blocks.append(Picture("cut_points", alt, "Where the sharpest roll calls divide"))
        if party:
            blocks.append(_divided(chosen, party))
    cells = rows(
        [Cell(rollcall_name(row)) for _, row in ordered.iterrows()],
        [Cell(title, style="wide") for title in ordered["title"]],
        [Cell(date, style="whole") for date in ordered["date"]],
        [Cell(f"{a}–{b}", a - b) for a, b in zip(ordered["yea"], ordered["nay"], strict=True)],
        [numeric(v) for v in ordered["beta"]],
        [
            Cell(span(a, b), a)
            for a, b in zip(ordered["beta_low"], ordered["beta_high"], strict=True)
        ],
        [numeric(v) for v in ordered["cut_point"]],
        [
            {"higher": "right", "lower": "left"}[side] if math.isfinite(cut) else ""
            for cut, side in zip(ordered["cut_point"], ordered["yea_side"], strict=True)
        ],
    )
    columns = (
        Column("Roll call"),
        Column("Title"),
        Column("Date"),
        Column("Yea–nay", numeric=True),
        Column("β", numeric=True, hint="discrimination"),
        Column("95 % interval", numeric=True),
        Column("Cut point", numeric=True),
        Column("Yeas"),
    )
    fold = f"Table of all {counted(len(table), 'roll call')}"
    caption = "Roll calls, the most discriminating first"
    blocks.append(Table(caption, columns, cells, find="Find a roll call", sortable=True, fold=fold))
    blocks.append(
        Text(
            "A discrimination β far from zero, on either side, means that the vote follows the "
            "left-right line closely. Near zero the vote cut across it, and no cut point is given.",
            tone="aside",
        )
    )
    return Section("roll-calls", "Roll calls that divide the chamber", tuple(blocks))
