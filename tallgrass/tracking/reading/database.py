"""Many runs at once, straight from an MLflow database: a second for ten thousand.

MLflow's own search builds an object for every param, metric and tag of every run, which takes
minutes for ten thousand runs. Here three queries read only what the table of runs shows. The
plain way (``searching.search``) is the reference that this must equal, and what is used for
servers and for filters in MLflow's own language.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PARTS = {"params": "params", "metrics": "latest_metrics", "tags": "tags"}
_OURS = "schema_version"


@dataclass(frozen=True)
class Held:
    """What the table shows of a run: MLflow's own facts, and the params, metrics, tags asked for.

    ``start_time`` and ``end_time`` are milliseconds since 1970.
    """

    run_id: str
    name: str | None
    status: str
    start_time: int | None
    end_time: int | None
    experiment_id: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def database_uri() -> str | None:
    """URI of the connected store's database; None where a server stands before it."""
    import mlflow

    uri = str(mlflow.get_tracking_uri())
    return uri if uri.partition(":")[0].partition("+")[0] in ("sqlite", "postgresql") else None


def held_runs(
    uri: str,
    experiment_ids: Collection[str],
    wanted: Mapping[str, Collection[str]],
    limits: "tuple[int | None, int | None]" = (None, None),
) -> Iterator[Held]:
    """Our runs of some experiments, the newest first.

    Parameters
    ----------
    uri : str
        Of a database of MLflow's.
    experiment_ids : collection of str
        Where to look.
    wanted : mapping
        Keys to read of ``params``, ``metrics`` and ``tags``.
    limits : tuple
        Earliest and latest start in milliseconds since 1970, both included.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        When the database is not what this MLflow makes.
    """
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri)
    try:
        with engine.connect() as connection:
            parts = {
                part: _by_run(connection, table, [*wanted[part], *([_OURS] * (part == "tags"))])
                for part, table in _PARTS.items()
            }
            query = sqlalchemy.text(
                "SELECT run_uuid, name, status, start_time, end_time, experiment_id FROM runs "
                "WHERE lifecycle_stage = 'active' ORDER BY start_time DESC, run_uuid"
            )
            facts = connection.execute(query).all()
    finally:
        engine.dispose()
    among = set(map(str, experiment_ids))
    low, high = limits
    for run_id, name, status, start, end, experiment in facts:
        tags = parts["tags"].get(run_id, {})
        if str(experiment) not in among or not tags.get(_OURS):
            continue
        if (low is not None and (start or 0) < low) or (high is not None and (start or 0) > high):
            continue
        yield Held(
            run_id=run_id,
            name=name,
            status=status,
            start_time=start,
            end_time=end,
            experiment_id=str(experiment),
            params=parts["params"].get(run_id, {}),
            metrics=parts["metrics"].get(run_id, {}),
            tags=tags,
        )


def _by_run(
    connection: "Connection", table: str, keys: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Values by run and key."""
    import sqlalchemy

    query = sqlalchemy.text(
        f'SELECT run_uuid, "key", value FROM {table} WHERE "key" IN :keys'
    ).bindparams(sqlalchemy.bindparam("keys", list(keys), expanding=True))
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for run_id, key, value in connection.execute(query):
        found[run_id][key] = value
    return found
