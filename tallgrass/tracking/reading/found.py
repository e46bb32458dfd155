"""A run that was found in the store: what MLflow knows of it, in the form of MLflow's own object.

It is made from MLflow's object, or from the tables of a database without MLflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallgrass.tracking.reading import database

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Info:
    """Attributes of a run; times are milliseconds since 1970."""

    run_id: str
    run_name: str
    status: str
    start_time: int | None
    end_time: int | None
    experiment_id: str
    artifact_uri: str
    lifecycle_stage: str


@dataclass(frozen=True)
class Data:
    """All params, latest metrics and tags of a run."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class FoundRun:
    """A run with its attributes and data."""

    info: Info
    data: Data


def of_mlflow(run: "Run") -> FoundRun:
    """The run that MLflow's client gives."""
    known, data = run.info, run.data
    info = Info(
        run_id=known.run_id,
        run_name=known.run_name or "",
        status=known.status,
        start_time=known.start_time,
        end_time=known.end_time,
        experiment_id=str(known.experiment_id),
        artifact_uri=known.artifact_uri,
        lifecycle_stage=known.lifecycle_stage,
    )
    return FoundRun(info, Data(data.params, data.metrics, data.tags))


def of_database(uri: str, run_id: str) -> FoundRun | None:
    """The run with this id in a database; None where there is none.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        When the tables of the database are not those of this MLflow.
    """
    whole = database.whole_run(uri, run_id)
    if whole is None:
        return None
    stored, stage = whole
    info = Info(
        run_id=stored.run_id,
        run_name=stored.name or "",
        status=stored.status,
        start_time=stored.start_time,
        end_time=stored.end_time,
        experiment_id=stored.experiment_id,
        artifact_uri=stored.artifact_uri,
        lifecycle_stage=stage,
    )
    return FoundRun(info, Data(stored.params, stored.metrics, stored.tags))
