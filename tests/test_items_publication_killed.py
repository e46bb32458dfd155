"""kill -9 in the middle of a publication into a table of the user's: real databases and signals."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pandas as pd
import pytest
import sqlalchemy as sa
from example_store import migrated
from fault_tools import start, wait_until
from item_bank import ANCHORS, CONSTANTS, LABEL, MAP, make_bank, rows_of
from item_data import simulated_items
from postgres import engine_of

COMMON = [
    "calibrate", "--engine=map", "--min-responses=50", "--fit-checks=false", "--progress=none",
    "--publish",
]  # fmt: skip
IN_POSTGRESQL = [
    *COMMON, "--table=shared_irt.attempts", "--user-column=person", "--item-column=item_id",
    "--response-column=is_correct", "--window-column=label", f"--window={LABEL}",
    f"--anchor-query={ANCHORS}", "--anchor-item-column=anchor_id", "--anchor-a-column=disc",
    "--anchor-b-column=diff", "--publish-table=shared_irt.item_calibration",
    f"--publish-map={MAP}", f"--publish-constants={CONSTANTS}",
    "--publish-key=item_id,window_id,model",
]  # fmt: skip
# Item 110 is the last one: rows of four items were updated and five were inserted before it.
SLOW = """
CREATE FUNCTION shared_irt.wait() RETURNS trigger AS $$ BEGIN
    IF NEW.item_id = 110 THEN PERFORM pg_sleep(600); END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER slow BEFORE INSERT ON shared_irt.item_calibration
    FOR EACH ROW EXECUTE FUNCTION shared_irt.wait()
"""
SQLITE = """
CREATE TABLE bank (code TEXT NOT NULL UNIQUE, model TEXT NOT NULL, diff REAL NOT NULL, disc REAL);
CREATE VIEW endless AS WITH RECURSIVE steps(k) AS (
    SELECT 1 UNION ALL SELECT k + 1 FROM steps WHERE k < 100000000000
) SELECT k FROM steps;
CREATE TRIGGER slow BEFORE INSERT ON bank WHEN NEW.code = 'i00009'
    BEGIN SELECT count(*) FROM endless; END
"""

pytestmark = pytest.mark.faults


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(migrated())
    return tmp_path


def killed_while(condition, folder, words):
    """Start a calibration, and kill it without warning as soon as the condition holds."""
    process = start(folder, *words, command=COMMON[:1])
    wait_until(condition, process, folder)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL


def finished(folder, words):
    process = start(folder, *words, command=COMMON[:1])
    assert process.wait(300) == 0, (folder / "said").read_text()


def run_states(folder):
    with sqlite3.connect(folder / "mlflow.db") as database:
        return [
            state for (state,) in database.execute("SELECT status FROM runs ORDER BY start_time")
        ]


def is_locked(path):
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        database.execute("ROLLBACK")
        return False


def test_a_publication_into_postgresql_that_is_killed_leaves_the_rows_of_before(
    postgres_url, folder
):
    make_bank(postgres_url)
    before = pd.DataFrame(
        {
            "item_id": range(101, 105), "window_id": 2, "model": "2PL", "a_hat": 9.0, "b_hat": 9.0,
            "n_responses": 1,
        }
    )  # fmt: skip
    with engine_of(postgres_url).begin() as connection:
        before.to_sql(
            "item_calibration", connection, schema="shared_irt", index=False, if_exists="append"
        )
        connection.exec_driver_sql(SLOW)
    kept = rows_of(postgres_url)
    words = [*IN_POSTGRESQL[1:], f"--responses={postgres_url}"]

    def in_the_middle():
        with engine_of(postgres_url).connect() as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            return connection.execute(sa.text(query)).scalar()

    killed_while(in_the_middle, folder, words)
    pd.testing.assert_frame_equal(rows_of(postgres_url), kept)
    with engine_of(postgres_url).begin() as connection:
        # The server notices that its client is gone when it next writes to it.
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        )
        connection.exec_driver_sql("DROP TRIGGER slow ON shared_irt.item_calibration")
    finished(folder, words)
    published = rows_of(postgres_url)
    assert published["item_id"].is_unique
    assert len(published) >= 7  # anchors that drifted are not published
    assert set(published["model"]) == {"2PL"}
    again = published[published["n_responses"] > 1]
    assert (again["a_hat"] < 5).all()
    assert set(range(104, 111)) <= set(again["item_id"])
    assert run_states(folder) == ["FAILED", "FINISHED"]


def test_a_publication_into_sqlite_that_is_killed_leaves_the_rows_of_before(folder):
    path = folder / "bank.db"
    url = f"sqlite:///{path}"
    responses = simulated_items(n_users=300, n_items=10, per_user=8, seed=2).responses
    answers = pd.DataFrame(
        {
            "user": responses.user,
            "item": [responses.items[j] for j in responses.item],
            "response": responses.correct,
        }
    )
    answers.to_sql("responses", engine_of(url), index=False)
    with sqlite3.connect(path) as database:
        database.executescript(SQLITE)
        database.executemany("INSERT INTO bank VALUES (?, '2PL', 9, 9)", [("i00000",), ("i00001",)])
    words = [
        *COMMON[1:], f"--responses={url}", "--publish-table=bank", "--publish-key=code",
        "--publish-map=code=item,diff=b,disc=a,model='2PL'",
    ]  # fmt: skip
    locked_at = []

    def in_the_middle():
        """Someone has been writing for a second."""
        if not is_locked(path):
            locked_at.clear()
            return False
        locked_at.append(time.monotonic())
        return locked_at[-1] - locked_at[0] > 1

    killed_while(in_the_middle, folder, words)

    def rows():
        with sqlite3.connect(path) as database:
            return database.execute("SELECT code, model, diff FROM bank ORDER BY 1").fetchall()

    assert rows() == [("i00000", "2PL", 9.0), ("i00001", "2PL", 9.0)]
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER slow")
    finished(folder, words)
    published = rows()
    assert [code for code, _, _ in published] == [f"i{j:05d}" for j in range(10)]
    assert all(abs(diff) < 5 for _, _, diff in published)
    assert run_states(folder) == ["FAILED", "FINISHED"]
