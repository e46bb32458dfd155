"""Who is to the right of whom: probabilities for pairs of legislators."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, nearest
from tallgrass.inference.summary import Draws, draws_of, names_of

if TYPE_CHECKING:
    from xarray import DataTree


def probability_right_of(trace: "DataTree", first: str, second: str) -> float:
    """The probability that one legislator has a higher ideal point than another.

    The share of draws in which it is higher; draws with equal ideal points, which two anchors may
    have, count half.

    Parameters
    ----------
    first, second : str
        Slugs of legislators.

    Raises
    ------
    DataError
        When one of them is not in the run.
    """
    slugs, xi = names_of(trace, "legislator"), draws_of(trace, "xi")
    rows = []
    for slug in (first, second):
        if slug not in slugs:
            raise DataError("no such legislator in the run", slug, nearest(slug, slugs))
        rows.append(slugs.index(slug))
    return float(_share_above(xi[rows[0]], xi[rows[1]][None])[0])


def right_of(trace: "DataTree") -> pd.DataFrame:
    """The probability that the legislator of a row is to the right of that of a column.

    Both in the order of the trace, by slug; 0.5 on the diagonal.
    """
    slugs, xi = names_of(trace, "legislator"), draws_of(trace, "xi")
    matrix = np.full((len(slugs), len(slugs)), 0.5)
    for i in range(len(slugs)):
        shares = _share_above(xi[i], xi[i + 1 :])
        matrix[i, i + 1 :], matrix[i + 1 :, i] = shares, 1 - shares
    return pd.DataFrame(matrix, index=slugs, columns=slugs)


def _share_above(draws: Draws, others: Draws) -> Draws:
    """By row of ``others``: the share of draws that are above it, equal ones counted half."""
    above, below = (draws > others).mean(axis=1), (draws < others).mean(axis=1)
    return np.asarray((1 + above - below) / 2)
