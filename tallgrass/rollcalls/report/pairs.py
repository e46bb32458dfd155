"""The section that says of two legislators who is to the right of the other."""

import numpy as np
import pandas as pd

from tallgrass.report.page import Cell, Column, Pairs, Section, Table, Text, rows
from tallgrass.report.people import last_name_first
from tallgrass.report.words import chance, counted
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report.overview import estimated
from tallgrass.rollcalls.report.words import party_cell, person_cells

SURE = 0.95
MOST = 1000  # legislators in the tool: half a megabyte on the page
SECTION = "right-of"


def pairs_section(run: RollCallAnalysis) -> Section | None:
    """The tool for two legislators, and a table of neighbours that needs no script."""
    ideal = estimated(run.tables.ideal_points).sort_values("rank", kind="stable")
    if len(ideal) < 2:
        return None
    probability = run.right_of.loc[ideal["slug"], ideal["slug"]].to_numpy()
    blocks: list[Text | Pairs | Table] = [
        Text(
            "Two intervals may overlap although it is nearly sure who is farther to the right, "
            "and the other way round: the draws of two legislators move together. These are the "
            "probabilities themselves."
        )
    ]
    if len(ideal) <= MOST:
        blocks.append(_tool(ideal, probability))
    blocks.append(_neighbours(ideal, probability))
    return Section(SECTION, "Who is to the right of whom", tuple(blocks))


def _tool(ideal: pd.DataFrame, probability: np.ndarray) -> Pairs:
    names = [person(row) for _, row in ideal.iterrows()]
    order = sorted(range(len(names)), key=lambda i: last_name_first(names[i]).casefold())
    upper = np.triu_indices(len(order), 1)
    return Pairs(
        "Choose two legislators",
        "is to the right of",
        tuple(names[i] for i in order),
        tuple(float(p) for p in probability[np.ix_(order, order)][upper]),
    )


def _neighbours(ideal: pd.DataFrame, probability: np.ndarray) -> Table:
    """Every legislator beside the next one to the left, and how many can be told apart."""
    names = [person(row) for _, row in ideal.iterrows()]
    off_diagonal = ~np.eye(len(names), dtype=bool)
    sure = (probability > SURE) & off_diagonal
    open_ = off_diagonal & ~sure & ~sure.T
    beside = [probability[i, i + 1] for i in range(len(names) - 1)]
    cells = rows(
        person_cells(ideal),
        [party_cell(party) for party in ideal["party"]],
        [*(Cell(name) for name in names[1:]), Cell("")],
        [*(Cell(chance(p), float(p)) for p in beside), Cell("")],
        *([Cell(f"{n:,}", float(n)) for n in table.sum(axis=1)] for table in (sure, open_, sure.T)),
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("Next to the left"),
        Column("Right of the next", numeric=True, hint="probability"),
        Column("Surely right of", numeric=True, hint="legislators, probability above 95 %"),
        Column("Open", numeric=True, hint="legislators, probability from 5 % to 95 %"),
        Column("Surely left of", numeric=True, hint="legislators, probability above 95 %"),
    )
    caption = "Legislators from right to left, each beside the next"
    fold = f"Table of {counted(len(names), 'legislator')} and their neighbours"
    return Table(caption, columns, cells, find="Find a legislator", sortable=True, fold=fold)
