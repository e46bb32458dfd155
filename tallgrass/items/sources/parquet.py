"""Tables from Parquet files, in pieces, after a look at what the file says it holds."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits

_FEW_COLUMNS = 8  # a table of so many has pieces of ``chunk`` rows


def read_parquet(
    path: Path,
    choose: Callable[[Sequence[str]], list[str]] = list,
    limits: Limits = DEFAULT_LIMITS,
    chunk: int = 1_000_000,
) -> Iterator[pd.DataFrame]:
    """The columns of a Parquet file that ``choose`` takes of their names, ``chunk`` rows a piece.

    Raises
    ------
    DataError
        When it is no whole Parquet file, is too large, or has a column of lists or records.
    """
    import pyarrow
    import pyarrow.parquet

    label = shown(path.name)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            about = file.metadata
            groups = [about.row_group(i) for i in range(about.num_row_groups)]
            limits.check_table(label, about.num_rows, about.num_columns)
            limits.check_size(label, sum(group.total_byte_size for group in groups))
            schema = file.schema_arrow
            columns = choose(schema.names)
            for name in columns:
                _require_flat(schema.field(name), label)
            if not groups:
                yield schema.empty_table().select(columns).to_pandas()
            rows = rows_a_piece(chunk, len(columns))
            for batch in file.iter_batches(batch_size=rows, columns=columns):
                # What is written about the table for pandas is not asked: it names other types.
                yield batch.to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataError(f"{label} is not a whole Parquet file", str(error)) from None


def rows_a_piece(chunk: int, n_columns: int) -> int:
    """Rows a piece: fewer where there are many columns, so that a piece is of one size."""
    return max(min(chunk, chunk * _FEW_COLUMNS // max(n_columns, 1)), 1)


def _require_flat(field: Any, label: str) -> None:
    import pyarrow.types

    if pyarrow.types.is_nested(field.type):
        raise DataError(
            f"{label} has a column of lists or records", field.name, "write one value a cell"
        )
