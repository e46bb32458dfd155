"""Read responses and anchors from a database, with a server-side cursor and no right to write."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from tallgrass.errors import DataError, nearest
from tallgrass.items.sources.request import ResponseRequest, moment
from tallgrass.items.sources.wide import could_be_wide, is_wide, to_long

CHUNK = 100_000  # rows per piece, of a table with few columns
_FEW_COLUMNS = 8
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
PARAMETERS = ("window", "since", "until", "min_responses")


def shown_url(location: str) -> str:
    """The address of a database with the password as ``***``."""
    return _url(location).render_as_string(hide_password=True)


def read_chunks(request: ResponseRequest, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The requested rows, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the database cannot be reached, the query or a column is wrong, or the connection is
        lost.
    """
    with connected(request.location) as connection:
        statement, parameters = _statement(connection, request)
        result = connection.execute(
            statement, parameters, execution_options={"stream_results": True, "yield_per": chunk}
        )
        names = list(result.keys())
        is_wide_table: bool | None = None
        n_read = 0
        pieces = result.partitions(max(chunk * _FEW_COLUMNS // max(len(names), _FEW_COLUMNS), 1))
        while True:
            try:
                rows = next(pieces, None)
            except sa.exc.DBAPIError as error:
                raise _error(error, _url(request.location), True, n_read) from None
            if rows is None:
                return
            piece = pd.DataFrame.from_records(rows, columns=names)
            if is_wide_table is None:
                is_wide_table = is_wide(piece, request)
            if is_wide_table:
                piece = to_long(piece, request, n_read)
            n_read += len(rows)
            yield piece[_wanted(list(piece.columns), request)]


def table_of(connection: Connection, name: str) -> tuple[sa.TableClause, list[str]]:
    """A table by its name (``schema.table`` or ``table``), and the names of its columns.

    Raises
    ------
    DataError
        When the table does not exist.
    """
    schema, _, table = name.rpartition(".")
    inspector = sa.inspect(connection)
    try:
        columns = [column["name"] for column in inspector.get_columns(table, schema=schema or None)]
    except sa.exc.NoSuchTableError:
        columns = []
    if not columns:
        known = [*inspector.get_table_names(schema=schema or None), *inspector.get_view_names()]
        raise DataError("no such table in the database", name, nearest(name, known))
    clauses: list[sa.ColumnClause[Any]] = [sa.column(column) for column in columns]
    return sa.table(table, *clauses, schema=schema or None), columns


@contextmanager
def connected(location: str, read_only: bool = True) -> Iterator[Connection]:
    """A connection that commits at the end; its errors are DataErrors without passwords.

    Raises
    ------
    DataError
        When the database cannot be reached, refuses a statement, or goes away.
    """
    url = _url(location)
    engine = _engine(url)
    connection: Connection | None = None
    try:
        with engine.connect() as opened:
            connection = _reading(opened) if read_only else opened
            yield connection
            connection.commit()
    except sa.exc.DBAPIError as error:
        raise _error(error, url, connection is not None) from None
    except sa.exc.SQLAlchemyError as error:
        raise DataError("the database cannot be used", _clean(str(error), url)) from None
    finally:
        engine.dispose()


def _url(location: str) -> URL:
    try:
        url = sa.make_url(location)
    except (sa.exc.ArgumentError, ValueError):
        masked = re.sub(r"://.*@", "://***@", location)
        raise DataError(
            "not the address of a database", masked, "write postgresql://user:password@host/name"
        ) from None
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _engine(url: URL) -> Engine:
    options = {"connect_timeout": 10} if url.get_backend_name() == "postgresql" else {}
    try:
        return sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=options)
    except ModuleNotFoundError as error:
        mend = 'make postgresql, or pip install "tallgrass[postgresql]"'
        raise DataError("no driver for this database", error.name, mend) from None
    except (sa.exc.ArgumentError, ValueError) as error:
        raise DataError("the database cannot be used", _clean(str(error), url)) from None


def _reading(connection: Connection) -> Connection:
    """The connection made read-only, so that a query cannot write either."""
    if connection.dialect.name == "postgresql":
        reading = connection.execution_options(postgresql_readonly=True)
        reading.exec_driver_sql("SET TIME ZONE 'UTC'")  # for times without a zone, as in files
        return reading
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    return connection


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
    statement = sa.text(request.query)
    used = set(statement.compile().params)
    if unknown := sorted(used - set(PARAMETERS)):
        known = ", ".join(f":{name}" for name in PARAMETERS)
        raise DataError("unknown parameter in the query", f":{unknown[0]}", f"known: {known}")
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
    return statement, {name: parameters[name] for name in used}


def _wanted(names: list[str], request: ResponseRequest) -> list[str]:
    if not request.query:
        return request.needed(names)
    # A query may have conditions on columns that it does not return.
    selected = [name for name in request.required if name in names]
    if len(selected) < len(request.required):
        return request.needed(names)  # raises
    return selected + [request.time] * (request.time in names)


def _error(error: sa.exc.DBAPIError, url: URL, connected: bool, n_read: int = 0) -> DataError:
    reason = _clean(str(error.orig).strip().splitlines()[0] if str(error.orig) else "", url)
    address = url.render_as_string(hide_password=True)
    if not connected:
        return DataError(f"cannot connect to the database ({reason})", address, "check the address")
    if error.connection_invalidated or isinstance(
        error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError
    ):
        progress = f" after {n_read:,} rows" if n_read else ""
        return DataError(f"the database failed{progress} ({reason})", address, "try again")
    return DataError("the database refused the query", reason, "check its columns and tables")


def _clean(text: str, url: URL) -> str:
    secrets = [url.password, *(v for k, v in url.query.items() if "pass" in k.lower())]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text
