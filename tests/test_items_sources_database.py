"""Responses from databases, for real: a PostgreSQL server of the tests' own, and SQLite files."""

import time

import pandas as pd
import pytest
import sqlalchemy as sa
from postgres import PASSWORD, engine_of

from tallgrass.errors import DataError
from tallgrass.items.sources import ResponseRequest, load_anchors, load_responses
from tallgrass.items.sources import database as reading

ROWS = pd.DataFrame(
    {
        "user": [f"u{k % 7}" for k in range(42)],
        "item": [f"i{k // 7}" for k in range(42)],
        "response": [(k * k + k // 7) % 2 for k in range(42)],
        "time": pd.date_range("2026-01-01", periods=42, freq="D"),
        "window": [
            "January" if k < 28 else "it's \"February\"'; drop table responses; --"
            for k in range(42)
        ],
    }
)
NASTY = ROWS["window"].iloc[-1]


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request, tmp_path):
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_url")
    else:
        address = f"sqlite:///{tmp_path / 'answers.db'}"
    ROWS.to_sql("responses", engine_of(address), index=False)
    return address


def request_of(url, **changes):
    return ResponseRequest(**{"location": url, "min_responses": 1} | changes)


def count(url, table="responses"):
    with engine_of(url).connect() as connection:
        return connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar()


def test_a_table_is_read_with_server_side_cursors_in_pieces(url, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 10)
    seen = []
    chunks = list(reading.read_chunks(request_of(url), 10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 10, 10, 2]
    found = load_responses(request_of(url), seen.append)
    assert seen[-1] == 42
    assert len(found.responses) == 42
    assert found.responses.items == ("i0", "i1", "i2", "i3", "i4", "i5")


def test_a_window_label_with_quotes_and_sql_is_a_value_and_nothing_else(url):
    found = load_responses(request_of(url, window=NASTY))
    assert len(found.responses) == 14
    assert count(url) == 42


def test_the_same_label_is_bound_in_a_query(url):
    query = 'SELECT * FROM responses WHERE "window" = :window'
    assert len(load_responses(request_of(url, query=query, window=NASTY)).responses) == 14
    assert count(url) == 42


def test_times_and_min_responses_are_bound_in_a_query(url):
    query = (
        'SELECT * FROM responses WHERE "time" >= :since AND "time" < :until AND item IN '
        "(SELECT item FROM responses GROUP BY item HAVING count(*) >= :min_responses)"
    )
    given = {"query": query, "since": "2026-01-08", "until": "2026-01-15", "min_responses": 7}
    assert load_responses(request_of(url, **given)).responses.items == ("i1",)


def test_time_bounds_take_the_first_and_leave_the_last(url):
    found = load_responses(request_of(url, since="2026-01-08", until="2026-01-15"))
    assert found.responses.items == ("i1",)
    assert len(found.responses) == 7


def test_times_are_moments_however_they_are_written(url):
    written = ["2026-01-31", "2026-01-31T10:00:00", "2026-01-31 23:00", "2026-02-01 00:00", None]
    rows = pd.DataFrame({"user": [f"u{k}" for k in range(5)], "item": "i", "response": 1})
    rows = rows.assign(time=written)
    types = {"time": sa.TIMESTAMP(timezone=True)} if url.startswith("postgresql") else {}
    if types:
        rows["time"] = pd.to_datetime(rows["time"], format="ISO8601", utc=True)
    rows.to_sql("written", engine_of(url), index=False, dtype=types or None)
    day = load_responses(
        request_of(url, table="written", since="2026-01-31", until="2026-01-31T23:00:00")
    )
    assert day.responses.users == ("u0", "u1")
    assert len(load_responses(request_of(url, table="written")).responses) == 5


def test_numbers_are_no_times_to_be_within(url):
    ROWS.assign(time=range(42)).to_sql("counted", engine_of(url), index=False)
    assert len(load_responses(request_of(url, table="counted")).responses) == 42
    with pytest.raises(DataError, match=r"time holds numbers.*BIGINT"):
        load_responses(request_of(url, table="counted", since="2026-01-31"))


def test_a_wide_table_has_an_item_a_column(url):
    wide = pd.DataFrame({"user": ["a", "b"], "q1": [1, 0], "q2": [0, None], "window": ["x", "y"]})
    wide.to_sql("wide", engine_of(url), index=False)
    found = load_responses(request_of(url, table="wide"))
    assert (found.responses.items, len(found.responses)) == (("q1", "q2"), 3)
    assert load_responses(request_of(url, table="wide", window="x")).responses.users == ("a",)
    query = "SELECT * FROM wide WHERE q1 = 0"
    assert load_responses(request_of(url, query=query)).responses.users == ("b",)
    with pytest.raises(DataError, match="without the column"):
        load_responses(request_of(url, table="wide", since="2026-01-31"))


def test_a_query_cannot_write(url):
    query = "DELETE FROM responses RETURNING *"
    with pytest.raises(DataError):
        load_responses(request_of(url, query=query))
    assert count(url) == 42


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window": "March"}, "no responses in this window: received 'window=March'"),
        ({"item": "itm"}, "without the column itm.*did you mean item"),
        ({"table": "respones"}, "no such table.*did you mean responses"),
        ({"query": "SELECT item FROM responses"}, "without the columns user, response"),
        ({"query": "SELECT usr FROM responses"}, "refused|failed"),
        ({"query": "SELECT * FROM responses WHERE item = :itm"}, "unknown parameter.*:itm"),
        ({"query": "SELECT * FROM responses", "window": "January"}, "the query has no :window"),
        ({"query": "SELECT * FROM responses WHERE item = :window"}, "the query needs window"),
        ({"min_responses": 8}, "no item has enough responses: received '7 at most"),
        ({"since": "yesterday"}, "since is not a date"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(url, changes, words):
    with pytest.raises(DataError, match=words):
        load_responses(request_of(url, **changes))


def test_anchors_come_from_a_table(url):
    table = pd.DataFrame({"item": ["i1", "i2"], "a": [1.0, 1.2], "b": [0.0, -0.5]})
    table.to_sql("current", engine_of(url), index=False)
    anchors = load_anchors("current", url)
    assert anchors.items == ("i1", "i2")
    assert anchors.b.tolist() == [0.0, -0.5]


def test_an_anchor_with_a_negative_a_is_refused(url):
    table = pd.DataFrame({"item": ["i1"], "a": [-1.0], "b": [0.0]})
    table.to_sql("current", engine_of(url), index=False)
    with pytest.raises(DataError, match=r"anchor i1 with an unusable a: received -1.0"):
        load_anchors("current", url)


def test_a_wrong_password_is_told_without_showing_it(postgres_url):
    wrong = postgres_url.replace(PASSWORD, "not-this-one")
    with pytest.raises(
        DataError, match=r"cannot connect.*password authentication failed"
    ) as caught:
        load_responses(request_of(wrong))
    assert "not-this-one" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_connection_that_is_lost_in_the_middle_is_one_clear_error(postgres_url):
    """The server ends the session while rows are on their way."""
    engine = engine_of(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE responses AS SELECT 'u' || k AS \"user\", 'i' || k %% 50 AS item, "
            "k %% 2 AS response FROM generate_series(1, 400000) AS k"
        )
    done = 0

    def end_others(rows):
        nonlocal done
        done = rows
        if rows == reading.CHUNK:
            with engine.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    with pytest.raises(DataError, match="the database failed after 100,000 rows") as caught:
        load_responses(request_of(postgres_url), end_others)
    assert PASSWORD not in str(caught.value)
    assert done == reading.CHUNK


def test_rows_arrive_before_the_query_has_ended(postgres_url):
    """A cursor on the server: the first piece is there while later rows are still being made."""
    query = (
        "SELECT 'u' || k AS \"user\", 'i' AS item, k % 2 AS response, "
        "CASE WHEN k > 200000 THEN pg_sleep(0.01) END FROM generate_series(1, 200100) AS k"
    )
    seen = []
    began = time.monotonic()
    load_responses(
        request_of(postgres_url, query=query), lambda n: seen.append((n, time.monotonic() - began))
    )
    assert seen[0][0] == reading.CHUNK
    assert seen[-1][1] - seen[0][1] > 0.7  # of 1 s


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("postgresql://someone:hush-hush@127.0.0.1:1/none", "cannot connect"),
        ("nosuchdb://x/y", "cannot be used"),
        ("postgresql://u:hush-hush @:port/x", "not the address of a database"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(location, words):
    with pytest.raises(DataError, match=words) as caught:
        load_responses(request_of(location))
    assert "hush" not in str(caught.value)
