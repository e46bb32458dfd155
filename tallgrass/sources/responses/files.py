"""Responses from CSV and Parquet files, in pieces: long tables, or wide ones of 0 and 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from tallgrass.errors import DataError, shown
from tallgrass.sources.responses.request import ResponseRequest
from tallgrass.sources.responses.times import within
from tallgrass.sources.responses.wide import could_be_wide, is_wide, to_long
from tallgrass.sources.tables import open_bytes

CHUNK = 1_000_000  # rows a piece of a table with few columns
_FEW_COLUMNS = 8


def read_chunks(request: ResponseRequest, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The rows that are wanted, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the file is missing, damaged or lacks a column.
    """
    path = Path(request.location)
    if request.query:
        raise DataError("a query needs a database", request.location, "leave query out")
    if not path.is_file():
        raise DataError(
            "no such file of responses",
            request.location,
            "name a CSV or Parquet file, or a database as postgresql://user@host/name",
        )
    label = shown(path.name)
    with open_bytes(path) as stream:
        is_parquet = stream.read(4) == b"PAR1"
    pieces = _parquet(path, label, request, chunk) if is_parquet else _csv(path, label, chunk)
    wide: bool | None = None
    done = 0
    for piece in pieces:
        if wide is None:
            wide = is_wide(piece, request)
        long = to_long(piece, request, done) if wide else piece
        done += len(piece)
        yield within(long[request.needed(list(long.columns))], request)


def _csv(path: Path, label: str, chunk: int) -> Iterator[pd.DataFrame]:
    # Names stay text: 007 is not 7, and an item called NA is an item.
    form: dict[str, Any] = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig"}
    try:
        with open_bytes(path) as stream:
            n_columns = len(pd.read_csv(stream, nrows=0, **form).columns)
        with (
            open_bytes(path) as stream,
            pd.read_csv(stream, chunksize=_rows(chunk, n_columns), **form) as pieces,
        ):
            for piece in pieces:
                piece.columns = piece.columns.str.strip()
                yield piece
    except EmptyDataError:
        raise DataError(f"{label} is empty", mend="copy or download it again") from None
    except UnicodeDecodeError as error:
        received = f"byte 0x{error.object[error.start]:02x}"
        raise DataError(f"{label} is not text", received, "save it as CSV in UTF-8") from None
    except ParserError as error:
        received = str(error).splitlines()[0]
        raise DataError(
            f"{label} is not a whole CSV table", received, "look for a cut row"
        ) from None


def _parquet(
    path: Path, label: str, request: ResponseRequest, chunk: int
) -> Iterator[pd.DataFrame]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = list(file.schema_arrow.names)
        columns = names if could_be_wide(names, request) else request.needed(names)
        rows = _rows(chunk, max(len(columns), 1))
        for batch in file.iter_batches(batch_size=rows, columns=columns):
            yield batch.to_pandas()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{label} is not a whole Parquet file", str(error)) from None


def _rows(chunk: int, n_columns: int) -> int:
    """Rows a piece: fewer where there are many columns, so that a piece is of one size."""
    return max(min(chunk, chunk * _FEW_COLUMNS // n_columns), 1)
