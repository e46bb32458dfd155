"""Runs as a table: one row a run, every column with its type."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.reading.database import Held, database_uri, held_runs
from tallgrass.tracking.reading.searching import as_text, equals, experiments, find_run, search

if TYPE_CHECKING:
    from mlflow.entities import Run
    from pandas import DataFrame

# Column -> tag. What a run was about stands in tags too, so that it is there from the first moment.
TAGS = {
    "verdict": "verdict",
    "verdict_reasons": "verdict.reasons",
    "data_sha256": "data.sha256",
    "spec_sha256": "spec.sha256",
    "git_commit": "git.commit",
    "baseline_run_id": "baseline.run_id",
    "parent_run_id": "mlflow.parentRunId",
    "error": "error",
}
# Tags that are read and are no column of that name.
_READ = ("session", "baseline", "experiment.role")
METRICS = {
    "rhat_max": "float64",
    "ess_min": "float64",
    "ess_tail_min": "float64",
    "divergences": "Int64",
    "ebfmi_min": "float64",
    "abs_r": "float64",
    "sampling_s": "float64",
    "total_s": "float64",
}
_TYPES: dict[Any, str] = {int: "Int64", float: "float64", bool: "boolean"}
_FIRST = ["run_id", "name", "status", "start_time", "end_time", "experiment"]
_STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]


def listed(  # noqa: PLR0913 - every one is a filter, and is named
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
    """The runs of the store as a table, the newest first, whichever experiment they are in.

    Parameters
    ----------
    fields : mapping of str to type
        The parameters that runs of this kind have, each a column of its type.
    experiment : str, optional
        Name or id of an experiment.
    session : str, optional
        As it was given to the run, or as the data calls itself.
    verdict : str, optional
        pass, fail or unresolved.
    status : str, optional
        MLflow's status: FINISHED, FAILED, KILLED or RUNNING.
    filter : str, optional
        An MLflow filter string, such as ``metrics.rhat_max < 1.01``.
    since, until : datetime or str, optional
        Only runs that started then or later, then or earlier; a text is read as a time in UTC
        (``2026-03-01``, ``2026-03-01T12:00``).
    parent : str, optional
        Id of the parent run of an experiment, or its beginning: only the runs under it.
    limit : int, optional
        The most rows to return.
    **parameters : str or number
        Any parameter of a run by its name: ``chamber="senate"``, ``sampler="pymc"``.

    Returns
    -------
    DataFrame
        One row a run (the parent runs of experiments are none): id, name, status, times (UTC),
        every run parameter with its type, verdict, the headline metrics, ``promoted`` (bool),
        fingerprints. What a run lacks is missing.

    Raises
    ------
    TrackingError
        On an unknown parameter, status or experiment, or when MLflow refuses the filter.
    """
    import pandas as pd

    wanted = {name: value for name, value in parameters.items() if value is not None}
    conditions = [_condition(fields, name, value) for name, value in wanted.items()]
    if verdict is not None:
        conditions.append(equals("tags.verdict", verdict))
    if status is not None:
        if status.upper() not in _STATUSES:
            raise TrackingError("unknown status", status, nearest(status.upper(), _STATUSES))
        conditions.append(equals("attributes.status", status.upper()))
    limits = _milliseconds("since", since), _milliseconds("until", until)
    for relation, limit_ in zip((">=", "<="), limits, strict=True):
        if limit_ is not None:
            conditions.append(f"attributes.start_time {relation} {limit_}")
    if parent is not None:
        parent = str(find_run(parent).info.run_id)
        conditions.append(equals("tags.`mlflow.parentRunId`", parent))
    among = experiments(experiment)
    names = {str(one.experiment_id): one.name for one in among}
    uri = database_uri()
    everything: Iterator[Held]
    if filter or uri is None:
        everything = map(_held, search([*conditions, *([filter] if filter else [])], experiment))
    else:
        read = {"params": list(fields), "metrics": list(METRICS)}
        held = held_runs(uri, list(names), read | {"tags": [*TAGS.values(), *_READ]}, limits)
        tags = {"verdict": verdict, "mlflow.parentRunId": parent}
        everything = _meeting(held, wanted, tags, status)
    found = _of_session(_runs_proper(everything), session)
    table = pd.DataFrame([_row(fields, run, names) for run in islice(found, limit)])
    return _typed(table.reindex(columns=_columns(fields)), fields)


def _condition(fields: Mapping[str, Any], name: str, value: object) -> str:
    if name not in fields:
        known = [*fields, "experiment", "verdict", "status", "filter", "limit"]
        raise TrackingError("unknown filter", name, nearest(name, known))
    return equals(f"params.{name}", value)


def _milliseconds(name: str, time: datetime | str | None) -> int | None:
    """A time as MLflow counts it; one without a zone is in UTC."""
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


def _held(run: "Run") -> Held:
    info, data = run.info, run.data
    times = info.start_time, info.end_time
    own = (info.run_id, info.run_name, info.status, *times, str(info.experiment_id))
    return Held(*own, data.params, data.metrics, data.tags)


def _meeting(
    found: Iterator[Held],
    parameters: Mapping[str, object],
    tags: Mapping[str, str | None],
    status: str | None,
) -> Iterator[Held]:
    """The runs that meet the conditions, as MLflow's own search decides them."""
    texts = {name: as_text(value) for name, value in parameters.items()}
    given = {name: value for name, value in tags.items() if value is not None}
    for run in found:
        if (
            all(run.params.get(name) == text for name, text in texts.items())
            and all(run.tags.get(name) == value for name, value in given.items())
            and (status is None or run.status == status.upper())
        ):
            yield run


def _runs_proper(found: Iterator[Held]) -> Iterator[Held]:
    """Leave out the parent runs of experiments, which sampled nothing themselves."""
    return (run for run in found if run.tags.get("experiment.role") != "parent")


def _of_session(found: Iterator[Held], session: str | None) -> Iterator[Held]:
    """Keep the runs of one session, which may be given by name or by any path to it."""
    for run in found:
        given = (run.tags.get("session"), run.params.get("session"))
        if session is None or session in given or _basename(session) in map(_basename, given):
            yield run


def _basename(session: str | None) -> str | None:
    return PurePath(session).name if session else None


def _columns(fields: Mapping[str, Any]) -> list[str]:
    parameters = [name for name in fields if name not in ("session", "chamber")]
    first = [*_FIRST, "session", "chamber", "model", "sampler", "init", "verdict", *METRICS]
    return list(dict.fromkeys([*first, "promoted", *parameters, *TAGS]))


def _row(
    fields: Mapping[str, Any], run: Held, experiment_names: dict[str, str]
) -> dict[str, object]:
    tags, metrics = run.tags, run.metrics
    return {
        **{name: run.params.get(name) for name in fields},
        **{name: metrics.get(name) for name in METRICS},
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


def _typed(table: "DataFrame", fields: Mapping[str, Any]) -> "DataFrame":
    import pandas as pd

    types = {name: _TYPES.get(kind, "str") for name, kind in fields.items()}
    types |= {**METRICS, "promoted": "bool", "start_time": "object", "end_time": "object"}
    types = {column: types.get(column, "str") for column in table.columns}
    for column, kind in types.items():
        if kind in ("Int64", "float64"):
            # A parameter is text in MLflow, and what is not a number must not cost the table.
            table[column] = pd.to_numeric(table[column], errors="coerce")
        elif kind == "boolean":
            words = {"true": True, "True": True, "false": False, "False": False}
            table[column] = table[column].map(words)
    table = table.astype(types)
    for column in ("start_time", "end_time"):
        table[column] = pd.to_datetime(pd.to_numeric(table[column]), unit="ms", utc=True)
    return table
