"""The section on published scores of the same people."""

import pandas as pd

from tallgrass.report.page import Cell, Column, Section, Table, Text, numeric, rows
from tallgrass.report.scatter import Scatter
from tallgrass.report.words import counted, listed, measured, signed
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report.scatters import external_picture
from tallgrass.rollcalls.report.words import named_cells, party_cell, plural

_NAMED = 10


def external_section(run: RollCallAnalysis) -> Section | None:
    """Agreement with published scores, who stands elsewhere, who was not matched."""
    if (found := run.external) is None:
        return None
    table, comparison = found.table, found.comparison
    within = [
        f"{measured(agreement.r)} among {plural(party)}"
        for party, agreement in comparison.within.items()
    ]
    inside = f"; within parties it is {listed(within)}" if within else ""
    plane = (
        f" On the map of both axes, some direction agrees with them by {measured(found.r_plane)}."
        if found.r_plane == found.r_plane
        else ""
    )
    words = (
        f"{counted(len(table), 'member')} of this run have a score in “{found.name}”. The "
        f"correlation with the ideal points is {measured(comparison.r)}{inside}.{plane} Within "
        "parties says more: two parties that stand apart agree on almost any scale."
    )
    blocks: list[Text | Scatter | Table] = [Text(words)]
    for what, names in (
        ("Members without a score", found.without_score),
        ("Scores of nobody in this run", found.without_member),
    ):
        if names:
            blocks.append(Text(f"{what}: {_some(names)}.", tone="aside"))
    alt = (
        f"Scatter of {len(table)} ideal points against the scores {found.name}: r = "
        f"{measured(comparison.r)}."
    )
    blocks.append(external_picture(table, found.name, alt))
    moved = table["rank_change"].abs().sort_values(ascending=False, kind="stable").index
    ordered: pd.DataFrame = table.loc[moved]
    cells = rows(
        named_cells(ordered.assign(anchored=False)),
        [party_cell(party) for party in ordered["party"]],
        [numeric(v) for v in ordered["ideal_point"]],
        [numeric(v, 3) for v in ordered["score"]],
        [numeric(v, 0) for v in ordered["rank"]],
        [numeric(v, 0, signed) for v in ordered["rank_change"]],
        [Cell(how) for how in ordered["matched_by"]],
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("This run", numeric=True),
        Column("Score", numeric=True),
        Column("Rank", numeric=True),
        Column("Places right of the score's", numeric=True),
        Column("Matched by"),
    )
    caption = "Everybody with a score, those at the most different places first"
    fold = f"Table of all {counted(len(table), 'member')} with a score"
    listing = Table(caption, columns, cells, find="Find a legislator", sortable=True, fold=fold)
    return Section("external", "Published scores", (*blocks, listing))


def _some(names: tuple[str, ...]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return listed([*names[:_NAMED], *more])
