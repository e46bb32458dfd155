"""Responses and anchors from a database, read-only, through SQLAlchemy and a server's cursor."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from tallgrass.errors import DataError, nearest
from tallgrass.sources.responses.request import ResponseRequest, moment

CHUNK = 100_000  # rows a piece
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
PARAMETERS = ("window", "since", "until", "min_responses")


def shown_url(location: str) -> str:
    """The address of a database with the password as ``***``."""
    return _url(location).render_as_string(hide_password=True)


def read_chunks(request: ResponseRequest, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
    """The rows that are wanted, as tables with the columns that the request names.

    Raises
    ------
    DataError
        When the database cannot be reached, the query or a column is wrong, or the connection is
        lost.
    """
    with connected(request.location) as connection:
        statement, bound = _statement(connection, request)
        result = connection.execute(
            statement, bound, execution_options={"stream_results": True, "yield_per": chunk}
        )
        names = list(result.keys())
        wanted = request.needed(names) if not request.query else _of_query(names, request)
        done = 0
        pieces = result.partitions(chunk)
        while True:
            try:
                rows = next(pieces, None)
            except sa.exc.DBAPIError as error:
                raise _error(error, _url(request.location), True, done) from None
            if rows is None:
                return
            done += len(rows)
            yield pd.DataFrame.from_records(rows, columns=names)[wanted]


def table_of(connection: Connection, name: str) -> tuple[sa.TableClause, list[str]]:
    """A table by its name (``schema.table`` or ``table``), and the names of its columns.

    Raises
    ------
    DataError
        When there is none.
    """
    schema, _, bare = name.rpartition(".")
    inspector = sa.inspect(connection)
    schemas = [schema] if schema else [None]
    try:
        columns = [one["name"] for one in inspector.get_columns(bare, schema=schemas[0])]
    except sa.exc.NoSuchTableError:
        columns = []
    if not columns:
        known = [*inspector.get_table_names(schema=schemas[0]), *inspector.get_view_names()]
        raise DataError("no such table in the database", name, nearest(name, known))
    clauses: list[sa.ColumnClause[Any]] = [sa.column(column) for column in columns]
    return sa.table(bare, *clauses, schema=schema or None), columns


@contextmanager
def connected(location: str, read_only: bool = True) -> Iterator[Connection]:
    """A connection whose errors are DataErrors without passwords; committed at the end.

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
    """Make the connection one that cannot write, so that no query can either."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(postgresql_readonly=True)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    return connection


def _statement(
    connection: Connection, request: ResponseRequest
) -> tuple[sa.Executable, dict[str, Any]]:
    bound: dict[str, Any] = {
        "window": request.window or None,
        "since": moment(request.since, "since"),
        "until": moment(request.until, "until"),
        "min_responses": request.min_responses,
    }
    bound = {name: _value(value, connection) for name, value in bound.items()}
    if request.query:
        return _query(request, bound)
    table, columns = table_of(connection, request.table)
    wanted = request.needed(columns)
    statement = sa.select(*(table.c[name] for name in wanted))
    if request.window:
        statement = statement.where(table.c[request.window_column] == sa.bindparam("window"))
    time = table.c[request.time] if request.time in columns else None
    if request.since:
        statement = statement.where(time >= sa.bindparam("since"))
    if request.until:
        statement = statement.where(time < sa.bindparam("until"))
    used = [name for name in ("window", "since", "until") if getattr(request, name)]
    return statement, {name: bound[name] for name in used}


def _query(
    request: ResponseRequest, bound: Mapping[str, Any]
) -> tuple[sa.Executable, dict[str, Any]]:
    statement = sa.text(request.query)
    asked = set(statement._bindparams)
    if strange := sorted(asked - set(PARAMETERS)):
        known = ", ".join(f":{name}" for name in PARAMETERS)
        raise DataError("unknown parameter in the query", f":{strange[0]}", f"known: {known}")
    for name in ("window", "since", "until"):
        given = bound[name] is not None
        if given and name not in asked:
            raise DataError(
                f"{name} is given, but the query has no :{name}",
                getattr(request, name),
                f"write :{name} where it belongs in the query, or leave {name} out",
            )
        if name in asked and not given:
            raise DataError(f"the query needs {name}", f":{name}", f"give it with --{name}")
    return statement, {name: bound[name] for name in asked}


def _value(value: Any, connection: Connection) -> Any:
    # SQLite has no times; they are stored as ISO text, which sorts as they do.
    if connection.dialect.name == "sqlite" and hasattr(value, "isoformat"):
        return value.isoformat(" ")
    return value


def _of_query(names: list[str], request: ResponseRequest) -> list[str]:
    wanted = [name for name in request.required if name in names]
    if len(wanted) < len(request.required):
        return request.needed(names)  # raises
    return wanted + [request.time] * (request.time in names)


def _error(error: sa.exc.DBAPIError, url: URL, connected: bool, done: int = 0) -> DataError:
    reason = _clean(str(error.orig).strip().splitlines()[0] if str(error.orig) else "", url)
    address = url.render_as_string(hide_password=True)
    if not connected:
        return DataError(f"cannot connect to the database ({reason})", address, "check the address")
    if error.connection_invalidated or isinstance(
        error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError
    ):
        where = f" after {done:,} rows" if done else ""
        return DataError(f"the database failed{where} ({reason})", address, "try again")
    return DataError("the database refused the query", reason, "check its columns and tables")


def _clean(text: str, url: URL) -> str:
    secrets = [url.password, *(v for k, v in url.query.items() if "pass" in k.lower())]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text
