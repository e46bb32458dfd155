"""Answers on a scale: whole numbers, of which the lowest of an item counts as 0."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.items.sources.wide import MISSING

MOST = 100  # the largest answer


def graded_answers(
    values: pd.Series, n_before: int, missing: frozenset[str]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Answers as whole numbers, and which rows have an answer.

    Raises
    ------
    DataError
        When an answer is not a whole number from 0 to 100.
    """
    texts = values.astype("str").str.strip().str.lower().str.replace(",", ".", regex=False)
    answered = values.notna().to_numpy() & ~texts.isin(MISSING | missing).to_numpy()
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    whole = np.isfinite(numbers) & (np.nan_to_num(numbers) % 1 == 0)
    invalid = answered & ~(whole & (numbers >= 0) & (numbers <= MOST))
    if invalid.any():
        row = int(invalid.argmax())
        raise DataError(
            f"{int(invalid.sum())} graded responses that are no whole number from 0 to {MOST}, "
            f"the first in row {n_before + row + 1}",
            str(values.iloc[row]),
            "code answers as 0, 1, 2, ..., and leave out what was not answered (or name it with "
            "missing)",
        )
    return np.where(answered, np.nan_to_num(numbers), 0).astype(np.int8), answered


def from_lowest(
    answers: NDArray[np.int8], item: NDArray[np.int32]
) -> tuple[NDArray[np.int8], list[int]]:
    """Answers counted from the lowest that was given to their item, and these by item."""
    lowest = np.full(int(item.max()) + 1, MOST, np.int64)
    np.minimum.at(lowest, item, answers.astype(np.int64))
    return np.asarray(answers - lowest[item], np.int8), lowest.tolist()
