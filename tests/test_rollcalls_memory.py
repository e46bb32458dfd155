"""Votes in memory: the same run as from files, which can be made again and recovered."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from toy import usual_votes
from toy_chambers import toy_chambers

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.rollcalls.memory import from_text, given_votes, to_text

QUIET = tg.Settings(progress="none")
SHORT = {"draws": 30, "tune": 30, "chains": 2, "min_votes": 5, "fit_checks": False}


def frames(votes):
    """The votes as people keep them: wide by slugs, and long with words."""
    words = {1: "Yea", -1: "Nay", 0: "Absent"}
    wide = pd.DataFrame(votes.cells, index=list(votes.slugs), columns=list(votes.vote_ids))
    wide.insert(0, "party", [member.party for member in votes.legislators])
    long = wide.drop(columns="party").rename_axis("legislator").reset_index()
    long = long.melt("legislator", var_name="rollcall", value_name="vote")
    return wide, long.assign(vote=long["vote"].map(words))


@pytest.fixture(scope="module")
def votes():
    return usual_votes()


def test_long_and_wide_tables_are_the_matrix_they_were_made_of(votes):
    wide, long = frames(votes)
    people = pd.DataFrame(
        {"slug": votes.slugs, "party": [member.party for member in votes.legislators]}
    )
    of_wide = tg.VoteMatrix.from_frame(wide, chamber="house")
    of_long = tg.VoteMatrix.from_frame(long, people, chamber="house")
    assert of_wide.fingerprint == of_long.fingerprint == votes.fingerprint


def test_what_is_known_of_roll_calls_and_legislators_can_be_given(votes):
    _, long = frames(votes)
    calls = pd.DataFrame({"vote_id": votes.vote_ids, "bill": "HB 1", "date": "2026-01-02"})
    people = pd.DataFrame({"slug": votes.slugs[:3], "party": "R", "name": ["A", "B", "C"]})
    matrix = tg.VoteMatrix.from_frame(long, people, calls)
    assert {rollcall.bill for rollcall in matrix.rollcalls} == {"HB 1"}
    assert matrix.legislators[0] == tg.Legislator(votes.slugs[0], "A", "Republican", "")
    assert matrix.legislators[5].name == votes.slugs[5]


def test_own_words_and_abstention_as_unobserved_are_a_map():
    table = pd.DataFrame(
        {"v1": ["Da", "Net", "Abstention"], "v2": ["Net", "Abstention", None]},
        index=["a", "b", "c"],
    )
    with pytest.raises(DataError, match="vote_map"):
        tg.VoteMatrix.from_frame(table)
    unobserved = tg.VoteMatrix.from_frame(table, vote_map={"da": 1, "net": -1, "abstention": 0})
    np.testing.assert_array_equal(unobserved.cells, [[1, -1], [-1, 0], [0, 0]])
    as_nay = tg.VoteMatrix.from_frame(table, vote_map={"Da": 1, "Net": -1, "Abstention": -1})
    np.testing.assert_array_equal(as_nay.cells, [[1, -1], [-1, -1], [-1, 0]])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame({"v1": [1, 0]}), "without legislators"),
        (pd.DataFrame({"v1": [1, 0]}, index=["a", "a"]), "two rows"),
        (pd.DataFrame({"v1": [1, "?"]}, index=["a", "b"]), "not known"),
    ],
)
def test_tables_that_are_no_votes_are_refused(table, words):
    with pytest.raises(DataError, match=words):
        tg.VoteMatrix.from_frame(table)


def test_a_copy_holds_everything_of_the_votes():
    joint = toy_chambers()
    copies = from_text(to_text({"house": joint.house, "senate": joint.senate}))
    for name, votes in copies.items():
        original = getattr(joint, name)
        assert votes.fingerprint == original.fingerprint
        assert votes.rollcalls == original.rollcalls
        assert votes.legislators == original.legislators


@pytest.mark.parametrize("text", ["[]", "{}x", '{"house": {"cells": ["q"]}}'])
def test_a_copy_of_another_form_is_an_error_of_ours(text):
    with pytest.raises(DataError, match="another form"):
        from_text(text)


def test_chambers_that_do_not_go_with_the_model_are_refused(votes):
    spec = tg.RunSpec(model="joint", chamber="both")
    with pytest.raises(SpecError, match="house and senate"):
        given_votes(spec, votes)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.fixture(scope="module")
def result(store, votes):
    return tg.fit(tg.RunSpec(**SHORT), QUIET, votes=votes)


def test_a_run_on_votes_in_memory_records_them_with_their_digest(result, votes):
    run = mlflow.MlflowClient().get_run(result.run_id)
    assert run.data.params["session"] == "memory"
    assert run.data.params["chamber"] == votes.chamber
    assert run.data.params["sampler.floatX"] == "float64"
    assert run.data.tags["data.sha256"] == result.analysis.prepared.data.fingerprint
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.digest == run.data.tags["data.sha256"][:36]
    assert "data/votes.json" in [
        entry.path for entry in mlflow.MlflowClient().list_artifacts(result.run_id, "data")
    ]


def test_a_run_on_votes_in_memory_is_made_again(result, capsys):
    words = ["rerun", result.run_id, "--baseline=none", "--json", "--progress=none"]
    assert main(words) == 0
    again = json.loads(capsys.readouterr().out)
    first, second = (tg.load_trace(run) for run in (result.run_id, again["run_id"]))
    np.testing.assert_array_equal(first["posterior"]["xi"], second["posterior"]["xi"])
    assert tg.rerun_spec(result.run_id).session == f"run:{result.run_id}"
    # And again from the copy that the second run keeps.
    assert tg.rerun_spec(again["run_id"]).session == f"run:{result.run_id}"


def test_a_table_is_votes_too(result, votes):
    spec, chambers = given_votes(tg.RunSpec(chamber="house"), frames(votes)[0])
    assert (spec.session, spec.chamber) == ("memory", "house")
    given = result.analysis.prepared.data.given["house"]
    assert chambers["house"].fingerprint == given.fingerprint


def test_the_votes_of_a_run_that_has_none_are_an_error(store):
    with pytest.raises(TrackingError):
        tg.fit(tg.RunSpec(**SHORT, session="run:0123456789"), QUIET)
