"""The saved views of an experiment: which are added, which are renewed, which stay."""

import json

import mlflow
import pytest
from example_store import default_store, made_run

from tallgrass.tracking.writing import start_run
from tallgrass.tracking.writing.view import (
    _FIRST_STATE,
    PREFIX,
    VIEW_TAG,
    VIEWS,
    new_experiment_tags,
    show_results,
)


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield


def experiment_tags(experiment_id):
    return mlflow.MlflowClient().get_experiment(experiment_id).tags


def shown_after(tags):
    """The tags of an experiment that had some, once a run of ours was made in it."""
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("theirs", tags=tags)
    show_results(client, experiment)
    return experiment_tags(experiment)


def envelope(state, **more):
    return json.dumps({"name": "Results", "createdAt": 1, "state": json.dumps(state), **more})


def runs_of(view):
    state = json.loads(json.loads(new_experiment_tags("")[PREFIX + view])["state"])
    found = mlflow.search_runs(
        search_all_experiments=True, filter_string=state["searchFilter"], output_format="list"
    )
    return {run.info.run_name for run in found}


def test_an_experiment_of_before_gets_every_view(store):
    tags = shown_after({})
    assert {PREFIX + view.key for view in VIEWS} <= set(tags)


def test_the_first_view_of_an_earlier_version_is_renewed(store):
    tags = shown_after({VIEW_TAG: envelope(_FIRST_STATE)})
    assert "fit/elpd_loo" in tags[VIEW_TAG]


def test_a_view_that_a_user_changed_or_saved_over_ours_is_left_alone(store):
    changed = envelope({**_FIRST_STATE, "orderByAsc": False})
    assert shown_after({VIEW_TAG: changed})[VIEW_TAG] == changed
    # as MLflow's pages store it: the state packed, and nothing of ours in the envelope
    saved = json.dumps({"name": "Results", "createdAt": 1, "updatedAt": 2, "state": "deflate;x"})
    experiment = mlflow.MlflowClient().create_experiment("other", tags={VIEW_TAG: saved})
    show_results(mlflow.MlflowClient(), experiment)
    assert experiment_tags(experiment)[VIEW_TAG] == saved


def test_a_view_that_was_deleted_is_not_made_again_but_for_that_of_the_printed_addresses(store):
    client = mlflow.MlflowClient()
    with start_run(None, "x") as run:
        pass
    for view in ("results", "all"):
        client.delete_experiment_tag(run.experiment_id, PREFIX + view)
    with start_run(None, "x"):
        pass
    left = experiment_tags(run.experiment_id)
    assert VIEW_TAG in left
    assert PREFIX + "all" not in left


def test_each_view_has_its_kind_of_run(store):
    made_run()
    with start_run(None, "parent", {"experiment.role": "parent"}):
        pass
    for model in ("items", "link"):
        with start_run(None, model, {"model": model}):
            pass
    with start_run(None, "ours", {"model": "flat"}):  # still running runs are shown as well
        assert runs_of("results") == {"ours"}
    assert runs_of("calibrations") == {"items"}
    assert runs_of("experiments") == {"parent"}
    assert {"ours", "parent", "items", "link"} < runs_of("all")
