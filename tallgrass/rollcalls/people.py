"""Legislators and roll calls as a reader sees them."""

import pandas as pd

from tallgrass.report.palette import letters


def person(row: "pd.Series[str] | dict[str, str]") -> str:
    """A legislator: name, party letter and district."""
    place = "-".join(part for part in (letters(row["party"]), row["district"]) if part)
    name = str(row["name"])
    # Some names say party and state already: FEINGOLD (D WI).
    return f"{name} ({place})" if place and not name.endswith(")") else name


def rollcall_name(row: "pd.Series[str] | dict[str, str]") -> str:
    """A roll call: bill and motion, else its id."""
    return " · ".join(part for part in (row["bill"], row["motion"]) if part) or row["vote_id"]
