"""Runs as a table: one row a run, every column with its type."""

from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tallgrass.errors import TrackingError, nearest
from tallgrass.history.searching import equals, experiments, search
from tallgrass.specs import RunSpec

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
    "error": "error",
}
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


def runs(
    *,
    experiment: str | None = None,
    session: str | None = None,
    verdict: str | None = None,
    status: str | None = None,
    filter: str | None = None,
    limit: int | None = None,
    **parameters: object,
) -> "DataFrame":
    """The runs of the store as a table, the newest first, whichever experiment they are in.

    Parameters
    ----------
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
    limit : int, optional
        The most rows to return.
    **parameters : str or number
        Any parameter of a run by its name: ``chamber="senate"``, ``sampler="pymc"``.

    Returns
    -------
    DataFrame
        One row a run: id, name, status, times (UTC), every run parameter with its type, verdict,
        the headline metrics, ``promoted`` (bool), fingerprints. What a run lacks is missing.

    Raises
    ------
    TrackingError
        On an unknown parameter, status or experiment, or when MLflow refuses the filter.
    """
    import pandas as pd

    conditions = [
        _condition(name, value) for name, value in parameters.items() if value is not None
    ]
    if verdict is not None:
        conditions.append(equals("tags.verdict", verdict))
    if status is not None:
        if status.upper() not in _STATUSES:
            raise TrackingError("unknown status", status, nearest(status.upper(), _STATUSES))
        conditions.append(equals("attributes.status", status.upper()))
    if filter:
        conditions.append(filter)
    names = {str(one.experiment_id): one.name for one in experiments()}
    found = _of_session(search(conditions, experiment), session)
    table = pd.DataFrame([_row(run, names) for run in islice(found, limit)], columns=_columns())
    return _typed(table)


def _condition(name: str, value: object) -> str:
    if name not in RunSpec.model_fields:
        known = [*RunSpec.model_fields, "experiment", "verdict", "status", "filter", "limit"]
        raise TrackingError("unknown filter", name, nearest(name, known))
    return equals(f"params.{name}", value)


def _of_session(found: "Iterator[Run]", session: str | None) -> "Iterator[Run]":
    """Keep the runs of one session, which may be given by name or by any path to it."""
    for run in found:
        given = (run.data.tags.get("session"), run.data.params.get("session"))
        if session is None or session in given or _basename(session) in map(_basename, given):
            yield run


def _basename(session: str | None) -> str | None:
    return PurePath(session).name if session else None


def _columns() -> list[str]:
    parameters = [name for name in RunSpec.model_fields if name not in ("session", "chamber")]
    first = [*_FIRST, "session", "chamber", "model", "sampler", "init", "verdict", *METRICS]
    return list(dict.fromkeys([*first, "promoted", *parameters, *TAGS]))


def _row(run: "Run", experiment_names: dict[str, str]) -> dict[str, object]:
    tags, metrics = run.data.tags, run.data.metrics
    return {
        **{name: run.data.params.get(name) for name in RunSpec.model_fields},
        **{name: metrics.get(name) for name in METRICS},
        **{column: tags.get(tag) for column, tag in TAGS.items()},
        "run_id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "experiment": experiment_names.get(str(run.info.experiment_id)),
        "session": tags.get("session", run.data.params.get("session")),
        "promoted": tags.get("baseline") == "true",
    }


def _typed(table: "DataFrame") -> "DataFrame":
    import pandas as pd

    fields = RunSpec.model_fields
    types = {name: _TYPES.get(field.annotation, "str") for name, field in fields.items()}
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
