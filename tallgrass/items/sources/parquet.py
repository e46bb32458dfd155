"""Read tables from Parquet files in pieces, after a check of the sizes in the metadata."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits

_FEW_COLUMNS = 8  # a table with at most this many has pieces of ``chunk`` rows


def read_parquet(
    path: Path,
    choose: Callable[[Sequence[str]], list[str]] = list,
    limits: Limits = DEFAULT_LIMITS,
    chunk: int = 1_000_000,
    index: str = "",
) -> Iterator[pd.DataFrame]:
    """The columns of a Parquet file that ``choose`` selects by name, in pieces of ``chunk`` rows.

    ``index`` is the name that the index of a pandas table gets, where the file has no such column.

    Raises
    ------
    DataError
        When it is not a whole Parquet file, is too large, or has a column of lists or records.
    """
    import pyarrow
    import pyarrow.parquet

    label = shown(path.name)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            metadata = file.metadata
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            limits.check_table(label, metadata.num_rows, metadata.num_columns)
            limits.check_size(label, sum(group.total_byte_size for group in groups))
            schema = file.schema_arrow
            renamed = _index_named(schema, index)
            stored = {new: old for old, new in renamed.items()}
            wanted = choose([renamed.get(name, name) for name in schema.names])
            columns = [stored.get(name, name) for name in wanted]
            for name in columns:
                _require_flat(schema.field(name), label)
            if not groups:
                yield schema.empty_table().select(columns).to_pandas().rename(columns=renamed)
            rows = rows_a_piece(chunk, len(columns))
            for batch in file.iter_batches(batch_size=rows, columns=columns):
                # The pandas metadata in the file may ask for other types, so it is ignored.
                yield batch.to_pandas(ignore_metadata=True).rename(columns=renamed)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataError(f"{label} is not a whole Parquet file", str(error)) from None


def _index_named(schema: Any, name: str) -> dict[str, str]:
    """The column that holds the index of a pandas table, and the name that it gets."""
    kept = (schema.pandas_metadata or {}).get("index_columns", [])
    columns = [column for column in kept if isinstance(column, str) and column in schema.names]
    if not name or name in schema.names or len(columns) != 1:
        return {}
    return {columns[0]: name}


def rows_a_piece(chunk: int, n_columns: int) -> int:
    """Rows per piece: fewer for many columns, so that all pieces have about the same size."""
    return max(min(chunk, chunk * _FEW_COLUMNS // max(n_columns, 1)), 1)


def _require_flat(field: Any, label: str) -> None:
    import pyarrow.types

    if pyarrow.types.is_nested(field.type):
        raise DataError(
            f"{label} has a column of lists or records", field.name, "write one value a cell"
        )
