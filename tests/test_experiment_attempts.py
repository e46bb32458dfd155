"""Continuing an experiment: not while an attempt lives, and not with runs that are shorter."""

from dataclasses import replace

import mlflow
import pytest
from example_store import default_store, status_of

from tallgrass.errors import SpecError
from tallgrass.experiment import Experiment, attempts, expand
from tallgrass.experiment.runner import NAME_TAG, PARENT
from tallgrass.experiment.worker import KEY_TAG, Order, carry_out, stop_runs
from tallgrass.tracking import lifecycle

HOLD = {"session": "simulated", "draws": 100, "fit_checks": False}
VARY = {"init": ["pca", "none"]}


@pytest.fixture
def planned():
    return expand(Experiment(name="e", question="Q?", hold=HOLD, vary=VARY), None)


@pytest.fixture
def state(tmp_path):
    with default_store(tmp_path):
        mlflow.MlflowClient().create_experiment("e")
        yield lifecycle.state_dir(tmp_path / "state")


def owned_by(owner, **tags):
    return {**lifecycle.identity(), "process.owner": owner.to_json(), **tags}


DEAD = {"pid": 999999999}
AWAY = {"host": "node7", "machine": "m", "boot": "b"}


def left(parent_owner, child_owner, planned, status="RUNNING", **tags):
    """An attempt that left one run of the first plan; both ids."""
    here, client = lifecycle.this_owner(), mlflow.MlflowClient()
    about = owned_by(replace(here, **parent_owner), schema_version="1", **PARENT, **{NAME_TAG: "e"})
    parent = client.create_run("1", tags=about).info.run_id
    about = {"schema_version": "1", KEY_TAG: planned[0].key, **tags}
    about = owned_by(replace(here, **child_owner), **about)
    child = client.create_run("1", tags={**about, "mlflow.parentRunId": parent}).info.run_id
    if status != "RUNNING":
        client.set_terminated(child, status)
    return parent, child


@pytest.mark.parametrize(
    ("parent_owner", "child_owner", "words"),
    [({}, DEAD, "under way"), (DEAD, {}, "under way"), (AWAY, DEAD, "belongs to host node7"),
     (DEAD, AWAY, "belongs to host node7")],
    ids=["it lives", "a run lives", "it is elsewhere", "a run is elsewhere"],
)  # fmt: skip
def test_an_attempt_that_lives_or_may_live_is_not_continued(
    state, planned, parent_owner, child_owner, words
):
    parent, child = left(parent_owner, child_owner, planned)
    with pytest.raises(SpecError, match=words):
        attempts.earlier("e", "e", state)
    assert [status_of(one) for one in (parent, child)] == ["RUNNING"] * 2


def test_an_attempt_that_cannot_be_seen_is_continued_when_forced(state, planned):
    parent, child = left(AWAY, AWAY, planned)
    assert attempts.earlier("e", "e", state, force=True) == parent
    assert attempts.finished(parent, planned) == {}
    assert status_of(child) == "KILLED"


@pytest.mark.parametrize(("kept", "done"), [(None, 1), ("100, 100", 1), ("100, 99", 0)])
def test_a_run_that_was_recovered_with_fewer_draws_is_made_again(state, planned, kept, done):
    tags = {} if kept is None else {"recovered": "true", "recovered.draws": kept}
    parent, _ = left(DEAD, DEAD, planned, "FINISHED", **tags)
    assert attempts.earlier("e", "e", state) == parent
    assert len(attempts.finished(parent, planned)) == done


def test_a_worker_that_stopped_an_attempt_takes_the_orders_of_the_next_one():
    stop_runs("first")
    order = Order("key", "label", "{}", {}, "parent", "first", "0.0")
    assert "was stopped" in carry_out(order).error
    assert "install the same version" in carry_out(replace(order, attempt="second")).error
