"""Clean tables of answers: code them, drop duplicates and items with few responses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, union_categoricals

from tallgrass.errors import DataError
from tallgrass.inputs.tables import refuse_rounded, whole_names
from tallgrass.items.responses import Responses
from tallgrass.items.sources.about_users import one_row_a_user
from tallgrass.items.sources.graded import from_lowest, graded_answers
from tallgrass.items.sources.request import ResponseRequest
from tallgrass.items.sources.times import joined, ordered
from tallgrass.items.sources.wide import ANSWERS, MISSING


@dataclass(frozen=True)
class DroppedItem:
    """An item that was dropped because it has too few responses."""

    item: str
    n: int


@dataclass(frozen=True)
class ResponseLog:
    """Counts of what was read and what was dropped.

    Parameters
    ----------
    n_rows : int
        Rows read, within the window and the times.
    n_missing : int
        Rows without an answer.
    n_duplicates : int
        Rows left out because another row has the same user and item.
    duplicates : str
        Which row of several was kept.
    min_responses : int
        Responses that an item needs to be kept.
    dropped : tuple of DroppedItem
        Items with fewer, and their numbers of responses.
    n_users_dropped : int
        Users who answered only dropped items.
    """

    n_rows: int
    n_missing: int
    n_duplicates: int
    duplicates: str
    min_responses: int
    dropped: tuple[DroppedItem, ...]
    n_users_dropped: int


@dataclass
class _Columns:
    user: pd.Categorical
    item: pd.Categorical
    correct: NDArray[np.int8]
    time: "pd.Series | None"
    about: "pd.DataFrame | None"  # user and covariates


class Assembled(NamedTuple):
    """Responses, what was dropped, and the covariates of the users, one row a user, if asked."""

    responses: Responses
    log: ResponseLog
    covariates: pd.DataFrame | None


def assemble(chunks: Iterable[pd.DataFrame], request: ResponseRequest) -> Assembled:
    """Responses from tables with the columns that the request names.

    Raises
    ------
    DataError
        When no response is left, an answer is neither 0 nor 1, a name is missing, a user has two
        values of a covariate, or there are duplicates and the request forbids them.
    """
    n_rows, n_missing = 0, 0
    pieces: list[_Columns] = []
    for chunk in chunks:
        n_chunk = len(chunk)
        piece, missing = _coded(_chosen(chunk, request), request, n_rows)
        n_rows += n_chunk
        n_missing += missing
        if len(piece.correct):
            pieces.append(piece)
    if not pieces:
        raise _nothing(request, n_rows)
    user = union_categoricals([piece.user for piece in pieces])
    item = union_categoricals([piece.item for piece in pieces])
    correct = np.concatenate([piece.correct for piece in pieces])
    times = [piece.time for piece in pieces if piece.time is not None]
    about = [piece.about for piece in pieces if piece.about is not None]
    del pieces
    rows: NDArray[np.intp] = np.arange(len(correct))
    if times:
        rows = np.argsort(joined(times, request.time), kind="stable")
    kept_rows, n_duplicates = _unique(user, item, rows, request.duplicates)
    counts = np.bincount(item.codes[kept_rows], minlength=len(item.categories))
    thin = counts < request.min_responses
    dropped = tuple(
        sorted(
            (
                DroppedItem(str(item.categories[int(j)]), int(counts[j]))
                for j in np.flatnonzero(thin)
            ),
            key=lambda dropped_item: (-dropped_item.n, dropped_item.item),
        )
    )
    kept_rows = kept_rows[~thin[item.codes[kept_rows]]]
    if not len(kept_rows):
        raise DataError(
            "no item has enough responses",
            f"{dropped[0].n} at most, min_responses={request.min_responses}",
            "lower min_responses, or widen the window",
        )
    users, user_index = _used(user, kept_rows)
    items, item_index = _used(item, kept_rows)
    log = ResponseLog(
        n_rows,
        n_missing,
        n_duplicates,
        request.duplicates,
        request.min_responses,
        dropped,
        len(user.categories) - len(users),
    )
    correct, lowest = correct[kept_rows], [0] * len(items)
    if request.graded:
        correct, lowest = from_lowest(correct, item_index)
    names = dict(zip(items, lowest, strict=True))
    responses = Responses(users, items, user_index, item_index, correct, request.graded, names)
    of_users = one_row_a_user(about, responses.users, request.user) if about else None
    return Assembled(responses, log, of_users)


def _chosen(chunk: pd.DataFrame, request: ResponseRequest) -> pd.DataFrame:
    """The rows of items that are wanted."""
    if not (request.items or request.ignore):
        return chunk
    names = chunk[request.item].astype(str).str.strip()
    wanted = {name: request.wants(name) for name in names.unique()}
    return chunk[names.map(wanted).to_numpy(bool)]


def _nothing(request: ResponseRequest, n_rows: int) -> DataError:
    limits = {"window": request.window, "since": request.since, "until": request.until}
    window = ", ".join(f"{name}={value}" for name, value in limits.items() if value)
    if n_rows and (request.items or request.ignore):
        chosen = f"items={','.join(request.items)}, ignore={','.join(request.ignore)}"
        return DataError("no item is left", chosen, "items and ignore are names or patterns (q*)")
    if n_rows:
        return DataError("no answers", f"{n_rows} rows, all without a response")
    if window:
        return DataError("no responses in this window", window, "check the label and the times")
    return DataError("no responses", None, "the table, file or query is empty")


def _coded(chunk: pd.DataFrame, request: ResponseRequest, n_before: int) -> tuple[_Columns, int]:
    correct, answered = coded_answers(chunk[request.response], n_before, request)
    if not answered.all():
        chunk, correct = chunk[answered], correct[answered]
    names = []
    for column in (request.user, request.item):
        values = whole_names(chunk[column], column)
        empty = values.isna().to_numpy()
        if empty.any():
            row = int(chunk.index[int(empty.argmax())]) + n_before + 1
            raise DataError(f"response {row} without a name in the column {column}")
        coded = pd.Categorical(values)
        texts = pd.Index(coded.categories).astype(str).str.strip()
        if not texts.is_unique or (texts == "").any():
            raise DataError(
                f"names in the column {column} that are empty, or differ only in blanks or type"
            )
        refuse_rounded(texts, column)
        names.append(coded.rename_categories(texts))
    time = ordered(chunk[request.time], request.time) if request.time in chunk else None
    covariates = request.covariates_in(list(chunk.columns))
    about = None
    if covariates:
        about = chunk[covariates].assign(**{request.user: names[0]}).drop_duplicates()
    return _Columns(names[0], names[1], correct, time, about), int((~answered).sum())


def coded_answers(
    values: pd.Series, n_before: int, request: ResponseRequest
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Answers as whole numbers, and which rows have an answer.

    Raises
    ------
    DataError
        When a value is not an answer.
    """
    read = graded_answers if request.graded else _answers
    return read(values, n_before, request.no_answers)


def _answers(
    values: pd.Series, n_before: int, missing: frozenset[str]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Answers as 0 and 1, and which rows have an answer."""
    answered = values.notna().to_numpy()
    if is_bool_dtype(values):
        return values.fillna(False).to_numpy(bool).astype(np.int8), answered
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        answered = answered & ~np.isin(numbers, _numbers(missing))
    else:
        texts = values.astype("str").str.strip().str.lower()
        answered = answered & ~texts.isin(MISSING | missing).to_numpy()
        # Any other text becomes -1, which is refused below.
        numbers = texts.map(ANSWERS).astype("float64").to_numpy()
        numbers = np.where(np.isnan(numbers), -1.0, numbers)
    invalid = answered & ~np.isin(numbers, (0, 1))
    if invalid.any():
        row = int(invalid.argmax())
        raise DataError(
            f"{int(invalid.sum())} responses other than 0 and 1, "
            f"the first in row {n_before + row + 1}",
            str(values.iloc[row]),
            "code answers as 0 or 1, and leave out what was not answered (or name it with missing)",
        )
    return np.where(answered, numbers, 0).astype(np.int8), answered


def _numbers(texts: frozenset[str]) -> list[float]:
    """Those texts that are numbers."""
    numbers = pd.to_numeric(pd.Series(sorted(texts), dtype=str), errors="coerce")
    return [float(number) for number in numbers.dropna()]


def _unique(
    user: pd.Categorical, item: pd.Categorical, rows: NDArray[np.intp], policy: str
) -> tuple[NDArray[np.intp], int]:
    """The rows to keep, one per user and item, and how many repeat; ``rows`` are in time order."""
    key = item.codes.astype(np.int64) * len(user.categories) + user.codes
    ordered = pd.Series(key[rows])
    repeated = ordered.duplicated(keep="last" if policy == "last" else "first").to_numpy()
    if policy == "error" and repeated.any():
        row = rows[repeated.argmax()]
        raise DataError(
            f"{int(repeated.sum())} duplicate responses: one user, one item",
            f"{user[row]}, {item[row]}",
            "keep one of them with duplicates=first or duplicates=last",
        )
    return rows[~repeated], int(repeated.sum())


def _used(
    names: pd.Categorical, rows: NDArray[np.intp]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    codes = names.codes[rows]
    used = np.unique(codes)
    position = np.zeros(len(names.categories), np.int32)
    position[used] = np.arange(len(used), dtype=np.int32)
    return tuple(map(str, names.categories[used])), position[codes]
