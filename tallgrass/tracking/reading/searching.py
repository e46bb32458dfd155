"""Search our runs in a store, in all experiments, page by page."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Concatenate

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.checks import brief
from tallgrass.tracking.reading import database, found
from tallgrass.tracking.reading.found import FoundRun
from tallgrass.tracking.store import client, translated

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

OURS = "tags.schema_version != ''"  # the tag of all our runs, and of no others
FULL_ID = re.compile(r"[0-9a-f]{32}")
FILTER_EXAMPLE = "for example: metrics.rhat_max < 1.01 and params.init = 'pca'"
_REFUSED = "INVALID_PARAMETER_VALUE"  # how MLflow calls an error of its caller
_MEND = "tallgrass runs lists the runs of this store"
_MOST_NAMED = 5  # runs that an ambiguous beginning of an id names
_ID_PREFIX = re.compile(r"[0-9a-f]{4,31}")


def search(
    conditions: list[str], experiment: str | None = None, page_size: int = 500
) -> "Iterator[Run]":
    """Our runs that meet all conditions (MLflow filter strings), newest first.

    Raises
    ------
    TrackingError
        When the experiment is unknown, or MLflow refuses the filter or cannot be reached.
    """
    ids = list(experiments(experiment))
    text = " and ".join([OURS, *conditions])
    token: str | None = None
    while ids:
        with translated(f"search for runs with {text}"):
            page = client().search_runs(
                ids, text, max_results=page_size, order_by=["start_time DESC"], page_token=token
            )
        yield from page
        token = page.token
        if not token:
            return


@contextmanager
def filter_explained(text: str | None) -> "Iterator[None]":
    """Say of an MLflow filter that MLflow does not take what is wrong, and show one that it takes.

    Raises
    ------
    TrackingError
        In place of the error of a search with this filter.
    """
    try:
        yield
    except TrackingError as error:
        cause = error.__cause__
        refused = getattr(cause, "error_code", "") == _REFUSED
        if not text or not refused or not isinstance(cause, Exception):
            raise
        reason = brief(cause).partition(". Valid")[0]  # sets, in any order, follow
        raise TrackingError(f"bad filter ({reason})", text, FILTER_EXAMPLE) from None


def experiments(name: str | None = None) -> dict[str, str]:
    """Names of all experiments of the store by id, or the one of that name or id.

    Raises
    ------
    TrackingError
        When there is no experiment of that name or id.
    """
    uri = database.database_uri()
    names = _directly(uri, database.experiment_names) if uri is not None else None
    if names is None:
        names = {str(e.experiment_id): str(e.name) for e in _experiments_of_mlflow()}
    if name is None:
        return names
    matches = {key: known for key, known in names.items() if name in (known, key)}
    if not matches:
        raise TrackingError("unknown experiment", name, nearest(name, list(names.values())))
    return matches


def home(experiment: str | None) -> str | None:
    """Id of the experiment to show: the named one, else that of our newest run, or None."""
    if experiment is not None:
        return next(iter(experiments(experiment)))
    newest = next(search([], page_size=1), None)
    return None if newest is None else str(newest.info.experiment_id)


def experiment_in_use(name: str | None) -> str | None:
    """The name, else that of the MLflow experiment that the environment sets, or None."""
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if name is None and (experiment_id := os.environ.get("MLFLOW_EXPERIMENT_ID")):
        return experiment_name(experiment_id)
    return name


def experiment_name(experiment_id: str) -> str:
    """Name of the experiment with this id."""
    with translated(f"find experiment {experiment_id}"):
        return str(client().get_experiment(experiment_id).name)


def newest_parent(experiment: str, name: str) -> str | None:
    """Id of the newest parent run of a declared experiment in an MLflow experiment, or None."""
    if experiment not in experiments().values():
        return None
    conditions = ["tags.`experiment.role` = 'parent'", equals("tags.`experiment.name`", name)]
    newest = next(search(conditions, experiment, page_size=1), None)
    return None if newest is None else str(newest.info.run_id)


def equals(field: str, value: object) -> str:
    """The MLflow condition ``field = value``.

    Raises
    ------
    TrackingError
        When the value contains both kinds of quotes, which MLflow cannot express.
    """
    text = as_text(value)
    quote = "'" if "'" not in text else '"'
    if quote in text:
        raise TrackingError("a filter value with both kinds of quotes", text, "leave one out")
    return f"{field} = {quote}{text}{quote}"


def as_text(value: object) -> str:
    """A value as text, as params store it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_run(text: str) -> FoundRun:
    """The run with this id, or with the only id that begins with this (at least 4 characters).

    Raises
    ------
    TrackingError
        When there is no such run, more than one, or it was deleted.
    """
    if FULL_ID.fullmatch(text):
        return _get(text)
    if not _ID_PREFIX.fullmatch(text):
        raise TrackingError(
            "not a run id", text, "use the 32 hexadecimal digits, or at least the first 4"
        )
    matches = _ids_beginning_with(text)
    if len(matches) > 1:
        raise TrackingError(
            "run id that could mean more than one run", text, "use more of " + " or ".join(matches)
        )
    if not matches:
        raise TrackingError("unknown run", text, _MEND)
    return _get(matches[0])


def _ids_beginning_with(text: str) -> list[str]:
    uri = database.database_uri()
    if uri is not None:
        ids = _directly(uri, database.ids_beginning_with, text, _MOST_NAMED)
        if ids is not None:
            return ids
    runs = search([f"attributes.run_id LIKE '{text}%'"])
    return [run.info.run_id for run in islice(runs, _MOST_NAMED)]


def _get(run_id: str) -> FoundRun:
    uri = database.database_uri()
    run = None if uri is None else _directly(uri, found.of_database, run_id)
    # Where the tables have no such run, MLflow is asked: it may be a store of another version.
    run = run or _of_mlflow(run_id)
    if run.info.lifecycle_stage == "deleted":
        raise TrackingError(
            "the run was deleted", run_id, f"restore it: mlflow runs restore --run-id {run_id}"
        )
    return run


def _of_mlflow(run_id: str) -> FoundRun:
    from mlflow.exceptions import MlflowException

    with translated(f"read run {run_id}"):
        try:
            return found.of_mlflow(client().get_run(run_id))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise TrackingError("unknown run", run_id, _MEND) from None


def _experiments_of_mlflow() -> "Iterator[Experiment]":
    token: str | None = None
    while True:
        with translated("list the experiments"):
            page = client().search_experiments(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _directly[**P, T](
    uri: str, read: Callable[Concatenate[str, P], T], *rest: P.args, **named: P.kwargs
) -> T | None:
    """What is read from the tables of a database; None where they are not as expected.

    Then MLflow is asked, which reads them in its own way or says what is wrong.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return read(uri, *rest, **named)
    except SQLAlchemyError:
        return None
