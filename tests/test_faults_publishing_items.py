"""kill -9 while a calibration publishes into a table of ours: all of its rows are there or none."""

import signal
import sqlite3

import fault_tools as tools
import mlflow
import pandas as pd
import pytest
import sqlalchemy as sa
from example_store import default_store
from item_data import simulated_items
from postgres import engine_of
from test_faults_publishing import KILLED

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.settings import Settings

pytestmark = pytest.mark.faults

WORDS = [
    "calibrate", "--engine=map", "--min-responses=50", "--fit-checks=false", "--progress=none",
    "--publish",
]  # fmt: skip
TABLE = "item_parameters"
# What is called when it is killed, whether that has happened then, and whether rows are written.
# The second one is between the rows and the end of the transaction that they are in.
MOMENTS = {
    "before rows are written": ("tallgrass.items.publication", "_write", False, False),
    "within": ("tallgrass.items.publication", "_write", True, False),
    "when they are written": ("tallgrass.items.publishing", "publish", True, True),
}


@pytest.fixture
def store(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def filled(url):
    """A database with responses to ten items."""
    responses = simulated_items(n_users=300, n_items=10, per_user=8, seed=2).responses
    answers = pd.DataFrame(
        {
            "user": responses.user,
            "item": [responses.items[j] for j in responses.item],
            "response": responses.correct,
        }
    )
    answers.to_sql("responses", engine_of(url), index=False)
    return url


def published(url):
    """Items and their runs; None where there is no table."""
    if not sa.inspect(engine_of(url)).has_table(TABLE):
        return None
    with engine_of(url).connect() as connection:
        rows = connection.execute(sa.text(f"SELECT item, run_id FROM {TABLE} ORDER BY item"))
        return [tuple(row) for row in rows]


def states():
    runs = mlflow.MlflowClient().search_runs(["1"], order_by=["attributes.start_time"])
    return [(run.info.run_id, run.info.status) for run in runs]


def attack(folder, url, moment):
    """Kill a calibration at a moment, and give the same order again."""
    module, called, after, written = moment
    code = KILLED.format(module=module, called=called, after=after)
    process = tools.start(folder, f"--responses={url}", command=WORDS, code=code)
    assert process.wait(300) == -signal.SIGKILL, (folder / "said").read_text()
    [(killed, _)] = states()
    items = [f"i{j:05d}" for j in range(10)]
    assert published(url) == ([(item, killed) for item in items] if written else None)

    assert main([*WORDS, f"--responses={url}"]) == 0

    (_, first), (again, second) = states()
    assert (first, second) == ("FAILED", "FINISHED")
    assert published(url) == [(item, again) for item in items]
    assert mlflow.get_run(again).data.metrics["items/published"] == 10


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_publication_into_a_new_table_of_sqlite_is_there_as_a_whole_or_not(store, moment):
    attack(store, filled(f"sqlite:///{store / 'bank.db'}"), moment)
    with sqlite3.connect(store / "bank.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("moment", ["within", "when they are written"])
def test_a_publication_into_a_new_table_of_postgresql_is_there_as_a_whole_or_not(
    store, postgres_url, moment
):
    attack(store, filled(postgres_url), MOMENTS[moment])


def test_a_publication_that_was_killed_is_recovered(store):
    url = filled(f"sqlite:///{store / 'bank.db'}")
    code = KILLED.format(module="tallgrass.items.publication", called="_write", after=True)
    process = tools.start(store, f"--responses={url}", command=WORDS, code=code)
    assert process.wait(300) == -signal.SIGKILL, (store / "said").read_text()
    assert published(url) is None

    assert main(["recover", "--all"]) == 0

    assert recovery.remains(Settings()) == []
    [(run_id, state)] = states()
    assert state == "FINISHED"
    assert {run for _, run in published(url)} == {run_id}
    assert mlflow.get_run(run_id).data.tags["published"] == "10"


def test_what_is_recovered_late_does_not_replace_what_a_later_run_published(store):
    url = filled(f"sqlite:///{store / 'bank.db'}")
    words = [*WORDS, "--engine=nuts"]
    code = KILLED.format(module="tallgrass.study.recorder", called="Recorder.trace", after=False)
    process = tools.start(store, f"--responses={url}", command=words, code=code)
    assert process.wait(300) == -signal.SIGKILL, (store / "said").read_text()
    [(killed, _)] = states()
    assert main([*words, f"--responses={url}"]) == 0
    later = states()[1][0]

    assert main(["recover", killed]) == 0

    run = mlflow.get_run(killed)
    assert run.info.status == "FINISHED"
    assert run.data.tags["published"] == "0"
    assert f"run {later[:8]}, which began later" in run.data.tags["published.refused"]
    assert {run_id for _, run_id in published(url)} == {later}
