"""Cells that several tables of a dynamic run have."""

import pandas as pd

from tallgrass.report.page import Cell
from tallgrass.report.words import span


def session_cells(table: pd.DataFrame, both: bool) -> list[Cell]:
    """The session of every row, ordered by time; ``both``: with the chamber."""
    names = table["session"].astype(str)
    if both:
        names += ", " + table["chamber"].str.capitalize()
    return [
        Cell(name, float(time), "whole") for name, time in zip(names, table["time"], strict=True)
    ]


def interval_cells(table: pd.DataFrame, prefix: str = "") -> list[Cell]:
    """The 95 % interval of every row, in hdi_low and hdi_high."""
    ends = zip(table[f"{prefix}hdi_low"], table[f"{prefix}hdi_high"], strict=True)
    return [Cell(span(low, high), float(low)) for low, high in ends]
