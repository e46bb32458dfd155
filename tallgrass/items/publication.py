"""Write new item parameters to a table of the database, in one transaction.

A table of ours is made where there is none. A table of the user's is written as it is: its columns
are the common ones, or those that ``publish_map`` names, with constants, and with the columns of
the one row that ``publish_constants`` selects. Names are quoted by SQLAlchemy, so that reserved
words, capitals and schemas are what they say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tallgrass.errors import DataError, nearest
from tallgrass.inputs import database
from tallgrass.items.publish_map import Constant, key_columns, parse_map

COLUMNS: dict[str, Any] = {
    "item": sa.Text,
    "a": sa.Double,
    "b": sa.Double,
    "a_sd": sa.Double,
    "b_sd": sa.Double,
    "n": sa.BigInteger,
    "engine": sa.Text,
    "window": sa.Text,
    "run_id": sa.Text,
    "published_at": sa.DateTime(timezone=True),
}
REQUIRED = ("item", "a", "b")
_SHOWN = 5  # rows of a dry run


@dataclass(frozen=True)
class Target:
    """Where item parameters are written, and how.

    Parameters
    ----------
    location, table : str
        URL of the database; ``schema.table`` or ``table``.
    mapping : str
        As of :mod:`tallgrass.items.publish_map`; empty for the common columns.
    constants : str
        SQL that selects one row of constants; may use ``:window``.
    key : str
        Columns by which a row is known, with commas; by default that of the item.
    append : bool
        Insert all rows, instead of updating those that are known.
    model_columns : tuple of str
        Columns of the item model that the table must have, such as ``c``.
    window : str
        The label of the window, for ``constants``.
    """

    location: str
    table: str
    mapping: str = ""
    constants: str = ""
    key: str = ""
    append: bool = False
    model_columns: tuple[str, ...] = ()
    window: str = ""


@dataclass(frozen=True)
class Written:
    """How many rows were written, and of a dry run the statements that would be.

    ``statements`` is SQL as text with the first rows as comments.
    """

    rows: int
    statements: str = ""


@dataclass(frozen=True, eq=False)
class _Plan:
    """The table as it is, and what goes into its columns."""

    table: sa.Table
    entries: Mapping[str, "str | Constant"]
    key: tuple[str, ...]
    new: bool = False
    whole: frozenset[str] = field(default_factory=frozenset)  # columns that hold whole numbers


def check(target: Target) -> None:
    """Refuse a target that could not be written, before anything is estimated.

    Raises
    ------
    DataError
        When a column is missing, cannot be null and gets no value, or the constants are not one
        row.
    """
    with database.connected(target.location) as connection:
        _plan(connection, target)


def publish(
    target: Target, items: pd.DataFrame, about: Mapping[str, str], dry: bool = False
) -> Written:
    """Write item parameters: update the rows that are known and insert the others.

    Without a mapping a missing table is created, and in an existing one only the columns that it
    shares with ``COLUMNS`` are written; item, a and b must be among them. Other rows stay.

    Parameters
    ----------
    items : DataFrame
        The items to publish, with the columns of ``tables/items``.
    about : mapping of str to str
        engine, item_model, window and run_id, the same in every row.
    dry : bool
        Write nothing, and tell what would be written.

    Raises
    ------
    DataError
        When the table cannot be written; then it is unchanged.
    """
    same = {**about, "published_at": datetime.now(UTC)}
    with database.connected(target.location, read_only=dry) as connection:
        plan = _plan(connection, target)
        rows = [_row(plan, record, same) for record in items.to_dict("records")]
        if dry:
            return Written(0, _told(connection, plan, target, rows))
        if plan.new:
            plan.table.create(connection)
        _write(connection, plan, rows, target.append)
    return Written(len(rows))


def _plan(connection: Connection, target: Target) -> _Plan:
    schema, _, name = target.table.rpartition(".")
    inspector = sa.inspect(connection)
    constants = _constants(connection, target)
    mapping = parse_map(target.mapping)
    if not inspector.has_table(name, schema=schema or None):
        if mapping or constants:
            known = inspector.get_table_names(schema=schema or None)
            raise DataError("no such table to publish to", target.table, nearest(name, known))
        columns = {**COLUMNS, **dict.fromkeys(target.model_columns, sa.Double)}
        table = sa.Table(
            name, sa.MetaData(),
            *(sa.Column(c, kind, primary_key=c == "item") for c, kind in columns.items()),
            schema=schema or None,
        )  # fmt: skip
        return _Plan(table, {c: c for c in columns}, ("item",), new=True)
    existing = {c["name"]: c for c in inspector.get_columns(name, schema=schema or None)}
    values: dict[str, str | Constant] = dict(mapping)
    if not mapping:
        wanted = [*COLUMNS, *target.model_columns]
        for column in (*REQUIRED, *target.model_columns):
            if column not in existing:
                raise DataError(
                    f"table {target.table} without the column {column}",
                    ", ".join(sorted(existing)),
                    "publish to a table with item, a and b"
                    + "".join(f", {c}" for c in target.model_columns)
                    + ", name the columns with publish_map, or publish to a new table",
                )
        values = {column: column for column in wanted if column in existing}
    values |= constants
    _require_model(target, values)
    for column in values:
        if column not in existing:
            raise DataError(
                f"table {target.table} without the column {column}", ", ".join(sorted(existing)),
                nearest(column, list(existing)),
            )  # fmt: skip
    for described in existing.values():
        filled = (
            described["name"] in values or described["nullable"] or described["default"] is not None
        )
        if not (filled or described.get("autoincrement") is True or described.get("identity")):
            if connection.dialect.name == "sqlite" and described.get("primary_key"):
                continue  # an INTEGER PRIMARY KEY numbers itself
            raise DataError(
                f"table {target.table}: column {described['name']} cannot be null and gets no "
                "value",
                ", ".join(values),
                f"give it with publish_map ({described['name']}=...) or publish_constants",
            )
    key = key_columns(target.key, values)
    if unknown := [column for column in key if column not in values]:
        raise DataError(
            "publish_key: a column that is not written", unknown[0], f"one of {', '.join(values)}"
        )
    table = sa.Table(
        name, sa.MetaData(), *(sa.Column(c, existing[c]["type"]) for c in values),
        schema=schema or None,
    )  # fmt: skip
    whole = frozenset(
        c for c in values
        if isinstance(existing[c]["type"], sa.Integer)
        or (isinstance(existing[c]["type"], sa.Numeric) and values[c] == "item")
    )  # fmt: skip
    return _Plan(table, values, key, whole=whole)


def _require_model(target: Target, values: Mapping[str, "str | Constant"]) -> None:
    for column in target.model_columns:
        if column not in values.values():
            raise DataError(
                "publish_map leaves out a parameter of the item model", column,
                f"add a column for it: {column}={column}",
            )  # fmt: skip


def _constants(connection: Connection, target: Target) -> dict[str, "str | Constant"]:
    if not target.constants:
        return {}
    statement, used = database.bound(target.constants, {"window": target.window or None})
    rows = connection.execute(statement, used).mappings().fetchmany(2)
    if len(rows) != 1:
        raise DataError(
            "publish_constants must select one row",
            "none" if not rows else "more than one",
            f"is there a window {target.window!r}?" if "window" in used else "add a condition",
        )
    return {str(name): Constant(value) for name, value in rows[0].items()}


def _row(plan: _Plan, record: Mapping[Any, Any], same: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column, value in plan.entries.items():
        if isinstance(value, Constant):
            row[column] = value.value
            continue
        if value not in record and value not in same:
            raise DataError("publish_map: this calibration has no such value", value)
        entry = record[value] if value in record else same[value]
        missing = isinstance(entry, float) and math.isnan(entry)
        row[column] = None if missing else entry
        if column in plan.whole and value == "item":
            row[column] = _number(str(entry), plan.table.name)
    return row


def _number(item: str, table: str) -> int:
    try:
        return int(item)
    except ValueError:
        raise DataError(
            f"the items of table {table} are numbers", item, "publish to a table with text items"
        ) from None


def _write(connection: Connection, plan: _Plan, rows: list[dict[str, Any]], append: bool) -> None:
    table, key = plan.table, plan.key
    old: list[dict[str, Any]] = []
    if append and _holds(connection, plan, rows):
        return  # the run was killed after it had written, and is recovered
    if not append:
        lock = sa.select(*(table.c[column] for column in key))
        if connection.dialect.name == "postgresql":
            lock = lock.with_for_update()  # calibrations that publish at the same time take turns
        existing = {tuple(map(str, row)) for row in connection.execute(lock)}
        old = [row for row in rows if tuple(str(row[column]) for column in key) in existing]
    known = {id(row) for row in old}
    new = [row for row in rows if id(row) not in known]
    if old:
        connection.execute(_update(plan), [_bound(plan, row) for row in old])
    if new:
        connection.execute(sa.insert(table), new)


def _holds(connection: Connection, plan: _Plan, rows: list[dict[str, Any]]) -> bool:
    """Whether the table says that it has rows of this run."""
    column = next((name for name, value in plan.entries.items() if value == "run_id"), None)
    if column is None or not rows:
        return False
    written = sa.select(sa.literal(1)).where(plan.table.c[column] == rows[0][column]).limit(1)
    return connection.execute(written).first() is not None


def _update(plan: _Plan) -> sa.Update:
    table = plan.table
    changed: dict[str, Any] = {
        c: sa.bindparam(f"to_{i}") for i, c in enumerate(plan.entries) if c not in plan.key
    }
    conditions = [table.c[c] == sa.bindparam(f"key_{i}") for i, c in enumerate(plan.key)]
    return sa.update(table).where(*conditions).values(changed)


def _bound(plan: _Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    values = {f"to_{i}": row[c] for i, c in enumerate(plan.entries) if c not in plan.key}
    return values | {f"key_{i}": row[c] for i, c in enumerate(plan.key)}


def _told(connection: Connection, plan: _Plan, target: Target, rows: list[dict[str, Any]]) -> str:
    """The statements of a dry run, and the first rows."""
    dialect = connection.dialect
    statements = [sa.insert(plan.table).values(dict.fromkeys(plan.entries))]
    parts = []
    if plan.new:
        parts.append(str(sa.schema.CreateTable(plan.table).compile(dialect=dialect)).strip())
    if not target.append and not plan.new:
        parts.append(str(_update(plan).compile(dialect=dialect)))
    parts += [str(statement.compile(dialect=dialect)) for statement in statements]
    shown = [
        "-- " + ", ".join(f"{column}={value!r}" for column, value in row.items())
        for row in rows[:_SHOWN]
    ]
    more = [f"-- and {len(rows) - _SHOWN:,} rows more"] if len(rows) > _SHOWN else []
    return ";\n".join(parts) + ";\n" + "\n".join([*shown, *more]) + "\n"
