"""The figures of a dynamic run, and which members they show."""

import pandas as pd
from matplotlib.figure import Figure

from tallgrass.rollcalls import plots
from tallgrass.rollcalls.analysis import RollCallAnalysis

CAREERS = 25  # panels of the small multiples
_LEAST_SEATS = 2


def career_figures(run: RollCallAnalysis) -> dict[str, Figure]:
    """Pictures by name; none for a run of another model."""
    tables = run.tables.careers
    if tables is None:
        return {}
    gap = tables.decomposition[tables.decomposition["of"] == "gap"]
    drawn = {
        "polarization": plots.polarization(tables.parties, tables.gap),
        "gap_decomposition": plots.decomposition(_distinct_spans(gap)),
        "medians": plots.medians(tables.medians),
    }
    moved = movers(run)
    if len(moved):
        drawn["movers"] = plots.movers(moved)
    seats = longest_careers(run)
    if len(seats):
        drawn["careers"] = plots.careers(seats, tables.parties)
    return drawn


def _distinct_spans(table: pd.DataFrame) -> pd.DataFrame:
    """Steps, then the whole; with two sessions both are one."""
    return table.drop_duplicates(["chamber", "first", "last"])


def member_seats(run: RollCallAnalysis) -> pd.DataFrame:
    """Member-sessions with the time of their session, in the order of persons and time."""
    assert run.careers is not None
    times = {s.session: s.time for s in run.careers.sittings}
    ideal = run.tables.ideal_points
    seats = ideal.assign(time=ideal["session"].map(times))
    return seats.sort_values(["person", "time", "chamber"], kind="stable", ignore_index=True)


def movers(run: RollCallAnalysis) -> pd.DataFrame:
    """One row a person of two sessions or more, the largest change over the career first.

    Columns: person, name, party, first, last, change, p_right, and the positions before and after
    with ``_low`` and ``_high``.
    """
    seats = member_seats(run)
    assert run.tables.careers is not None
    changes = run.tables.careers.changes
    wanted = ["person", "first", "first_chamber", "last", "last_chamber"]
    known = dict(
        zip(
            changes[wanted].itertuples(index=False, name=None),
            changes[["change", "p_right"]].itertuples(index=False, name=None),
            strict=True,
        )
    )
    rows = []
    for person, part in seats.groupby("person", sort=False):
        if len(part) < _LEAST_SEATS:
            continue
        a, b = part.iloc[0], part.iloc[-1]
        change, p_right = known[person, a["session"], a["chamber"], b["session"], b["chamber"]]
        row = {"person": person, "name": b["name"], "party": b["party"], "n": len(part)}
        row |= {"first": a["session"], "last": b["session"], "change": change, "p_right": p_right}
        for name, seat in (("before", a), ("after", b)):
            row |= {name: seat["mean"], f"{name}_low": seat["hdi_low"]}
            row[f"{name}_high"] = seat["hdi_high"]
        rows.append(row)
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def longest_careers(run: RollCallAnalysis) -> pd.DataFrame:
    """Member-sessions of those with most sessions; of equal ones those who moved most."""
    moved = movers(run)
    if moved.empty:
        return moved
    order = moved.assign(size=moved["change"].abs()).sort_values(
        ["n", "size"], ascending=False, kind="stable"
    )
    chosen = list(order["person"].head(CAREERS))
    seats = member_seats(run)
    seats = seats[seats["person"].isin(chosen)]
    place = {person: i for i, person in enumerate(chosen)}
    return seats.sort_values("time", kind="stable").sort_values(
        "person", key=lambda persons: persons.map(place), kind="stable"
    )
