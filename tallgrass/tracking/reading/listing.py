"""The table of runs, one row per run, with typed columns."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from math import isfinite, isnan
from pathlib import PurePath
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.reading.database import StoredRun, Wanted, database_uri, stored_runs
from tallgrass.tracking.reading.searching import (
    as_text,
    equals,
    experiments,
    filter_explained,
    find_run,
    search,
)

if TYPE_CHECKING:
    from mlflow.entities import Run
    from pandas import DataFrame

# Column -> tag.
TAGS = {
    "verdict": "verdict",
    "verdict_reasons": "verdict.reasons",
    "fit": "fit",
    "fit_reasons": "fit.reasons",
    "data_sha256": "data.sha256",
    "spec_sha256": "spec.sha256",
    "git_commit": "git.commit",
    "baseline_run_id": "baseline.run_id",
    "parent_run_id": "mlflow.parentRunId",
    "recovered": "recovered",
    "interrupted_at": "interrupted_at",
    "error": "error",
}
# Tags that are read, but have no column of their own.
_READ = ("session", "baseline", "experiment.role")
METRICS = {
    "rhat_max": "float64",
    "ess_min": "float64",
    "ess_tail_min": "float64",
    "divergences": "Int64",
    "ebfmi_min": "float64",
    "abs_r": "float64",
    "elpd_loo": "float64",
    "ess_per_second": "float64",
    "sampling_s": "float64",
    "total_s": "float64",
}
# Columns that a filter of the table can name without quotes -> the metric as it is stored.
_STORED_AS = {"elpd_loo": "fit/elpd_loo", "ess_per_second": "ess/per_second"}
_TYPES: dict[Any, str] = {int: "Int64", float: "float64", bool: "boolean"}
_WORDS = {"true": True, "True": True, "false": False, "False": False}
_FIRST = ["run_id", "name", "status", "start_time", "end_time", "experiment"]
_STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]


def listed(  # noqa: PLR0913 - all are filters, passed by name
    fields: Mapping[str, Any],
    *,
    experiment: str | None = None,
    session: str | None = None,
    verdict: str | None = None,
    status: str | None = None,
    filter: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    parent: str | None = None,
    limit: int | None = None,
    **parameters: object,
) -> "DataFrame":
    """The runs of the store as a table, newest first, from all experiments.

    Parameters
    ----------
    fields : mapping of str to type
        Parameters of this kind of run; each becomes a column of its type.
    experiment : str, optional
        Name or id of an experiment.
    session : str, optional
        The session as the run was started with, or as the data names it.
    verdict : str, optional
        pass, fail or unresolved.
    status : str, optional
        MLflow's status: FINISHED, FAILED, KILLED or RUNNING.
    filter : str, optional
        An MLflow filter string, such as ``metrics.rhat_max < 1.01``.
    since, until : datetime or str, optional
        Only runs that started at or after ``since``, and at or before ``until``; a text is a time
        in UTC (``2026-03-01``, ``2026-03-01T12:00``).
    parent : str, optional
        Only the runs under this parent run of an experiment; its id or the beginning of it.
    limit : int, optional
        The most rows to return.
    **parameters : str or number
        Any parameter of a run by its name: ``chamber="senate"``, ``sampler="pymc"``.

    Returns
    -------
    DataFrame
        One row per run, without the parent runs of experiments: id, name, status, times (UTC),
        every run parameter with its type, verdict, fit, the headline metrics, ``promoted`` (bool),
        fingerprints. Values that a run does not have are missing.

    Raises
    ------
    TrackingError
        On an unknown parameter, status or experiment, or when MLflow refuses the filter.
    """
    import pandas as pd

    filters: dict[str, Any] = {
        "experiment": experiment,
        "session": session,
        "verdict": verdict,
        "status": status,
        "filter": filter,
        "since": since,
        "until": until,
        "parent": parent,
        "limit": limit,
    }
    with filter_explained(filter):
        rows = _rows(fields, **filters | parameters)
    table = pd.DataFrame(rows, columns=_columns(fields))
    return _typed(table, fields)


def records(fields: Mapping[str, Any], **filters: Any) -> list[dict[str, Any]]:
    """The rows of :func:`listed` as plain values with None for missing ones, without pandas.

    Parameters
    ----------
    fields : mapping of str to type
        As for :func:`listed`.
    **filters
        As for :func:`listed`.
    """
    types = _types(fields)
    with filter_explained(filters.get("filter")):
        rows = _rows(fields, **filters)
    return [{column: _plain(row.get(column), types[column]) for column in types} for row in rows]


def _rows(  # noqa: PLR0913 - all are filters, passed by name
    fields: Mapping[str, Any],
    *,
    experiment: str | None = None,
    session: str | None = None,
    verdict: str | None = None,
    status: str | None = None,
    filter: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    parent: str | None = None,
    limit: int | None = None,
    **parameters: object,
) -> list[dict[str, object]]:
    """The rows as MLflow stores them: params are text, times are milliseconds."""
    params = {name: value for name, value in parameters.items() if value is not None}
    conditions = [_condition(fields, name, value) for name, value in params.items()]
    if verdict is not None:
        conditions.append(equals("tags.verdict", verdict))
    if status is not None:
        if status.upper() not in _STATUSES:
            raise TrackingError("unknown status", status, nearest(status.upper(), _STATUSES))
        conditions.append(equals("attributes.status", status.upper()))
    limits = milliseconds("since", since), milliseconds("until", until)
    for relation, limit_ in zip((">=", "<="), limits, strict=True):
        if limit_ is not None:
            conditions.append(f"attributes.start_time {relation} {limit_}")
    if parent is not None:
        parent = str(find_run(parent).info.run_id)
        conditions.append(equals("tags.`mlflow.parentRunId`", parent))
    names = experiments(experiment)
    uri = database_uri()
    stored: Iterator[StoredRun]
    if filter or uri is None:
        stored = map(stored_run, search([*conditions, *([filter] if filter else [])], experiment))
    else:
        keys = {
            "params": [*fields],
            "metrics": [*map(_stored_as, METRICS)],
            "tags": [*TAGS.values(), *_READ],
        }
        required = {"verdict": verdict, "mlflow.parentRunId": parent}
        wanted = Wanted(
            params={key: as_text(value) for key, value in params.items()},
            tags={tag: value for tag, value in required.items() if value is not None},
            status=None if status is None else status.upper(),
            since=limits[0],
            until=limits[1],
            most=limit if session is None else None,  # the session is looked for in what is read
        )
        stored = stored_runs(uri, list(names), keys, wanted)
    selected = _of_session(_without_parents(stored), session)
    return [_row(fields, run, names) for run in islice(selected, limit)]


def _condition(fields: Mapping[str, Any], name: str, value: object) -> str:
    if name not in fields:
        known = [*fields, "experiment", "verdict", "status", "filter", "limit"]
        raise TrackingError("unknown filter", name, nearest(name, known))
    return equals(f"params.{name}", value)


def milliseconds(name: str, time: datetime | str | None) -> int | None:
    """A time in milliseconds, as MLflow counts; a time without a zone is in UTC."""
    if time is None:
        return None
    try:
        moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    except ValueError:
        mend = "use 2026-03-01 or 2026-03-01T12:00"
        raise TrackingError(f"{name}: not a time", time, mend) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def stored_run(run: "Run") -> StoredRun:
    """The run that MLflow's search gives, as the tables give it."""
    info, data = run.info, run.data
    times = info.start_time, info.end_time
    attributes = (info.run_id, info.run_name, info.status, *times)
    places = (str(info.experiment_id), info.artifact_uri)
    return StoredRun(*attributes, *places, data.params, data.metrics, data.tags)


def _without_parents(runs: Iterator[StoredRun]) -> Iterator[StoredRun]:
    """Leave out the parent runs of experiments, which have no draws of their own."""
    return (run for run in runs if run.tags.get("experiment.role") != "parent")


def _of_session(runs: Iterator[StoredRun], session: str | None) -> Iterator[StoredRun]:
    """Keep the runs of one session, given by name or by any path to it."""
    for run in runs:
        names = (run.tags.get("session"), run.params.get("session"))
        if session is None or session in names or _basename(session) in map(_basename, names):
            yield run


def _basename(session: str | None) -> str | None:
    return PurePath(session).name if session else None


def _columns(fields: Mapping[str, Any]) -> list[str]:
    parameters = [name for name in fields if name not in ("session", "chamber")]
    first = [*_FIRST, "session", "chamber", "model", "sampler", "init", "verdict", "fit", *METRICS]
    return list(dict.fromkeys([*first, "promoted", *parameters, *TAGS]))


def _row(
    fields: Mapping[str, Any], run: StoredRun, experiment_names: dict[str, str]
) -> dict[str, object]:
    tags, metrics = run.tags, run.metrics
    return {
        **{name: run.params.get(name) for name in fields},
        **{name: metrics.get(_stored_as(name)) for name in METRICS},
        **{column: tags.get(tag) for column, tag in TAGS.items()},
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "experiment": experiment_names.get(run.experiment_id),
        "session": tags.get("session", run.params.get("session")),
        "promoted": tags.get("baseline") == "true",
    }


def _stored_as(column: str) -> str:
    return _STORED_AS.get(column, column)


def _types(fields: Mapping[str, Any]) -> dict[str, str]:
    """The type of every column, as pandas calls it."""
    types = {name: _TYPES.get(_first(kind), "str") for name, kind in fields.items()}
    types |= {**METRICS, "promoted": "bool", "start_time": "object", "end_time": "object"}
    return {column: types.get(column, "str") for column in _columns(fields)}


def _first(kind: Any) -> Any:
    """The type of a parameter; of one that is a number or a word, such as auto, a number."""
    return get_args(kind)[0] if get_origin(kind) in (Union, UnionType) else kind


def _plain(value: Any, kind: str) -> Any:
    """A stored value as one of its type; None where it is missing or no such value."""
    if value is None or kind in ("str", "bool"):
        return value
    if kind == "object":
        return datetime.fromtimestamp(value / 1000, UTC)
    if kind == "boolean":
        return _WORDS.get(value)
    try:
        number = float(value)
    except ValueError:
        return None
    if not isfinite(number):
        return None if isnan(number) else number
    return int(number) if kind == "Int64" else number


def _typed(table: "DataFrame", fields: Mapping[str, Any]) -> "DataFrame":
    import pandas as pd

    types = _types(fields)
    for column, kind in types.items():
        if kind in ("Int64", "float64"):
            # A parameter is text in MLflow, and one bad value must not cost the whole table.
            table[column] = pd.to_numeric(table[column], errors="coerce")
        elif kind == "boolean":
            table[column] = table[column].map(_WORDS)
    table = table.astype(types)
    for column in ("start_time", "end_time"):
        table[column] = pd.to_datetime(pd.to_numeric(table[column]), unit="ms", utc=True)
    return table
