"""Write new item parameters to a table of the database, in one transaction."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tallgrass.errors import DataError
from tallgrass.inputs import database

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


def publish(location: str, table: str, items: pd.DataFrame, about: dict[str, str]) -> int:
    """Write item parameters: update the rows of known items and insert the others.

    A missing table is created. In an existing table, only the columns that it shares with
    ``COLUMNS`` are written; item, a and b must be among them. Rows of other items stay.

    Parameters
    ----------
    location : str
        URL of the database.
    items : DataFrame
        item, a, b, a_sd, b_sd and n of the items to publish.
    about : dict of str to str
        engine, window and run_id, the same in every row.

    Returns
    -------
    int
        Number of rows written.

    Raises
    ------
    DataError
        When the table cannot be written; then it is unchanged.
    """
    published_at = datetime.now(UTC)
    records = [
        {str(k): v for k, v in row.items()} | about | {"published_at": published_at}
        for row in items[["item", "a", "b", "a_sd", "b_sd", "n"]].to_dict("records")
    ]
    with database.connected(location, read_only=False) as connection:
        target = _target(connection, table)
        names = [name for name in COLUMNS if name in target.c]
        rows = [{name: record[name] for name in names} for record in records]
        if isinstance(target.c.item.type, sa.Integer | sa.Numeric):
            rows = [row | {"item": _number(str(row["item"]), table)} for row in rows]
        _write(connection, target, rows)
    return len(rows)


def _target(connection: Connection, name: str) -> sa.Table:
    schema, _, table = name.rpartition(".")
    complete = sa.Table(
        table,
        sa.MetaData(),
        *(
            sa.Column(column, kind, primary_key=column == "item")
            for column, kind in COLUMNS.items()
        ),
        schema=schema or None,
    )
    inspector = sa.inspect(connection)
    if not inspector.has_table(table, schema=schema or None):
        complete.create(connection)
        return complete
    existing = {
        column["name"]: column["type"]
        for column in inspector.get_columns(table, schema=schema or None)
    }
    if missing := [column for column in REQUIRED if column not in existing]:
        raise DataError(
            f"table {name} without the column {missing[0]}",
            ", ".join(sorted(existing)),
            "publish to a table with item, a and b, or to a new one",
        )
    columns: list[sa.Column[Any]] = [
        # In the existing table items may be numbers.
        sa.Column(column, existing[column] if column == "item" else kind)
        for column, kind in COLUMNS.items()
        if column in existing
    ]
    return sa.Table(table, sa.MetaData(), *columns, schema=schema or None)


def _number(item: str, table: str) -> int:
    try:
        return int(item)
    except ValueError:
        raise DataError(
            f"the items of table {table} are numbers", item, "publish to a table with text items"
        ) from None


def _write(connection: Connection, target: sa.Table, rows: list[dict[str, object]]) -> None:
    lock = sa.select(target.c.item)
    if connection.dialect.name == "postgresql":
        lock = lock.with_for_update()  # calibrations that publish at the same time take turns
    existing = {str(name) for (name,) in connection.execute(lock)}
    old = [row for row in rows if str(row["item"]) in existing]
    new = [row for row in rows if str(row["item"]) not in existing]
    if old:
        values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "item"}
        change = sa.update(target).where(target.c.item == sa.bindparam("of_item")).values(values)
        bound = [{("of_item" if k == "item" else k): v for k, v in row.items()} for row in old]
        connection.execute(change, bound)
    if new:
        connection.execute(sa.insert(target), new)
