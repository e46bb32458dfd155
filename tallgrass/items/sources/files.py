"""Read responses from files, CSV and Parquet in pieces; tables are long or wide."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.tables import (
    is_file,
    open_bytes,
    reading_csv,
    require_one_each,
    separator_of,
    without_file,
)
from tallgrass.items.sources.formats import read_other
from tallgrass.items.sources.json_files import is_json, read_json
from tallgrass.items.sources.parquet import read_parquet, rows_a_piece
from tallgrass.items.sources.request import ResponseRequest
from tallgrass.items.sources.times import within
from tallgrass.items.sources.wide import could_be_wide, is_wide, to_long

CHUNK = 1_000_000  # rows per piece, of a table with few columns
_HEAD = 1 << 20  # bytes that contain the whole header


def read_chunks(
    request: ResponseRequest, limits: Limits = DEFAULT_LIMITS, chunk: int = CHUNK
) -> Iterator[pd.DataFrame]:
    """The requested rows, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the file is missing, damaged, too large or lacks a column.
    """
    yield from long_pieces(read_pieces(request, limits, chunk), request)


def read_pieces(
    request: ResponseRequest, limits: Limits = DEFAULT_LIMITS, chunk: int = CHUNK
) -> Iterator[pd.DataFrame]:
    """The file in pieces as it is, long or wide; raises as :func:`read_chunks`."""
    path = require_file(request)
    label = shown(path.name)
    with open_bytes(path, limits) as stream:
        head = stream.read(_HEAD)
    if head[:4] == b"PAR1":

        def choose(names: Sequence[str]) -> list[str]:
            return list(names) if could_be_wide(names, request) else request.needed(names)

        pieces = read_parquet(path, choose, limits, chunk, request.user)
    elif (other := read_other(path, limits)) is not None:
        pieces = other
    elif is_json(head):
        pieces = read_json(path, request, limits)
    else:
        limits.check_header(label, head)
        pieces = _csv(path, label, limits, chunk, separator_of(head))
    yield from pieces


def require_file(request: ResponseRequest) -> Path:
    """The file that is named.

    Raises
    ------
    DataError
        When there is none, it is a folder, pipe or device, or a query is asked of it.
    """
    path = Path(request.location)
    if request.query:
        raise DataError("a query needs a database", request.location, "leave query out")
    if not is_file(path):
        raise DataError(
            without_file(path, "responses"),
            request.location,
            "name a CSV, Parquet or JSON file, or a database as postgresql://user@host/name",
        )
    return path


def long_pieces(pieces: Iterator[pd.DataFrame], request: ResponseRequest) -> Iterator[pd.DataFrame]:
    """Pieces of a long or wide table as long rows of the window that the request names."""
    is_wide_table: bool | None = None
    n_read = 0
    for piece in pieces:
        if is_wide_table is None:
            is_wide_table = is_wide(piece, request)
        long = to_long(piece, request, n_read) if is_wide_table else piece
        n_read += len(piece)
        yield within(long[request.needed(list(long.columns))], request)


def _csv(
    path: Path, label: str, limits: Limits, chunk: int, separator: str
) -> Iterator[pd.DataFrame]:
    # Names stay text: 007 is not 7, and an item may be called NA.
    options: dict[str, Any] = {
        "sep": separator,
        "dtype": str,
        "keep_default_na": False,
        "encoding": "utf-8-sig",
        "index_col": False,
    }
    with reading_csv(label):
        with open_bytes(path, limits) as stream:
            n_columns = len(pd.read_csv(stream, nrows=0, **options).columns)
        rows = rows_a_piece(chunk, n_columns)
        with (
            open_bytes(path, limits) as stream,
            pd.read_csv(stream, chunksize=rows, **options) as pieces,
        ):
            for piece in pieces:
                piece.columns = piece.columns.str.strip()
                require_one_each(piece, list(piece.columns), label)
                yield piece
