"""Read anchors, items with parameters from an earlier calibration, from a file or a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from tallgrass.errors import DataError, nearest
from tallgrass.inputs import database
from tallgrass.inputs.tables import is_file, read_table, without_file
from tallgrass.items.models import ItemModelName
from tallgrass.items.responses import Anchors
from tallgrass.items.sources import simulated
from tallgrass.items.sources.parquet import read_parquet

COLUMNS = ("item", "a", "b")
THRESHOLDS = tuple(f"b_{k}" for k in range(1, 101))
OPTIONAL = ("a_sd", "b_sd", "c", *THRESHOLDS)
_ONE_A = 0.01  # of log a: rounding


class AnchorColumns(NamedTuple):
    """What the columns of a table of anchors are called."""

    item: str = "item"
    a: str = "a"
    b: str = "b"


USUAL = AnchorColumns()


def queried_anchors(
    query: str,
    location: str,
    columns: AnchorColumns = USUAL,
    values: Mapping[str, Any] | None = None,
    model: ItemModelName = "2pl",
) -> Anchors:
    """Anchors that a query of the database selects, joins included.

    Parameters
    ----------
    query : str
        SQL; names of ``values`` with a colon before them are bound parameters.

    Raises
    ------
    DataError
        When the query is wrong, selects nothing, or a value cannot be used.
    """
    with database.connected(location) as connection:
        statement, used = database.bound(query, values or {})
        result = connection.execute(statement, used)
        table = pd.DataFrame.from_records(result.fetchall(), columns=list(result.keys()))
    if table.empty:
        raise DataError("anchor_query selects no anchors", query[:80], "check its conditions")
    table = _renamed(_completed(table, columns, model), columns, "anchor_query")
    return _suited(_anchors_of(_parameters(table, "anchor_query"), model), model)


def _renamed(table: pd.DataFrame, columns: AnchorColumns, source: str) -> pd.DataFrame:
    """The table with its columns called item, a and b."""
    for name in columns:
        if name not in table:
            raise DataError(
                f"anchors of {source} without the column {name}",
                ", ".join(map(str, table.columns)),
                f"{nearest(name, list(map(str, table.columns)))} name it with anchor_item_column, "
                "anchor_a_column or anchor_b_column",
            )
    others = [c for c in COLUMNS if c in table and c not in columns]
    return table.drop(columns=others).rename(columns=dict(zip(columns, COLUMNS, strict=True)))


def _completed(table: pd.DataFrame, columns: AnchorColumns, model: ItemModelName) -> pd.DataFrame:
    """The table with columns that say nothing of this model: 1 as a of ``1pl``, any b of graded."""
    fills = {"1pl": (columns.a, "1"), "graded": (columns.b, "0")}
    if model not in fills:
        return table
    name, value = fills[model]
    absent = name not in table or bool((table[name] == "").all())
    return table.assign(**{name: value}) if absent else table


def _anchors_of(table: pd.DataFrame, model: ItemModelName) -> Anchors:
    items, a, b = tuple(table["item"]), table["a"].to_numpy(float), table["b"].to_numpy(float)
    columns = ", ".join(map(str, table.columns))
    if model == "3pl":
        if "c" not in table:
            raise DataError("anchors of item_model=3pl need the column c", columns, "add it")
        return Anchors(items, a, b, table["c"].to_numpy(float))
    if model == "graded":
        names = [name for name in THRESHOLDS if name in table]
        if not names:
            raise DataError(
                "anchors of item_model=graded need columns of thresholds", columns,
                "call them b_1, b_2, ...",
            )  # fmt: skip
        thresholds = table[names].to_numpy(float)
        known = np.isfinite(thresholds)
        b = np.where(known, thresholds, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return Anchors(items, a, b, thresholds=thresholds)
    return Anchors(items, a, b)


def _suited(anchors: Anchors, model: ItemModelName) -> Anchors:
    """The anchors, if they are of this model."""
    if model == "1pl" and np.ptp(np.log(anchors.a)) > _ONE_A:
        raise DataError(
            "anchors of item_model=1pl must have one a",
            f"{anchors.a.min():g} to {anchors.a.max():g}",
            "use item_model=2pl, or take anchors that were calibrated by 1pl",
        )
    if (model == "3pl" and not anchors.c.size) or (
        model == "graded" and not anchors.thresholds.size
    ):
        raise DataError(f"anchors that are not of item_model={model}", "simulated", "name a file")
    return anchors


def load_anchors(
    source: str,
    location: str = "",
    columns: AnchorColumns = USUAL,
    model: ItemModelName = "2pl",
) -> Anchors:
    """Anchors with columns item, a and b; c of ``3pl``; b_1, b_2, ... in place of b of ``graded``.

    Of ``1pl`` a may be left out: then it is 1.

    Parameters
    ----------
    source : str
        A CSV or Parquet file; the name of a table of the database at ``location``; or
        ``simulated``, for the anchors that go with the simulated responses.

    Raises
    ------
    DataError
        When there is neither such a file nor such a table, a column is missing, or a value
        cannot be used.
    """
    if source == location == simulated.NAME:
        return _suited(simulated.simulated_responses()[1], model)
    return _suited(_anchors_of(read_parameters(source, location, columns, model), model), model)


def read_parameters(
    source: str,
    location: str = "",
    columns: AnchorColumns = USUAL,
    model: ItemModelName = "2pl",
) -> pd.DataFrame:
    """A table of item parameters: item (text), a, b and, if present, those of ``OPTIONAL``."""
    path = Path(source)
    if is_file(path):
        parquet = path.suffix == ".parquet"
        spare = {"1pl": columns.a, "graded": columns.b}.get(model)
        needed = [name for name in columns if name != spare]
        more = [*([spare] if spare else []), *OPTIONAL]
        table = pd.concat(read_parquet(path)) if parquet else read_table(path, needed, more)
        table = _completed(table, columns, model)
    elif location and "://" in location:
        table = _from_database(source, location, columns, model)
    else:
        words = without_file(path, "item parameters")
        raise DataError(words, source, "name a CSV or Parquet file with item,a,b")
    if columns != USUAL:
        table = _renamed(table, columns, source)
    return _parameters(table, source)


def _parameters(table: pd.DataFrame, source: str) -> pd.DataFrame:
    _require(list(table.columns), source)
    optional = [name for name in OPTIONAL if name in table and not (table[name] == "").all()]
    parameters = pd.DataFrame({"item": table["item"].astype(str).str.strip()})
    for name in ("a", "b", *optional):
        numbers = pd.to_numeric(_with_points(table[name]), errors="coerce")
        invalid = numbers.isna().to_numpy()
        if invalid.any() and name in COLUMNS:
            row = int(invalid.argmax())
            raise DataError(
                f"item {parameters['item'].iloc[row]} of {source} with an unusable {name}",
                str(table[name].iloc[row]),
                "a and b must be numbers",
            )
        parameters[name] = numbers.astype(float)
    return parameters.reset_index(drop=True)


def _with_points(values: pd.Series) -> pd.Series:
    """Numbers in text with a decimal point: some spreadsheets write 0,5, and 1.234,5."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    grouped = r"^\s*(-?\d{1,3})((?:\.\d{3})+),"
    values = values.astype(str).str.replace(
        grouped, lambda number: f"{number[1]}{number[2].replace('.', '')},", regex=True
    )
    return values.str.replace(r"^\s*(-?\d+),(\d+)\s*$", r"\1.\2", regex=True)


def _require(columns: list[str], source: str) -> None:
    for name in COLUMNS:
        if name not in columns:
            raise DataError(
                f"item parameters in {source} without the column {name}",
                ", ".join(columns),
                nearest(name, columns),
            )


def _from_database(
    table_name: str, location: str, wanted: AnchorColumns, model: ItemModelName
) -> pd.DataFrame:
    with database.connected(location) as connection:
        table, columns = database.table_of(connection, table_name)
        empty = _completed(pd.DataFrame(columns=columns, dtype=str), wanted, model)
        if wanted == USUAL:
            _require(list(empty.columns), table_name)
        else:
            _renamed(empty, wanted, table_name)  # raises
        selected = [n for n in dict.fromkeys((*wanted, *OPTIONAL)) if n in columns]
        rows = connection.execute(sa.select(*(table.c[name] for name in selected))).fetchall()
    return _completed(pd.DataFrame.from_records(rows, columns=selected), wanted, model)
