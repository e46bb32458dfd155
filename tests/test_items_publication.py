"""A bank in its owner's own schema: anchors by a join, publication by a map, dry runs; for real."""

from pathlib import Path

import mlflow
import pandas as pd
import pytest
import sqlalchemy as sa
from example_store import default_store
from item_bank import ANCHORS, CONSTANTS, LABEL, MAP, make_bank, rows_of
from postgres import engine_of

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError
from tallgrass.items.publication import Target, check, publish
from tallgrass.items.publish_map import Constant, parse_map
from tallgrass.items.specs import make_calibration_spec
from tallgrass.settings import Settings


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.fixture
def bank(postgres_url):
    make_bank(postgres_url)
    return postgres_url


def spec_of(url, **changes):
    given = {
        "responses": url, "table": "shared_irt.attempts", "user_column": "person",
        "item_column": "item_id", "response_column": "is_correct", "window_column": "label",
        "window": LABEL, "engine": "map", "min_responses": 50, "fit_checks": False,
        "anchor_query": ANCHORS, "anchor_item_column": "anchor_id", "anchor_a_column": "disc",
        "anchor_b_column": "diff", "publish": True, "publish_table": "shared_irt.item_calibration",
        "publish_map": MAP, "publish_constants": CONSTANTS,
        "publish_key": "item_id,window_id,model",
    }  # fmt: skip
    return make_calibration_spec(**(given | changes))


@pytest.mark.slow
def test_a_bank_is_calibrated_and_published_in_its_own_schema_and_twice_is_as_once(bank):
    result = tg.calibrate(spec_of(bank), Settings(progress="none"))
    assert result.items["anchor"].sum() == 3
    assert result.published == len(rows_of(bank))
    found, items = rows_of(bank), result.items.set_index("item")
    assert set(found["window_id"]) == {2}
    assert set(found["model"]) == {"2PL"}
    for row in found.itertuples(index=False):
        of_item = items.loc[str(row.item_id)]
        assert (row.a_hat, row.b_hat) == pytest.approx((of_item["a"], of_item["b"]), abs=1e-12)
        assert row.n_responses == of_item["n"]
    assert found["select"].notna().all()
    tg.calibrate(spec_of(bank), Settings(progress="none"))
    pd.testing.assert_frame_equal(rows_of(bank), found)


@pytest.mark.slow
def test_a_dry_run_writes_nothing_and_keeps_what_it_would(bank, capsys):
    spec = spec_of(bank, publish_dry_run=True)
    result = tg.calibrate(spec, Settings(progress="none"))
    assert result.published == 0
    assert rows_of(bank).empty
    client = mlflow.MlflowClient()
    path = client.download_artifacts(result.run_id, "publish/statements.sql")
    told = Path(path).read_text("utf-8")
    assert "INSERT INTO shared_irt.item_calibration" in told
    assert '"select"' in told
    assert "UPDATE shared_irt.item_calibration SET" in told
    assert "window_id=2, model='2PL'" in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"publish_map": "item_id=item,a_hat=a,b_hat=b"}, "n_responses cannot be null"),
        ({"publish_map": MAP + ",b_mean=b"}, "without the column b_mean"),
        ({"publish_constants": CONSTANTS.replace(":window", "'May'")}, "must select one row"),
        ({"publish_key": "id"}, "publish_key: a column that is not written"),
        ({"publish_table": "shared_irt.item_calibrations"}, "no such table to publish to"),
        ({"anchor_b_column": "difficulty"}, "without the column difficulty"),
        ({"anchor_query": ANCHORS + " AND false"}, "anchor_query selects no anchors"),
    ],
)
def test_what_the_database_cannot_take_is_refused_before_a_run(bank, changes, words):
    client = mlflow.MlflowClient()
    before = [e.experiment_id for e in client.search_experiments()]
    n_before = len(client.search_runs(before)) if before else 0
    with pytest.raises(DataError, match=words):
        tg.calibrate(spec_of(bank, **changes), Settings(progress="none"))
    after = [e.experiment_id for e in client.search_experiments()]
    assert (len(client.search_runs(after)) if after else 0) == n_before
    assert rows_of(bank).empty


def test_rows_that_are_refused_halfway_leave_the_table_as_it_was(bank):
    """The last item violates the foreign key of the table: none of the rows is written."""
    items = pd.DataFrame({"item": ["101", "102", "999"], "a": 1.0, "b": 0.0, "b_sd": 0.1, "n": 9})
    target = Target(
        bank, "shared_irt.item_calibration", MAP, CONSTANTS, "item_id,window_id,model", window=LABEL
    )
    with pytest.raises(DataError, match="foreign key"):
        publish(target, items, {"engine": "map", "window": LABEL, "run_id": "r"})
    assert rows_of(bank).empty


def test_append_keeps_every_publication(tmp_path):
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    with engine_of(url).begin() as connection:
        connection.execute(
            sa.text("CREATE TABLE h (id INTEGER PRIMARY KEY, name TEXT NOT NULL, v REAL)")
        )
    target = Target(url, "h", "name=item,v=b", append=True)
    items = pd.DataFrame({"item": ["q1", "q2"], "a": 1.0, "b": [0.1, 0.2]})
    for _ in range(2):
        assert publish(target, items, {"run_id": "r"}).rows == 2
    with engine_of(url).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM h")).scalar() == 4


def test_a_run_that_is_recovered_appends_no_row_twice(tmp_path):
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    with engine_of(url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE h (name TEXT, v REAL, made_by TEXT)"))
    target = Target(url, "h", "name=item,v=b,made_by=run_id", append=True)
    items = pd.DataFrame({"item": ["q1", "q2"], "a": 1.0, "b": [0.1, 0.2]})
    for run_id in ("first", "first", "second"):
        assert publish(target, items, {"run_id": run_id}).rows == 2
    with engine_of(url).connect() as connection:
        found = connection.execute(sa.text("SELECT made_by, count(*) FROM h GROUP BY 1")).all()
    assert sorted(map(tuple, found)) == [("first", 2), ("second", 2)]


def test_a_new_table_that_gets_no_rows_is_not_made(tmp_path):
    """SQLite too: an item that appears twice is refused, and the table is not there either."""
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    columns = {"a": 1.0, "b": 0.0, "a_sd": 0.1, "b_sd": 0.1, "n": 50}
    twice = pd.DataFrame({"item": ["q1", "q1"], **columns})
    with pytest.raises(DataError, match="UNIQUE constraint"):
        publish(Target(url, "new"), twice, {"run_id": "r", "engine": "map", "window": ""})
    assert not sa.inspect(engine_of(url)).has_table("new")


def test_a_table_without_c_does_not_take_items_of_3pl(tmp_path):
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    pd.DataFrame({"item": ["q1"], "a": [1.0], "b": [0.0]}).to_sql(
        "bank", engine_of(url), index=False
    )
    with pytest.raises(DataError, match="table bank without the column c"):
        check(Target(url, "bank", model_columns=("c",)))
    with pytest.raises(DataError, match="leaves out a parameter of the item model"):
        check(Target(url, "bank", mapping="item=item,a=a,b=b", model_columns=("c",)))


def test_a_map_has_fields_texts_and_numbers():
    found = parse_map("item_id=item, note='it''s, a = note',version=3")
    assert found == {"item_id": "item", "note": Constant("it's, a = note"), "version": Constant(3)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item_id=item,b", "bad part"),
        ("b_hat=b", "no column for the item"),
        ("i=item,i=b", "occurs twice"),
        ("i=item,m=2PL", "neither a value of a calibration nor a constant"),
    ],
)
def test_a_map_that_says_nothing_is_refused(text, words):
    with pytest.raises(SpecError, match=words):
        make_calibration_spec(publish_map=text)


def test_an_anchor_query_needs_a_database(capsys):
    assert main(["calibrate", "--responses", "a.csv", "--anchor-query", "SELECT 1"]) == 2
    assert "anchor_query: there is no database to ask" in capsys.readouterr().err
