"""How the MLflow UI shows an experiment: its description, its kind and its saved views.

Without a view the table of runs shows none of our columns. MLflow keeps a shared view in a tag of
the experiment, an envelope of a name, a time and a state; the state has the chosen columns with
their order and widths, the sorting and the filter. The envelope of a view of ours also has its
version, which MLflow's pages drop when somebody saves a view over it: what a user made or changed
is never replaced. :func:`tallgrass.tracking.pages.results_page` gives the address of the first.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tallgrass.tracking.pages import VIEW
from tallgrass.tracking.store import translated

if TYPE_CHECKING:
    from mlflow import MlflowClient

DESCRIPTION = (
    "Ideal points of legislators by Bayesian item-response models. One run is one sampling run; "
    "its report is the artifact report/index.html. Query for example: "
    "`metrics.rhat_max < 1.01 and metrics.divergences = 0 and tags.verdict = 'pass'`."
)
PREFIX = "mlflow.sharedViewState."
VIEW_TAG = PREFIX + VIEW
VERSION = 2  # of the views below; 1 was the single view without a version
_OWN_MARK = "tallgrass"  # in the envelope
_ADDED_TAG = "tallgrass.views"  # of an experiment: a view that was deleted then is not made again


class _Column(NamedTuple):
    """A column: how MLflow's table calls it, and its width in pixels."""

    id: str
    width: int


class _View(NamedTuple):
    """A saved view: its key in the address, its name in the menu, its columns and its filter."""

    key: str
    name: str
    columns: Sequence[_Column]
    filter: str = ""


def _metric(name: str, width: int = 80) -> _Column:
    return _Column(f"metrics.`{name}`", width)


def _param(name: str, width: int = 100) -> _Column:
    return _Column(f"params.`{name}`", width)


def _tag(name: str, width: int = 100) -> _Column:
    return _Column(f"tags.`{name}`", width)


# These two stand at the left of every table, and the names that MLflow gives them differ in kind.
_NAME, _CREATED = "attributes.`Run Name`", "runDateAndNestInfo"
_SECONDS = _Column("duration", 70)
_CONVERGENCE = (
    _metric("rhat_max", 75),
    _metric("ess_min", 80),
    _metric("divergences", 86),
    _metric("ebfmi_min", 88),
)
# At 1500 pixels, with MLflow's assistant closed, the first eight beside name and time are seen.
_RESULTS = (
    _Column(_NAME, 365),
    _Column(_CREATED, 135),
    *_CONVERGENCE,
    _metric("abs_r", 82),
    _metric("fit/elpd_loo", 88),
    _metric("ess/per_second", 105),
    _SECONDS,
    _tag("verdict", 85),
    _tag("fit", 95),
    *(
        _param(name)
        for name in ("session", "chamber", "model", "sampler", "init", "beta_prior", "draws")
    ),
)
_CALIBRATIONS = (
    _Column(_NAME, 300),
    _Column(_CREATED, 135),
    _tag("verdict", 85),
    _tag("engine", 75),
    *_CONVERGENCE,
    _metric("data/n_items", 90),
    _metric("data/n_users", 90),
    _SECONDS,
    _param("window"),
    _param("anchors"),
    _param("session", 200),
)
_EXPERIMENTS = (
    _Column(_NAME, 300),
    _Column(_CREATED, 135),
    _tag("answers", 140),
    _metric("runs/passed", 95),
    _metric("runs/finished", 105),
    _metric("runs/without_result", 135),
    _SECONDS,
    _tag("verdict.reasons", 400),
)
_NO_PARENT = "tags.`experiment.role` IS NULL"
VIEWS = (
    _View(
        VIEW,
        "Results",
        _RESULTS,
        f"{_NO_PARENT} and tags.model != 'items' and tags.model != 'link'",
    ),
    _View("calibrations", "Calibrations", _CALIBRATIONS, "tags.model = 'items'"),
    _View("experiments", "Experiments", _EXPERIMENTS, "tags.`experiment.role` = 'parent'"),
    _View("all", "All", _RESULTS),
)
_KIND = {
    # Without the kind, the UI asks whether the experiment is about language models.
    "mlflow.experimentKind": "custom_model_development"
}
# The state of version 1, which had no mark.
_FIRST_COLUMNS = (
    "attributes.`Duration`",
    "tags.`verdict`",
    "tags.`fit`",
    *(
        f"metrics.`{name}`"
        for name in ("abs_r", "divergences", "ebfmi_min", "ess_min", "rhat_max", "sampling_s")
    ),
    *(
        f"params.`{name}`"
        for name in ("session", "chamber", "model", "init", "sampler", "coordinates", "beta_prior")
    ),
)
_FIRST_STATE = {
    "selectedColumns": list(_FIRST_COLUMNS),
    "orderByKey": "attributes.`run_name`",
    "orderByAsc": True,
    "searchFilter": "",
    "lifecycleFilter": "Active",
}


def new_experiment_tags(description: str) -> dict[str, str]:
    """The tags of a new experiment."""
    return {"mlflow.note.content": description, **_KIND, **_missing({})}


def show_results(
    mlflow_client: "MlflowClient", experiment_id: str, tags: Mapping[str, str] | None = None
) -> None:
    """Add our views to an experiment that does not have them, and renew those of before.

    Raises
    ------
    TrackingError
        When the store cannot be read or written.
    """
    with translated(f"add the views of results to experiment {experiment_id}"):
        existing = mlflow_client.get_experiment(experiment_id).tags if tags is None else tags
        for key, value in _missing(existing).items():
            mlflow_client.set_experiment_tag(experiment_id, key, value)


def _missing(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of the views that an experiment does not have yet, or has of an earlier version."""
    added = tags.get(_ADDED_TAG) == str(VERSION)
    missing = {}
    for rank, view in enumerate(VIEWS):
        earlier = tags.get(PREFIX + view.key)
        # The first view is what the printed addresses open, so it is there whatever was deleted.
        wanted = (not added or view.key == VIEW) if earlier is None else _is_outdated(earlier)
        if wanted:
            missing[PREFIX + view.key] = _envelope(view, rank)
    if missing or not added:
        missing[_ADDED_TAG] = str(VERSION)
    return missing


def _is_outdated(envelope: str) -> bool:
    """Whether a stored view is one of ours of an earlier version, as we wrote it."""
    try:
        stored = json.loads(envelope)
        if _OWN_MARK in stored:
            return int(stored[_OWN_MARK]) < VERSION
        return "updatedAt" not in stored and json.loads(stored["state"]) == _FIRST_STATE
    except (ValueError, TypeError, KeyError):  # packed, as MLflow's pages store long states
        return False


def _envelope(view: _View, rank: int) -> str:
    ids = [column.id for column in view.columns]
    state: dict[str, Any] = {
        "selectedColumns": [name for name in ids if "." in name and name != _NAME],
        "columnOrder": ids,
        "columnWidths": {column.id: column.width for column in view.columns},
        # The newest first. MLflow folds runs under their parents where the key is spelled
        # without these quotes, and then shows none of an experiment's runs at first sight.
        "orderByKey": "attributes.`start_time`",
        "orderByAsc": False,
        "searchFilter": view.filter,
        "lifecycleFilter": "Active",
    }
    # The menu lists the newest view first.
    created_ms = int(time.time() * 1000) - rank
    envelope = {
        "name": view.name,
        "createdAt": created_ms,
        "state": json.dumps(state),
        _OWN_MARK: VERSION,
    }
    return json.dumps(envelope)
