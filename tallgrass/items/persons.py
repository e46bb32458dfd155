"""Read the answers of persons to the items of a bank, piece by piece, whole persons at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError, nearest
from tallgrass.inputs.limits import Limits
from tallgrass.inputs.paths import is_database
from tallgrass.items.served import Items
from tallgrass.items.sources.cleaning import coded_answers
from tallgrass.items.sources.request import ResponseRequest
from tallgrass.items.sources.wide import is_wide, items_and_user


@dataclass(frozen=True, eq=False)
class Bank:
    """Items of one calibration, by name.

    Parameters
    ----------
    names : tuple of str
        Items, in the order of ``items``.
    items : Items
        Their parameters, and the population.
    lowest : ndarray of int, shape (n_items,)
        The answer that counts as 0.
    graded : bool
        Whether answers are other than 0 and 1.
    """

    names: tuple[str, ...]
    items: Items
    lowest: NDArray[np.int64]
    graded: bool


def persons_of(
    bank: Bank, request: ResponseRequest, limits: Limits
) -> Iterator[tuple[NDArray[np.object_], NDArray[np.int16]]]:
    """Names of persons whose answers are complete, and these, shape (n_persons, n_items)."""
    held: pd.DataFrame | None = None
    wide: bool | None = None
    n_before = 0
    for piece in _pieces(request, limits):
        if wide is None:
            wide = is_wide(piece, request)
        if wide:
            yield _of_wide(bank, request, piece, n_before)
            n_before += len(piece)
            continue
        rows = piece[request.needed(list(piece.columns))]
        rows = rows if held is None else pd.concat([held, rows], ignore_index=True)
        users = rows[request.user].astype(str)
        is_last = (users == users.iloc[-1]).to_numpy() if len(users) else np.zeros(0, bool)
        held = rows[is_last]
        if not is_last.all():
            yield _of_long(bank, request, rows[~is_last], n_before)
        n_before += len(piece)
    if held is not None and len(held):
        yield _of_long(bank, request, held, n_before)


def _pieces(request: ResponseRequest, limits: Limits) -> Iterator[pd.DataFrame]:
    from tallgrass.items.sources import database, files
    from tallgrass.items.sources.times import within

    if is_database(request.location):
        yield from database.read_chunks(request)
        return
    for piece in files.read_pieces(request, limits):
        if request.window or request.since or request.until:
            request.needed(list(piece.columns))
            yield within(piece, request)
        else:
            yield piece


def _of_wide(
    bank: Bank, request: ResponseRequest, piece: pd.DataFrame, n_before: int
) -> tuple[NDArray[np.object_], NDArray[np.int16]]:
    columns, user = items_and_user(piece, request)
    places = _places(bank, columns)
    answers = np.full((len(piece), len(bank.names)), -1, np.int16)
    for name, place in zip(columns, places, strict=True):
        codes, answered = _coded(piece[name], n_before, request)
        answers[:, place] = np.where(answered, _checked(bank, codes, answered, place), -1)
    if user is None:
        names = np.array([f"{n_before + row + 1:07d}" for row in range(len(piece))], object)
    else:
        names = piece[user].astype(str).str.strip().to_numpy(object)
    return names, answers


def _of_long(
    bank: Bank, request: ResponseRequest, rows: pd.DataFrame, n_before: int
) -> tuple[NDArray[np.object_], NDArray[np.int16]]:
    item = rows[request.item].astype(str).str.strip()
    wanted = item.map({name: request.wants(name) for name in item.unique()}).to_numpy(bool)
    rows, item = rows[wanted], item[wanted]
    code, names_of_items = pd.factorize(item)
    places = _places(bank, list(names_of_items))[code] if len(code) else np.zeros(0, np.int64)
    codes, answered = _coded(rows[request.response], n_before, request)
    person, names = pd.factorize(rows[request.user].astype(str).str.strip())
    answers = np.full((len(names), len(bank.names)), -1, np.int16)
    keep = np.flatnonzero(answered)
    # Of several answers to an item the first counts: it is written last.
    if request.duplicates == "first":
        keep = keep[::-1]
    checked = _checked(bank, codes, answered, places)
    answers[person[keep], places[keep]] = checked[keep]
    return np.asarray(names, object), answers


def _coded(
    values: pd.Series, n_before: int, request: ResponseRequest
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """As :func:`coded_answers`, each text once: a column has few."""
    code, texts = pd.factorize(values, use_na_sentinel=False)
    try:
        codes, answered = coded_answers(pd.Series(texts), 0, request)
    except DataError:
        return coded_answers(values, n_before, request)  # raises with the row
    return codes[code], answered[code]


def _places(bank: Bank, names: list[str]) -> NDArray[np.int64]:
    position = {name: j for j, name in enumerate(bank.names)}
    unknown = [name for name in names if name not in position]
    if unknown:
        raise DataError(
            f"{len(unknown)} items that the run did not calibrate, the first of them",
            unknown[0],
            f"{nearest(unknown[0], list(bank.names))} leave others out with ignore="
            + ",".join(unknown[:3]),
        )
    return np.array([position[name] for name in names], np.int64)


def _checked(
    bank: Bank,
    codes: NDArray[np.int8],
    answered: NDArray[np.bool_],
    place: "NDArray[np.int64] | int",
) -> NDArray[np.int64]:
    """Answers from 0, all of which the item has."""
    score = codes.astype(np.int64) - bank.lowest[place]
    bad = answered & ((score < 0) | (score > bank.items.highest[place]))
    if bad.any():
        row = int(bad.argmax())
        j = int(np.broadcast_to(place, codes.shape)[row])
        least, most = bank.lowest[j], bank.lowest[j] + bank.items.highest[j]
        raise DataError(
            f"an answer to item {bank.names[j]} that nobody gave when it was calibrated",
            int(codes[row]),
            f"its answers are {least} to {most}",
        )
    return np.asarray(score)
