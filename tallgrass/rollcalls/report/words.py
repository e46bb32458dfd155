"""Chambers, parties and legislators as a reader sees them."""

import pandas as pd

from tallgrass.report.page import Cell, person_cell
from tallgrass.report.people import person_id
from tallgrass.rollcalls.people import person
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


def named_cells(table: pd.DataFrame) -> list[Cell]:
    """Legislators' names, with a word on those that are anchors (columns slug, anchored)."""
    people = zip(table["slug"], table["name"], table["anchored"], strict=True)
    return [
        person_cell(f"{name} (anchor)" if anchored else name, person_id(slug))
        for slug, name, anchored in people
    ]


def person_cells(table: pd.DataFrame) -> list[Cell]:
    """Legislators with party and district (columns slug, name, party, district)."""
    return [person_cell(person(row), person_id(row["slug"])) for _, row in table.iterrows()]


def party_cell(party: str) -> Cell:
    """A party with its colour and mark."""
    return Cell(party or "none", style=f"party {party.lower() if party in PARTIES else 'other'}")
