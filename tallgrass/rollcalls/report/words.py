"""Chambers, parties and legislators as a reader sees them."""

from collections.abc import Sequence
from pathlib import PurePath

import pandas as pd

from tallgrass.report.page import Cell, person_cell
from tallgrass.report.palette import style_of
from tallgrass.report.people import person_id
from tallgrass.report.words import listed
from tallgrass.rollcalls.groups import PARTIES, members_of
from tallgrass.rollcalls.people import person

# What is done with common bills that work differently on two linked scales.
TREATMENTS = {
    "none": "all that agree in sign",
    "drop": "without the deviating ones",
    "weight": "deviating ones weighted down",
}


def plural(party: str) -> str:
    """The members of a party."""
    return members_of(party)


def groups_words(groups: Sequence[str], asked: str) -> str:
    """Which groups a run has, where they are no Democrats and Republicans; else empty.

    Parameters
    ----------
    groups : sequence of str
        The groups, the pair of the scale first.
    asked : str
        The parameter ``groups``: a column, a file, or empty for the parties.
    """
    if len(groups) < 2 or (tuple(groups) == PARTIES and not asked):
        return ""
    what = "Parties" if not asked else f"Groups by {PurePath(asked).name}"
    further = f"; further {listed(list(groups[2:]))}" if len(groups) > 2 else ""
    return f"{what}: {groups[0]} (lower end of the scale) and {groups[1]} (upper end){further}."


def upper_first(text: str) -> str:
    """A text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


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
    return Cell(party or "none", style=f"party {style_of(party)}")
