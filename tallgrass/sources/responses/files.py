"""Responses from CSV and Parquet files, in pieces: long tables, or wide ones of 0 and 1."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.limits import DEFAULT_LIMITS, Limits
from tallgrass.sources.responses.parquet import read_parquet
from tallgrass.sources.responses.request import ResponseRequest, moment
from tallgrass.sources.tables import is_file, open_bytes, reading_csv, require_one_each

CHUNK = 1_000_000  # rows a piece
_HEAD = 1 << 20  # bytes in which a header ends


def read_chunks(
    request: ResponseRequest, limits: Limits = DEFAULT_LIMITS, chunk: int = CHUNK
) -> Iterator[pd.DataFrame]:
    """The rows that are wanted, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the file is missing, damaged, too large or lacks a column.
    """
    path = Path(request.location)
    if request.query:
        raise DataError("a query needs a database", request.location, "leave query out")
    if not is_file(path):
        raise DataError(
            "no such file of responses",
            request.location,
            "name a CSV or Parquet file, or a database as postgresql://user@host/name",
        )
    label = shown(path.name)
    with open_bytes(path, limits) as stream:
        head = stream.read(_HEAD)
    if head[:4] == b"PAR1":
        pieces = read_parquet(path, request.needed_or_all, limits, chunk)
    else:
        limits.check_header(label, head)
        pieces = _csv(path, label, limits, chunk)
    wide: bool | None = None
    for piece in pieces:
        if wide is None:
            wide = _is_wide(piece, request)
        if wide:
            yield _long(piece, request)
        else:
            yield _within(piece[request.needed(list(piece.columns))], request)


def _csv(path: Path, label: str, limits: Limits, chunk: int) -> Iterator[pd.DataFrame]:
    with (
        reading_csv(label),
        open_bytes(path, limits) as stream,
        # Names stay text: 007 is not 7, and an item called NA is an item.
        pd.read_csv(
            stream,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            index_col=False,
            chunksize=chunk,
        ) as pieces,
    ):
        for piece in pieces:
            piece.columns = piece.columns.str.strip()
            require_one_each(piece, list(piece.columns), label)
            yield piece


def _is_wide(piece: pd.DataFrame, request: ResponseRequest) -> bool:
    """Whether every column but the user's is an item; a long table has an item column."""
    names = set(piece.columns)
    if request.item in names or request.response in names:
        return False
    if request.window or request.since or request.until:
        return False
    cells = piece.drop(columns=request.user, errors="ignore").head(1000)
    texts = pd.unique(cells.astype(str).to_numpy().ravel())
    allowed = {"", "0", "1", "0.0", "1.0", "nan", "None", "<NA>", "True", "False"}
    return bool(len(cells.columns)) and set(texts) <= allowed


def _long(piece: pd.DataFrame, request: ResponseRequest) -> pd.DataFrame:
    """A wide piece as long rows; without a column of users, rows are numbered from 1."""
    if request.user not in piece:
        piece = piece.assign(**{request.user: [f"{row + 1:07d}" for row in piece.index]})
    return piece.melt(request.user, var_name=request.item, value_name=request.response)


def _within(piece: pd.DataFrame, request: ResponseRequest) -> pd.DataFrame:
    if request.window:
        piece = piece[piece[request.window_column].astype(str) == request.window]
    since, until = moment(request.since, "since"), moment(request.until, "until")
    if request.time in piece:
        try:
            times = pd.to_datetime(piece[request.time], format="ISO8601", utc=True)
        except (ValueError, TypeError):
            # Any number that grows with time orders answers; it has no dates to be within.
            times = pd.to_numeric(piece[request.time], errors="coerce")
            if since or until or times.isna().any():
                raise DataError(
                    f"times in the column {request.time} that are not ISO dates",
                    str(piece[request.time].iloc[0]),
                    "write them as 2026-01-31T12:00:00, or name another time_column",
                ) from None
        piece = piece.assign(**{request.time: times})
        if since:
            piece = piece[times >= pd.Timestamp(since, tz=None if since.tzinfo else "UTC")]
            times = piece[request.time]
        if until:
            piece = piece[times < pd.Timestamp(until, tz=None if until.tzinfo else "UTC")]
    return piece.reset_index(drop=True)
