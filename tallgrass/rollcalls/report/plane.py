# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The sections of a run in two dimensions: the map, and the roll calls of the second axis."""

import pandas as pd

from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import counted, number, percent, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.people import rollcall_name
from tallgrass.rollcalls.report.scatters import map_picture
from tallgrass.rollcalls.report.words import party_cell, person_cells

LINES_1, LINES_2 = 2, 5  # cutting lines drawn of the sharpest roll calls of each axis
LISTED = 15

PLANE = (
    "Every recorded yea and nay is explained by two things: where the legislator stands, and what "
    "kind of question the roll call was. Each legislator has a place on a map, ξ on axis 1 and ξ₂ "
    "on axis 2. Each roll call has a difficulty α and a discrimination on either axis, and the "
    "probability of a yea is the logistic function of β·ξ + β₂·ξ₂ − α. Absences and “present” are "
    "left out; they count neither as yea nor as nay. Axis 1 is the direction that separates the "
    "parties best. Axis 2 is what divides members within the parties: the parties' means do not "
    "differ on it, and within a party it has nothing to do with axis 1. These two conditions leave "
    "nothing to rotate; only which end of axis 2 is up is a choice."
)


def plane_sections(run: RollCallAnalysis) -> list[Section]:
    """The map and the roll calls of axis 2; none of a run in one dimension."""
    if run.second_axis is None:
        return []
    return [_map(run), _axis_2(run)]


def plane_findings(run: RollCallAnalysis) -> list[str]:
    """What is to be said of the second axis, in a sentence."""
    if (axis := run.second_axis) is None:
        return []
    return [
        f"On the second axis, which divides members within the parties, {axis.direction}. "
        f"{counted(axis.n_rollcalls, 'roll call')} of {len(run.tables.rollcalls)} clearly "
        f"depend on it."
    ]


def on_axis_2(rollcalls: pd.DataFrame, most: int = LISTED) -> pd.DataFrame:
    """The roll calls that depend most on axis 2, the largest ``|beta_2|`` first."""
    order = rollcalls["beta_2"].abs().sort_values(ascending=False, kind="stable").index
    return rollcalls.loc[order[:most]]


def lines_shown(rollcalls: pd.DataFrame) -> pd.DataFrame:
    """The roll calls whose cutting lines are drawn: the sharpest of each axis, one a bill."""
    sharpest_first = on_axis_2(rollcalls, len(rollcalls))
    once = sharpest_first[~_bill(sharpest_first).duplicated()]
    first = once["beta"].abs().sort_values(ascending=False, kind="stable").index
    chosen = [*on_axis_2(once, LINES_2).index, *first[:LINES_1]]
    return rollcalls.loc[list(dict.fromkeys(chosen))]


def _bill(rollcalls: pd.DataFrame) -> "pd.Series[str]":
    return rollcalls["bill"].where(rollcalls["bill"] != "", rollcalls["vote_id"])


def _map(run: RollCallAnalysis) -> Section:
    ideal, axis = run.tables.ideal_points, run.second_axis
    assert axis is not None
    counts = ideal.groupby(["quadrant", "party"]).size()
    where = "; ".join(
        f"{quadrant}: "
        + ", ".join(f"{n} {party or 'other'}" for party, n in counts[quadrant].items())
        for quadrant in sorted(ideal["quadrant"].unique(), reverse=True)
    )
    text = Text(
        "Every member at the estimated position, with the ellipse that holds half of the "
        "posterior. Both axes have the same unit, so that the direction in which a roll call "
        f"divides the chamber is seen as it is. Axis 2 has no direction of its own: "
        f"{axis.direction}. The votes know {percent(axis.reliability)} of the variance of the "
        "positions on it."
    )
    alt = (
        f"Map of {counted(len(ideal), 'member')} on two axes. Members by quadrant: {where}. "
        f"On axis 2 {axis.direction}."
    )
    picture = map_picture(ideal, alt)
    ordered = ideal.sort_values("rank_2", kind="stable")
    cells = rows(
        person_cells(ordered),
        [party_cell(party) for party in ordered["party"]],
        [numeric(v) for v in ordered["mean"]],
        [numeric(v) for v in ordered["mean_2"]],
        [
            Cell(span(a, b), a)
            for a, b in zip(ordered["hdi_low_2"], ordered["hdi_high_2"], strict=True)
        ],
        [Cell(str(v), v) for v in ordered["rank_2"]],
        [Cell(text) for text in ordered["quadrant"]],
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("Axis 1", numeric=True),
        Column("Axis 2", numeric=True),
        Column("Axis 2, 95 %", numeric=True),
        Column("Rank on axis 2", numeric=True, hint="1 is the highest"),
        Column("Quadrant"),
    )
    table = Table(
        "Positions on both axes, the highest on axis 2 first",
        columns,
        cells,
        find="Find a legislator",
        sortable=True,
        fold=f"Table of {counted(len(ordered), 'member')} on both axes",
    )
    return Section("map", "Map of the chamber", (text, picture, table))


def _axis_2(run: RollCallAnalysis) -> Section:
    table = run.tables.rollcalls
    top = on_axis_2(table)
    first = top.iloc[0]
    alt = (
        f"Cutting lines of {counted(len(lines_shown(table)), 'roll call')} on the map. The roll "
        f"call that depends most on axis 2 is {rollcall_name(first)}, with β₂ "
        f"{number(first['beta_2'])} and β {number(first['beta'])}."
    )
    picture = Picture("cutting_lines", alt, "Where roll calls divide the map")
    text = Text(
        "A roll call divides the map along its cutting line, where yea and nay are equally likely; "
        "the arrow points to the yeas. A line from top to bottom is a vote between the parties, a "
        "level line a vote within them. The angle is the direction of the yeas: 0° towards the "
        "right, 90° upwards."
    )
    cells = rows(
        [Cell(rollcall_name(row)) for _, row in top.iterrows()],
        [Cell(title, style="wide") for title in top["title"]],
        [Cell(f"{a}–{b}", a - b) for a, b in zip(top["yea"], top["nay"], strict=True)],
        [numeric(v) for v in top["beta"]],
        [numeric(v) for v in top["beta_2"]],
        [Cell(span(a, b), a) for a, b in zip(top["beta_2_low"], top["beta_2_high"], strict=True)],
        [Cell(f"{v:.0f}°".replace("-", "−"), v) for v in top["angle"]],
        [
            Cell(f"{low:.0f}° to {high:.0f}°".replace("-", "−"), low)
            for low, high in zip(top["angle_low"], top["angle_high"], strict=True)
        ],
        [Cell(percent(v), v) for v in top["axis_2_share"]],
    )
    columns = (
        Column("Roll call"),
        Column("Title"),
        Column("Yea–nay", numeric=True),
        Column("β", numeric=True, hint="discrimination on axis 1"),
        Column("β₂", numeric=True, hint="discrimination on axis 2"),
        Column("β₂, 95 %", numeric=True),
        Column("Angle", numeric=True, hint="direction of the yeas"),
        Column("Angle, 95 %", numeric=True),
        Column("On axis 2", numeric=True, hint="share of the logits' variance"),
    )
    caption = f"The {len(top)} roll calls that depend most on axis 2"
    return Section(
        "axis-2",
        "What the second axis is about",
        (text, picture, Table(caption, columns, cells, sortable=True)),
    )
