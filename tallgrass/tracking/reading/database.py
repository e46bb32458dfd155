"""Read runs directly from an MLflow database: ten thousand in a second, and without MLflow.

MLflow's search builds an object for every param, metric and tag of every run, which takes minutes
for ten thousand runs, and its import takes seconds. Here a few queries read only the columns and
rows that are asked for. The result must equal that of MLflow, which is used for servers and for
MLflow filters.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.tracking.store import readable_database, translated

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

database_uri = readable_database
_PARTS = {"params": "params", "metrics": "latest_metrics", "tags": "tags"}
_OURS = "schema_version"
_BATCH = 400  # runs whose values are read at a time; databases limit the length of a query
_SPARE = 20  # runs that are read beside those that were asked for, and may be left out later
_MANY = 2000  # from here on whole tables are read faster than runs one after the other
_COLUMNS = "r.run_uuid, r.name, r.status, r.start_time, r.end_time, r.experiment_id, r.artifact_uri"


@dataclass(frozen=True)
class StoredRun:
    """A run as the table shows it: MLflow's attributes, and the requested params, metrics, tags.

    ``start_time`` and ``end_time`` are milliseconds since 1970.
    """

    run_id: str
    name: str | None
    status: str
    start_time: int | None
    end_time: int | None
    experiment_id: str
    artifact_uri: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which runs are wanted.

    Parameters
    ----------
    params, tags : mapping of str to str
        Values that a run must have.
    status : str or None
        Its status.
    since, until : int or None
        Earliest and latest start in milliseconds since 1970, inclusive.
    most : int or None
        How many will be read at most; more may be given.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    since: int | None = None
    until: int | None = None
    most: int | None = None


def stored_runs(
    uri: str,
    experiment_ids: Collection[str],
    keys: Mapping[str, Collection[str]],
    wanted: Wanted | None = None,
) -> Iterator[StoredRun]:
    """Our runs of some experiments, newest first.

    Parameters
    ----------
    uri : str
        URI of an MLflow database.
    experiment_ids : collection of str
        The experiments.
    keys : mapping
        Keys to read of ``params``, ``metrics`` and ``tags``.
    wanted : Wanted, optional
        Which of them; all without it.

    Raises
    ------
    TrackingError
        When the tables of the database are not those of this MLflow.
    """
    with translated("read the runs", "is it the database of this MLflow? mlflow db upgrade"):
        yield from _stored_runs(uri, experiment_ids, keys, wanted or Wanted())


def _stored_runs(
    uri: str,
    experiment_ids: Collection[str],
    keys: Mapping[str, Collection[str]],
    wanted: Wanted,
) -> Iterator[StoredRun]:
    experiments = set(map(str, experiment_ids))
    asked = {part: [*keys[part], *([_OURS] * (part == "tags"))] for part in _PARTS}
    with _connected(uri) as connection:
        rows = [row for row in _rows(connection, wanted) if str(row[5]) in experiments]
        few = len(rows) < _MANY or (wanted.most is not None and wanted.most < _MANY)
        if few:
            size = _BATCH if wanted.most is None else min(_BATCH, wanted.most + _SPARE)
            batches: Iterator[Sequence[Any]] = batched(rows, size)
        else:
            batches = iter([rows])
        for batch in batches:
            ids = [row[0] for row in batch] if few else None
            parts = {
                part: _by_run(connection, table, asked[part], ids) for part, table in _PARTS.items()
            }
            for row in batch:
                yield _run(row, {part: parts[part].get(row[0], {}) for part in _PARTS})


def experiment_names(uri: str) -> dict[str, str]:
    """Names of the experiments that were not deleted, by id."""
    import sqlalchemy

    query = sqlalchemy.text(
        "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active'"
    )
    with _connected(uri) as connection:
        return {str(experiment): str(name) for experiment, name in connection.execute(query)}


def ids_beginning_with(uri: str, prefix: str, most: int) -> list[str]:
    """Ids of our runs that begin so, newest first; the prefix is of hexadecimal digits alone."""
    import sqlalchemy

    query = sqlalchemy.text(
        f"SELECT r.run_uuid FROM runs r WHERE r.lifecycle_stage = 'active' AND {_is_ours()} "
        "AND r.run_uuid LIKE :prefix ORDER BY r.start_time DESC, r.run_uuid LIMIT :most"
    )
    values = {"ours": _OURS, "prefix": f"{prefix}%", "most": most}
    with _connected(uri) as connection:
        return [str(row[0]) for row in connection.execute(query, values)]


def whole_run(uri: str, run_id: str) -> tuple[StoredRun, str] | None:
    """A run with all its params, metrics and tags, and its stage: active or deleted.

    None where there is no run with this id.
    """
    import sqlalchemy

    query = sqlalchemy.text(
        f"SELECT {_COLUMNS}, r.lifecycle_stage FROM runs r WHERE r.run_uuid = :id"
    )
    with _connected(uri) as connection:
        row = connection.execute(query, {"id": run_id}).first()
        if row is None:
            return None
        parts = {
            part: _by_run(connection, table, None, [run_id]).get(run_id, {})
            for part, table in _PARTS.items()
        }
    return _run(row, parts), str(row[-1])


def _run(row: Sequence[Any], parts: Mapping[str, dict[str, Any]]) -> StoredRun:
    """A run from a row of ``_COLUMNS`` and its params, metrics and tags."""
    run_id, name, status, start, end, experiment, artifact_uri = row[:7]
    return StoredRun(
        run_id=run_id,
        name=name or parts["tags"].get("mlflow.runName"),
        status=status,
        start_time=start,
        end_time=end,
        experiment_id=str(experiment),
        artifact_uri=str(artifact_uri),
        params=parts["params"],
        metrics=parts["metrics"],
        tags=parts["tags"],
    )


@contextmanager
def _connected(uri: str) -> "Iterator[Connection]":
    with _engine(uri, str(Path.cwd())).connect() as connection:
        yield connection


@cache
def _engine(uri: str, _folder: str) -> "Engine":
    """An engine that keeps no connection open; a relative path is that of its folder for good."""
    import sqlalchemy

    return sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)


def _is_ours() -> str:
    return "EXISTS (SELECT 1 FROM tags o WHERE o.run_uuid = r.run_uuid AND " + (
        "o.\"key\" = :ours AND o.value <> '')"
    )


def _rows(connection: "Connection", wanted: Wanted) -> Sequence[Any]:
    """Attributes of the runs that are wanted, in the order of ``_COLUMNS``."""
    import sqlalchemy

    conditions = ["r.lifecycle_stage = 'active'", _is_ours()]
    values: dict[str, str | int] = {"ours": _OURS}
    limits = {"status =": wanted.status, "start_time >=": wanted.since}
    limits["start_time <="] = wanted.until
    for i, (test, limit) in enumerate(limits.items()):
        if limit is not None:
            conditions.append(f"r.{test} :limit{i}")
            values[f"limit{i}"] = limit
    required = [("params", pair) for pair in wanted.params.items()]
    required += [("tags", pair) for pair in wanted.tags.items()]
    for i, (table, (key, value)) in enumerate(required):
        conditions.append(
            f"EXISTS (SELECT 1 FROM {table} v WHERE v.run_uuid = r.run_uuid AND "
            f'v."key" = :key{i} AND v.value = :value{i})'
        )
        values |= {f"key{i}": key, f"value{i}": value}
    query = sqlalchemy.text(
        f"SELECT {_COLUMNS} FROM runs r WHERE {' AND '.join(conditions)} "
        "ORDER BY r.start_time DESC, r.run_uuid"
    )
    return connection.execute(query, values).all()


def _by_run(
    connection: "Connection",
    table: str,
    keys: Collection[str] | None,
    run_ids: Collection[str] | None,
) -> dict[str, dict[str, Any]]:
    """Values by run and key: of these keys and runs, or of all."""
    import sqlalchemy

    conditions, lists = [], {}
    for column, name, wanted in (('"key"', "keys", keys), ("run_uuid", "ids", run_ids)):
        if wanted is not None:
            conditions.append(f"{column} IN :{name}")
            lists[name] = list(wanted)
    is_nan = "is_nan" if table == _PARTS["metrics"] else "0"
    query = sqlalchemy.text(
        f'SELECT run_uuid, "key", value, {is_nan} FROM {table} WHERE {" AND ".join(conditions)}'
    ).bindparams(*(sqlalchemy.bindparam(name, lists[name], expanding=True) for name in lists))
    values: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for run_id, key, value, not_a_number in connection.execute(query):
        values[run_id][key] = float("nan") if not_a_number else value
    return values
