"""How the MLflow UI shows an experiment: its description, its kind and the view *Results*.

Without a view the table of runs shows none of our columns. MLflow keeps a shared view in a tag of
the experiment; :func:`tallgrass.tracking.store.results_page` gives its address.
"""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tallgrass.tracking.store import VIEW, translated

if TYPE_CHECKING:
    from mlflow import MlflowClient

DESCRIPTION = (
    "Ideal points of legislators by Bayesian item-response models. One run is one sampling run; "
    "its report is the artifact report/index.html. Query for example: "
    "`metrics.rhat_max < 1.01 and metrics.divergences = 0 and tags.verdict = 'pass'`."
)
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
_COLUMNS = (
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


def new_experiment_tags(description: str) -> dict[str, str]:
    """The tags of a new experiment."""
    return {
        "mlflow.note.content": description,
        # Without the kind, the UI asks whether the experiment is about language models.
        "mlflow.experimentKind": "custom_model_development",
        VIEW_TAG: _view(),
    }


def show_results(
    mlflow_client: "MlflowClient", experiment_id: str, tags: Mapping[str, str] | None = None
) -> None:
    """Add the view to an experiment that does not have it.

    Raises
    ------
    TrackingError
        When the store cannot be read or written.
    """
    with translated(f"add the view of results to experiment {experiment_id}"):
        existing = mlflow_client.get_experiment(experiment_id).tags if tags is None else tags
        if VIEW_TAG not in existing:
            mlflow_client.set_experiment_tag(experiment_id, VIEW_TAG, _view())


def _view() -> str:
    state = {
        "selectedColumns": list(_COLUMNS),
        # Sorted by time, the UI folds runs under their parent. Names begin with session and
        # chamber.
        "orderByKey": "attributes.`run_name`",
        "orderByAsc": True,
        "searchFilter": "",
        "lifecycleFilter": "Active",
    }
    view = {"name": "Results", "createdAt": int(time.time() * 1000), "state": json.dumps(state)}
    return json.dumps(view)
