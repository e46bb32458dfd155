"""Votes from databases, for real: a PostgreSQL server of the tests' own, and SQLite files."""

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from postgres import PASSWORD, engine_of
from toy import usual_votes
from toy_chambers import toy_chambers

import tallgrass as tg
from tallgrass.errors import DataError
from tallgrass.inputs.paths import as_given_from
from tallgrass.rollcalls.reading import read, with_password
from tallgrass.rollcalls.sources import load_votes

WORDS = {1: "Yea", -1: "Nay", 0: "Absent"}
QUIET = tg.Settings(progress="none")


def long_table(votes):
    """The votes as a database keeps them: a row a vote, with what is known of both sides."""
    rows = [
        {
            "legislator": member.slug,
            "name": member.name,
            "party": member.party,
            "rollcall": rollcall.vote_id,
            "bill": rollcall.bill,
            "chamber": votes.chamber.capitalize(),
            "vote": WORDS[int(votes.cells[i, j])],
        }
        for i, member in enumerate(votes.legislators)
        for j, rollcall in enumerate(votes.rollcalls)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'votes.db'}"


def test_a_table_of_votes_is_the_matrix_it_was_made_of(url):
    votes = usual_votes()
    long_table(votes).to_sql("votes", engine_of(url), index=False)
    read_back = load_votes(url, votes.chamber)
    assert read_back.fingerprint == votes.fingerprint
    assert read_back.legislators == votes.legislators
    assert [r.bill for r in read_back.rollcalls] == [r.bill for r in votes.rollcalls]


def test_a_column_of_chambers_holds_both_for_the_joint_model(url):
    joint = toy_chambers()
    both = pd.concat([long_table(joint.house), long_table(joint.senate)])
    both.to_sql("roll_calls", engine_of(url), index=False)
    spec = tg.RunSpec(
        session=url, votes_table="roll_calls", model="joint", chamber="both", min_votes=1
    )
    data = read(spec, QUIET)
    assert data.source == "database"
    assert set(data.joint.house.slugs) <= set(joint.house.slugs)
    assert set(data.joint.senate.slugs) <= set(joint.senate.slugs)
    long_table(joint.senate).to_sql("only", engine_of(url), index=False)
    with pytest.raises(DataError, match=r"no roll calls of the house.*'Senate'"):
        load_votes(url, "house", table="only")


def test_a_query_takes_the_chamber_as_a_bound_parameter(url):
    joint = toy_chambers()
    both = pd.concat([long_table(joint.house), long_table(joint.senate)])
    both["chamber"] = both["chamber"].str.lower()
    both.to_sql("cast", engine_of(url), index=False)
    query = 'SELECT name AS legislator, rollcall, vote, party FROM "cast" WHERE chamber = :chamber'
    votes = load_votes(url, "senate", query=query)
    assert votes.cells.shape == joint.senate.cells.shape
    with pytest.raises(DataError, match=r"unknown parameter in the query.*:body.*known: :chamber"):
        load_votes(url, "senate", query=query.replace(":chamber", ":body"))


def test_a_wide_table_in_a_database_has_a_roll_call_a_column(url):
    table = pd.DataFrame({"legislator": ["a", "b"], "v1": [1, 6], "v2": [9, 1]})
    table.to_sql("votes", engine_of(url), index=False)
    np.testing.assert_array_equal(load_votes(url, "house").cells, [[1, 0], [-1, 1]])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no votes.*the table or query is empty"),
        ([("a", "v1", "Yea", "D"), (None, "v1", "Nay", "R")], "1 votes without a name.*row 2"),
        ([("a", "v1", "Yea", "D"), ("a", "v2", "Nay", "R")], "two ways.*a: party 'D' and 'R'"),
        ([("a", "v1", "Yea", "D"), ("a", "v1", "Nay", "D")], "two votes by one legislator"),
        ([("a", "v1", "Perhaps", "D")], "not known, the first: received 'Perhaps'"),
    ],
)
def test_rows_that_are_no_votes_are_one_clear_error(tmp_path, rows, words):
    address = f"sqlite:///{tmp_path / 'votes.db'}"
    table = pd.DataFrame(rows, columns=["legislator", "rollcall", "vote", "party"])
    table.to_sql("votes", engine_of(address), index=False)
    with pytest.raises(DataError, match=words):
        load_votes(address, "senate")


def test_a_database_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(DataError, match=r"no such database file.*none\.db"):
        load_votes(f"sqlite:///{tmp_path / 'none.db'}", "senate")
    assert not list(tmp_path.iterdir())


def test_a_query_without_a_database_is_refused():
    with pytest.raises(DataError, match="a query needs a database"):
        load_votes("sample", "senate", query="SELECT 1")


def test_the_file_of_a_database_is_that_of_the_folder_where_the_run_was_made(tmp_path):
    assert as_given_from(tmp_path, "sqlite:///a/votes.db") == f"sqlite:///{tmp_path}/a/votes.db"
    for same in ("sqlite:////a/votes.db", "sqlite://", "postgresql://host/name"):
        assert as_given_from(tmp_path, same) == same


def test_a_stored_address_gets_its_password_from_the_settings(monkeypatch):
    stored = "postgresql://me:***@host/votes"
    with pytest.raises(DataError, match="TALLGRASS_SESSION"):
        with_password(stored)
    monkeypatch.setenv("TALLGRASS_SESSION", "postgresql://me:hush@host/votes")
    assert with_password(stored) == "postgresql://me:hush@host/votes"


@pytest.mark.slow
def test_a_run_on_a_database_stores_no_password_and_is_made_again(
    postgres_url, tmp_path, monkeypatch
):
    votes = usual_votes()
    long_table(votes).to_sql("votes", engine_of(postgres_url), index=False)
    with default_store(tmp_path) as folder:
        spec = tg.RunSpec(
            session=postgres_url, chamber=votes.chamber, draws=30, tune=30, chains=2, min_votes=5,
            fit_checks=False,
        )  # fmt: skip
        first = tg.fit(spec, QUIET)
        monkeypatch.setenv("TALLGRASS_SESSION", postgres_url)
        again = tg.fit(tg.rerun_spec(first.run_id), QUIET)
        np.testing.assert_array_equal(
            first.trace["posterior"]["xi"], again.trace["posterior"]["xi"]
        )
        run = mlflow.MlflowClient().get_run(first.run_id)
        assert "***" in run.data.params["session"]
        stored = [path for path in folder.rglob("*") if path.is_file()]
        assert not [path for path in stored if PASSWORD.encode() in path.read_bytes()]
