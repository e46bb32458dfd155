"""Finding our runs in a store, whichever experiment they are in, page by page."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.store import client, translated

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

OURS = "tags.schema_version != ''"  # every run of ours has this tag, and only ours have it
FULL_ID = re.compile(r"[0-9a-f]{32}")
_ID_PREFIX = re.compile(r"[0-9a-f]{4,31}")


def search(
    conditions: list[str], experiment: str | None = None, page_size: int = 500
) -> "Iterator[Run]":
    """Our runs that meet all conditions (MLflow filter strings), the newest first.

    Raises
    ------
    TrackingError
        When the experiment is unknown, MLflow refuses the filter or cannot be reached.
    """
    ids = [str(found.experiment_id) for found in experiments(experiment)]
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


def experiments(name: str | None = None) -> "list[Experiment]":
    """All experiments of the store, or the one of that name or id."""
    found: list[Experiment] = []
    token: str | None = None
    while True:
        with translated("list the experiments"):
            page = client().search_experiments(page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            break
    if name is None:
        return found
    wanted = [one for one in found if name in (one.name, str(one.experiment_id))]
    if not wanted:
        raise TrackingError("unknown experiment", name, nearest(name, [one.name for one in found]))
    return wanted


def home(experiment: str | None) -> str | None:
    """Id of the experiment to show: the one named, else that of the newest run of ours, if any."""
    if experiment is not None:
        return str(experiments(experiment)[0].experiment_id)
    newest = next(search([]), None)
    return None if newest is None else str(newest.info.experiment_id)


def experiment_in_use(given: str | None) -> str | None:
    """Name of the MLflow experiment that runs go to by what surrounds us, or None where free."""
    named = given or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if named is None and (identity := os.environ.get("MLFLOW_EXPERIMENT_ID")):
        return experiment_name(identity)
    return named


def experiment_name(experiment_id: str) -> str:
    """Name of the experiment of this id."""
    with translated(f"find experiment {experiment_id}"):
        return str(client().get_experiment(experiment_id).name)


def newest_parent(experiment: str, name: str) -> str | None:
    """Id of the newest parent run of a declared experiment in an MLflow experiment, or None."""
    if experiment not in [one.name for one in experiments()]:
        return None
    wanted = ["tags.`experiment.role` = 'parent'", equals("tags.`experiment.name`", name)]
    found = next(search(wanted, experiment), None)
    return None if found is None else str(found.info.run_id)


def equals(field: str, value: object) -> str:
    """The MLflow condition ``field = value``.

    Raises
    ------
    TrackingError
        When the value holds both kinds of quotes: MLflow has no way to write that.
    """
    text = as_text(value)
    quote = "'" if "'" not in text else '"'
    if quote in text:
        raise TrackingError("a filter value with both kinds of quotes", text, "leave one out")
    return f"{field} = {quote}{text}{quote}"


def as_text(value: object) -> str:
    """A value as params hold it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_run(text: str) -> "Run":
    """The run of this id, or of an id that begins so (at least four characters, and one run).

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
    found = search([f"attributes.run_id LIKE '{text}%'"])
    matches = [run.info.run_id for run in islice(found, 5)]
    if len(matches) > 1:
        raise TrackingError(
            "run id that could mean more than one run", text, "use more of " + " or ".join(matches)
        )
    if not matches:
        raise TrackingError("unknown run", text, "tallgrass runs lists the runs of this store")
    return _get(matches[0])


def _get(run_id: str) -> "Run":
    from mlflow.exceptions import MlflowException

    mend = "tallgrass runs lists the runs of this store"
    with translated(f"read run {run_id}"):
        try:
            run = client().get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise TrackingError("unknown run", run_id, mend) from None
    if run.info.lifecycle_stage == "deleted":
        raise TrackingError(
            "the run was deleted", run_id, f"restore it: mlflow runs restore --run-id {run_id}"
        )
    return run
