"""Chambers, parties and legislators as a reader sees them."""

import pandas as pd

from tallgrass.report.page import Cell
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.votes import PARTIES

PLURALS = {"Democrat": "Democrats", "Republican": "Republicans"}
# What is done with common bills that work differently on two linked scales.
TREATMENTS = {
    "none": "all that agree in sign",
    "drop": "without the deviating ones",
    "weight": "deviating ones weighted down",
}


def plural(party: str) -> str:
    """The members of a party."""
    return PLURALS.get(party, f"members of {party or 'no party'}")


def chamber_words(run: RollCallAnalysis) -> str:
    """Chamber and session."""
    chamber = "House and Senate" if run.joint is not None else run.votes.chamber.capitalize()
    return f"{chamber}, {run.votes.session}"


def named_cells(table: pd.DataFrame) -> list[Cell]:
    """Legislators' names, with a word on those that are anchors (column ``anchored``)."""
    pairs = zip(table["name"], table["anchored"], strict=True)
    return [Cell(f"{name} (anchor)" if anchored else name) for name, anchored in pairs]


def party_cell(party: str) -> Cell:
    """A party with its colour and mark."""
    return Cell(party or "none", style=f"party {party.lower() if party in PARTIES else 'other'}")
