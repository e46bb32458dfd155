"""Recognise wide tables, with a column per item and a row per user, and make them long."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.items.sources.request import ResponseRequest

ANSWERS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "0,0": 0, "1,0": 1, "false": 0, "true": 1}
MISSING = {"", "na", "nan", "null", "none", "<na>", "nat"}
_WHOLE = re.compile(r"\d{1,3}([.,]0)?")
_LOOKED_AT = 1000  # rows
_OF_INDEX = ("Unnamed: 0", "index")  # a first column that pandas wrote without a name


def could_be_wide(names: Sequence[str], request: ResponseRequest) -> bool:
    """Whether a table with these columns may be wide: it has neither items nor responses."""
    return request.item not in names and request.response not in names


def is_wide(piece: pd.DataFrame, request: ResponseRequest) -> bool:
    """Whether the columns are items, which is so if most of their cells are answers."""
    if not could_be_wide(list(piece.columns), request):
        return False
    cells = piece[_items(piece, request)].head(_LOOKED_AT)
    if not cells.size:
        return False
    texts = _texts(cells)
    usable = _usable(texts, request)
    answers = usable if request.graded else np.isin(texts, [*ANSWERS])
    return bool(answers.any()) and float(usable.mean()) >= 0.5


def to_long(piece: pd.DataFrame, request: ResponseRequest, n_before: int) -> pd.DataFrame:
    """A wide piece as long rows; without a column of users, rows are numbered from 1.

    Parameters
    ----------
    n_before : int
        Rows of the table before this piece.

    Raises
    ------
    DataError
        When a cell is not an answer, or a covariate is missing.
    """
    covariates = request.required_covariates(list(piece.columns))
    user, items = _user(piece, request), _items(piece, request)
    texts = _texts(piece[items])
    invalid = ~_usable(texts, request)
    if invalid.any():
        row, column = (int(index[0]) for index in np.nonzero(invalid))
        scale = "that are no whole number" if request.graded else "other than 0 and 1"
        coding = "0, 1, 2, ..." if request.graded else "0 or 1"
        raise DataError(
            f"{int(invalid.sum())} responses {scale}, the first in row "
            f"{n_before + row + 1}, column {items[column]}",
            str(piece[items[column]].iloc[row]),
            f"code answers as {coding}, and leave empty what was not answered (or name it with "
            f"missing); a column that is no item is left out with ignore={items[column]} or kept "
            f"with covariates={items[column]}",
        )
    if user is None:
        user = request.user
        piece = piece.assign(**{user: [f"{n_before + row + 1:07d}" for row in range(len(piece))]})
    other_columns = [name for name in (request.time, request.window_column) if name in piece]
    other_columns += covariates
    long = piece.melt(
        [user, *other_columns], items, var_name=request.item, value_name=request.response
    )
    return long.rename(columns={user: request.user})


def items_and_user(piece: pd.DataFrame, request: ResponseRequest) -> tuple[list[str], str | None]:
    """The columns of a wide table that are items, and that of the users; None without."""
    return _items(piece, request), _user(piece, request)


def _items(piece: pd.DataFrame, request: ResponseRequest) -> list[str]:
    other_columns = {_user(piece, request), request.time, request.window_column}
    other_columns |= set(request.covariates_in(list(piece.columns)))
    names = (name for name in piece.columns if name not in other_columns)
    return [name for name in names if request.wants(str(name))]


def _user(piece: pd.DataFrame, request: ResponseRequest) -> str | None:
    """The column of the users: the requested one, or the first column if it holds names."""
    if request.user in piece:
        return request.user
    if str(piece.columns[0]) in _OF_INDEX:
        return str(piece.columns[0])
    first = str(piece.columns[0])
    head = piece[[first]].head(_LOOKED_AT)
    names = _texts(head).ravel()
    are_names = not _usable(names, request).all() and len(pd.unique(names)) > len(names) / 2
    return first if are_names else None


def _texts(cells: pd.DataFrame) -> NDArray[np.object_]:
    """The cells as lower-case text, shape (rows, columns)."""
    return np.stack(
        [
            cells[name].astype(str).fillna("").str.strip().str.lower().to_numpy(object)
            for name in cells
        ],
        axis=1,
    )


def _usable(texts: NDArray[np.object_], request: ResponseRequest) -> NDArray[np.bool_]:
    """Which cells are an answer or empty."""
    known = np.isin(texts, [*ANSWERS, *MISSING, *request.no_answers])
    if not request.graded:
        return known
    unique, place = np.unique(texts.astype(str), return_inverse=True)
    whole = np.array([_WHOLE.fullmatch(text) is not None for text in unique])
    return np.asarray(known | whole[place].reshape(texts.shape))
