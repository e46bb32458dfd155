"""Connections to databases: checked addresses, cursors on the server, no right to write."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from tallgrass.errors import DataError, nearest

CHUNK = 100_000  # rows per piece, of a table with few columns
_FEW_COLUMNS = 8
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def shown_url(location: str) -> str:
    """The address of a database with the password as ``***``."""
    return _url(location).render_as_string(hide_password=True)


def name_of(location: str) -> str:
    """What a database is called: its name on the server, or that of its file."""
    return Path(_url(location).database or "database").stem


def read_pieces(
    connection: Connection,
    statement: sa.Executable,
    parameters: Mapping[str, Any],
    chunk: int = CHUNK,
) -> Iterator[pd.DataFrame]:
    """The rows of a statement in pieces of ``chunk`` rows, of fewer where there are many columns.

    Raises
    ------
    DataError
        When the query is wrong or the connection is lost.
    """
    result = connection.execute(
        statement, dict(parameters), execution_options={"stream_results": True, "yield_per": chunk}
    )
    names = list(result.keys())
    n_read = 0
    pieces = result.partitions(max(chunk * _FEW_COLUMNS // max(len(names), _FEW_COLUMNS), 1))
    while True:
        try:
            rows = next(pieces, None)
        except sa.exc.DBAPIError as error:
            raise _error(error, connection.engine.url, True, n_read) from None
        if rows is None:
            return
        yield pd.DataFrame.from_records(rows, columns=names)
        n_read += len(rows)


def bound(query: str, parameters: Mapping[str, Any]) -> tuple[sa.TextClause, dict[str, Any]]:
    """A query as a statement, and those of the parameters that are in it.

    Raises
    ------
    DataError
        When the query has another parameter.
    """
    statement = sa.text(query)
    used = set(statement.compile().params)
    if unknown := sorted(used - set(parameters)):
        known = ", ".join(f":{name}" for name in parameters)
        raise DataError("unknown parameter in the query", f":{unknown[0]}", f"known: {known}")
    return statement, {name: parameters[name] for name in parameters if name in used}


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
    if read_only:
        _require_file(url)
    engine = _engine(url)
    connection: Connection | None = None
    try:
        with engine.connect() as opened:
            connection = _reading(opened) if read_only else _writing(opened)
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


def _require_file(url: URL) -> None:
    """A DataError where an SQLite file is not there: connecting would make an empty one."""
    name = url.database or ""
    if url.query.get("uri"):  # sqlite:///file:name?uri=true
        name = "" if url.query.get("mode") == "memory" else name.removeprefix("file:")
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return
    if not Path(name).exists():
        raise DataError(
            "no such database file",
            str(Path(name).absolute()),
            "sqlite:///name is in this folder, sqlite:////folder/name an absolute path",
        )


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


def _writing(connection: Connection) -> Connection:
    """The connection within one transaction, which a table that is made is in as well.

    Python begins one for SQLite only at the first row that is written: a table made before would
    stay where the rows do not.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    return connection


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
