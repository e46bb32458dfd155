"""Read responses from a database: a table, or a query with bound parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tallgrass.errors import DataError
from tallgrass.inputs.database import CHUNK, bound, connected, read_pieces, table_of
from tallgrass.items.sources.request import ResponseRequest, moment
from tallgrass.items.sources.wide import could_be_wide, is_wide, to_long


def read_chunks(request: ResponseRequest, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The requested rows, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the database cannot be reached, the query or a column is wrong, or the connection is
        lost.
    """
    with connected(request.location) as connection:
        is_wide_table: bool | None = None
        n_read = 0
        for piece in read_pieces(connection, *_statement(connection, request), chunk):
            if is_wide_table is None:
                is_wide_table = is_wide(piece, request)
            rows = to_long(piece, request, n_read) if is_wide_table else piece
            n_read += len(piece)
            yield rows[_wanted(list(rows.columns), request)]


def _statement(
    connection: Connection, request: ResponseRequest
) -> tuple[sa.Executable, dict[str, Any]]:
    is_sqlite = connection.dialect.name == "sqlite"
    parameters: dict[str, Any] = {
        "window": request.window or None,
        # SQLite stores times as text.
        **{
            name: (text if is_sqlite else time) if (time := moment(text, name)) else None
            for name, text in (("since", request.since), ("until", request.until))
        },
        "min_responses": request.min_responses,
    }
    if request.query:
        return _query(request, parameters)
    table, columns = table_of(connection, request.table)
    wide_columns = columns if could_be_wide(columns, request) else []
    selected = wide_columns or request.needed(columns)
    conditions = [name for name in ("window", "since", "until") if getattr(request, name)]
    column_of = {"window": request.window_column, "since": request.time, "until": request.time}
    if any(column_of[name] not in columns for name in conditions):
        request.needed(columns)  # raises
    statement = sa.select(*(table.c[name] for name in selected))
    for name in conditions:
        column: Any = table.c[column_of[name]]
        value: Any = sa.bindparam(name)
        if name != "window":
            _refuse_numbers(connection, request)
            if is_sqlite:
                # 2026-01-31 10:00 and 2026-01-31T10:00Z are one moment, but different texts.
                column, value = sa.func.julianday(column), sa.func.julianday(value)
        compare = {"window": column == value, "since": column >= value, "until": column < value}
        statement = statement.where(compare[name])
    return statement, {name: parameters[name] for name in conditions}


def _refuse_numbers(connection: Connection, request: ResponseRequest) -> None:
    """A DataError when the time column holds numbers, whose unit is unknown."""
    schema, _, table = request.table.rpartition(".")
    for column in sa.inspect(connection).get_columns(table, schema=schema or None):
        kind = column["type"]
        if column["name"] == request.time and isinstance(kind, sa.types.Numeric | sa.Integer):
            raise DataError(
                f"since and until need times, but {request.time} holds numbers",
                str(kind),
                "write a query that says what they mean, such as "
                f"SELECT ... WHERE {request.time} >= 1769817600",
            )


def _query(
    request: ResponseRequest, parameters: Mapping[str, Any]
) -> tuple[sa.Executable, dict[str, Any]]:
    statement, used = bound(request.query, parameters)
    for name in ("window", "since", "until"):
        has_value = parameters[name] is not None
        if has_value and name not in used:
            raise DataError(
                f"{name} is given, but the query has no :{name}",
                getattr(request, name),
                f"write :{name} where it belongs in the query, or leave {name} out",
            )
        if name in used and not has_value:
            raise DataError(f"the query needs {name}", f":{name}", f"give it with --{name}")
    return statement, used


def _wanted(names: list[str], request: ResponseRequest) -> list[str]:
    if not request.query:
        return request.needed(names)
    # A query may have conditions on columns that it does not return.
    selected = [name for name in request.required if name in names]
    if len(selected) < len(request.required):
        return request.needed(names)  # raises
    covariates = request.covariates_in(names)
    return [*selected, *[request.time] * (request.time in names), *covariates]
