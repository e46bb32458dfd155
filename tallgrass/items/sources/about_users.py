"""Covariates of users, such as sex or school: one row a user, kept beside the responses."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tallgrass.errors import DataError


def one_row_a_user(pieces: Sequence[pd.DataFrame], users: Sequence[str], user: str) -> pd.DataFrame:
    """The covariates of these users, in their order; missing where none is known.

    Parameters
    ----------
    pieces : sequence of DataFrame
        The column ``user`` with names, and covariates; any number of rows a user.

    Returns
    -------
    DataFrame
        ``user`` and the covariates, numbers where all values are numbers.

    Raises
    ------
    DataError
        When a user has two values of a covariate.
    """
    rows = pd.concat([piece.astype({user: object}) for piece in pieces], ignore_index=True)
    rows = rows[rows[user].isin(users)]
    table = pd.DataFrame({"user": list(users)})
    for name in (column for column in rows.columns if column != user):
        known = rows[[user, name]].assign(**{name: _values(rows[name])}).dropna()
        known = known.drop_duplicates()
        if (twice := known[user].duplicated()).any():
            who = known[user][twice].iloc[0]
            values = known[name][known[user] == who].astype(str).tolist()
            raise DataError(
                f"a user has two values of the covariate {name}",
                f"{who}: {' and '.join(values[:2])}",
                "a covariate is one value a user: leave it out, or choose a window of one value",
            )
        table[name] = table["user"].map(known.set_index(user)[name])
    return table


def _values(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values without blanks around them, missing where empty; numbers if all are numbers."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    texts = values.where(values.isna(), values.astype(str).str.strip()).replace("", None)
    numbers = pd.to_numeric(texts, errors="coerce")
    return numbers if (numbers.notna() | texts.isna()).all() and numbers.notna().any() else texts
