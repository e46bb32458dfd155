"""Responses from CSV and Parquet files, in pieces: long tables, or wide ones of 0 and 1."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.tables import is_file, open_bytes, reading_csv, require_one_each
from tallgrass.items.sources.parquet import read_parquet, rows_a_piece
from tallgrass.items.sources.request import ResponseRequest
from tallgrass.items.sources.times import within
from tallgrass.items.sources.wide import could_be_wide, is_wide, to_long

CHUNK = 1_000_000  # rows a piece of a table with few columns
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

        def wanted(names: Sequence[str]) -> list[str]:
            return list(names) if could_be_wide(names, request) else request.needed(names)

        pieces = read_parquet(path, wanted, limits, chunk)
    else:
        limits.check_header(label, head)
        pieces = _csv(path, label, limits, chunk)
    wide: bool | None = None
    done = 0
    for piece in pieces:
        if wide is None:
            wide = is_wide(piece, request)
        long = to_long(piece, request, done) if wide else piece
        done += len(piece)
        yield within(long[request.needed(list(long.columns))], request)


def _csv(path: Path, label: str, limits: Limits, chunk: int) -> Iterator[pd.DataFrame]:
    # Names stay text: 007 is not 7, and an item called NA is an item.
    form: dict[str, Any] = {
        "dtype": str,
        "keep_default_na": False,
        "encoding": "utf-8-sig",
        "index_col": False,
    }
    with reading_csv(label):
        with open_bytes(path, limits) as stream:
            n_columns = len(pd.read_csv(stream, nrows=0, **form).columns)
        rows = rows_a_piece(chunk, n_columns)
        with (
            open_bytes(path, limits) as stream,
            pd.read_csv(stream, chunksize=rows, **form) as pieces,
        ):
            for piece in pieces:
                piece.columns = piece.columns.str.strip()
                require_one_each(piece, list(piece.columns), label)
                yield piece
