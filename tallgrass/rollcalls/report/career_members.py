# ruff: noqa: RUF001 - dashes and the signs of printed numbers are meant
"""The sections of a dynamic run on its members: who moved most, and every career."""

import pandas as pd

from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import chance, counted, number, signed, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report.career_cells import interval_cells, session_cells
from tallgrass.rollcalls.report.career_figures import member_seats, movers
from tallgrass.rollcalls.report.words import party_cell


def member_sections(run: RollCallAnalysis) -> list[Section]:
    """Who moved most, careers, and every member in every session; none for other models."""
    if run.tables.careers is None:
        return []
    moved = movers(run)
    sections = [_movers(run, moved), _careers(run, moved)] if len(moved) else []
    return [*sections, _member_sessions(run)]


def _movers(run: RollCallAnalysis, moved: pd.DataFrame) -> Section:
    assert run.tables.careers is not None
    changes = run.tables.careers.changes
    steps = changes[changes["span"] != "other"]
    cells = rows(
        [Cell(name) for name in steps["name"]],
        [party_cell(party) for party in steps["party"]],
        [_seat(row, "first") for _, row in steps.iterrows()],
        [_seat(row, "last") for _, row in steps.iterrows()],
        [numeric(v, show=signed) for v in steps["change"]],
        interval_cells(steps),
        [Cell(chance(p), float(p)) for p in steps["p_right"]],
    )
    columns = (
        Column("Member"),
        Column("Party"),
        Column("From"),
        Column("To"),
        Column("Change", numeric=True),
        Column("95 % interval", numeric=True),
        Column("To the right", numeric=True, hint="probability that the change is to the right"),
    )
    text = Text(
        "The members whose position changed most between their first and their last session: the "
        "ring is where they stood, the arrow points to where they stand, lines are 95 % intervals. "
        "The table has every step of every career, and the change over the whole of it; "
        "tables/changes has those between any two sessions."
    )
    first = moved.iloc[0]
    alt = (
        f"Arrows from the first to the last position of {min(len(moved), 20)} members; the longest "
        f"is that of {first['name']}, {signed(first['change'])}."
    )
    fold = f"Table of {counted(len(steps), 'change')}"
    blocks = (
        text,
        Picture("movers", alt, "Who moved most"),
        Table("Changes of position, the largest first", columns, cells, find="Find a member",
              sortable=True, fold=fold),
    )  # fmt: skip
    return Section("movers", "Who moved most?", blocks)


def _seat(row: "pd.Series[str]", end: str) -> str:
    other = row["first_chamber"] != row["last_chamber"]
    return f"{row[end]}, {row[f'{end}_chamber'].capitalize()}" if other else str(row[end])


def _careers(run: RollCallAnalysis, moved: pd.DataFrame) -> Section:
    """Small multiples, and one row a member with the position in every session."""
    careers = run.careers
    assert careers is not None
    seats = member_seats(run)
    names = careers.names
    key = seats["session"] + " " + seats["chamber"] if careers.both else seats["session"]
    by_person = dict(iter(seats.assign(at=key).groupby("person")))
    people = [
        (part.iloc[-1], part.set_index("at")) for _, part in by_person.items() if len(part) > 1
    ]
    people.sort(key=lambda pair: str(pair[0]["name"]).casefold())
    cells = rows(
        [Cell(str(last["name"])) for last, _ in people],
        [_parties_cell(part) for _, part in people],
        *([_position(part, name) for _, part in people] for name in names),
    )
    columns = (Column("Member"), Column("Party"), *(Column(n, numeric=True) for n in names))
    text = Text(
        "Members with the most sessions, and of those the ones who moved most: a mark is the "
        "position in a session, the line its 95 % interval"
        + (", open marks are of the Senate" if careers.both else "")
        + "; the grey lines are the means of the parties. Below, every member of two sessions or "
        "more."
    )
    alt = f"Positions over time of the members with the longest careers, of {len(moved)} in all."
    blocks = (
        text,
        Picture("careers", alt, "Careers"),
        Table("Careers: position and 95 % interval in every session", columns, cells,
              find="Find a member", sortable=True, fold=f"Table of all {len(people)}"),
    )  # fmt: skip
    return Section("careers", "Careers", blocks)


def _parties_cell(part: pd.DataFrame) -> Cell:
    parties = list(dict.fromkeys(part["party"]))
    return party_cell(parties[0]) if len(parties) == 1 else Cell(" → ".join(parties))


def _position(part: pd.DataFrame, name: str) -> Cell:
    if name not in part.index:
        return Cell("")
    mean, low, high = part.loc[[name], ["mean", "hdi_low", "hdi_high"]].to_numpy(float)[0]
    return Cell(f"{number(mean)} ({span(low, high)})", float(mean))


def _member_sessions(run: RollCallAnalysis) -> Section:
    """Every member in every session."""
    assert run.careers is not None
    seats = member_seats(run).sort_values(["time", "chamber", "rank"], kind="stable")
    cells = rows(
        [Cell(name) for name in seats["name"]],
        session_cells(seats, run.careers.both),
        [party_cell(party) for party in seats["party"]],
        [Cell(d, float(d) if d.isdecimal() else None) for d in seats["district"]],
        [Cell(str(v), float(v)) for v in seats["rank"]],
        [Cell(f"{a}–{b}", float(a)) for a, b in
         zip(seats["rank_low"], seats["rank_high"], strict=True)],
        [numeric(v) for v in seats["mean"]],
        interval_cells(seats),
        [Cell(f"{v:,}", float(v)) for v in seats["n_votes"]],
    )  # fmt: skip
    columns = (
        Column("Member"),
        Column("Session"),
        Column("Party"),
        Column("District", numeric=True),
        Column("Rank", numeric=True, hint="in the session; 1 is the farthest to the right"),
        Column("Rank, 95 %", numeric=True),
        Column("Ideal point", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Votes", numeric=True),
    )
    caption = f"{counted(len(seats), 'ideal point')}, session by session, from right to left"
    table = Table(caption, columns, cells, find="Find a member", sortable=True,
                  fold="Table of all members in all sessions")  # fmt: skip
    text = Text("One row a member and session; members of one session alone are here too.")
    return Section("ideal-points", "Every member in every session", (text, table))
