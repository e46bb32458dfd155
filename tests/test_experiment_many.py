"""A store of ten thousand runs: beginning a run, and continuing an experiment, read a few of them.

What is counted is what is read, not the time: statements, and runs that MLflow makes objects of.
"""

import sqlite3
from collections import Counter
from contextlib import contextmanager

import mlflow
import pytest
import sqlalchemy as sa
from example_store import default_store
from mlflow.store.tracking.dbmodels.models import SqlRun
from sqlalchemy.engine import Engine

from tallgrass.cli import main
from tallgrass.experiment import Experiment, attempts, expand
from tallgrass.experiment.runner import NAME_TAG, PARENT
from tallgrass.experiment.worker import KEY_TAG, PARENT_TAG
from tallgrass.tracking import lifecycle, reading, store, writing

N_RUNS = 10_000
SIZES = ["--house-members=14", "--senate-members=12", "--house-rollcalls=24"]
SIZES += ["--senate-rollcalls=20", "--matched=8", "--seed=2"]
RUN = ["run", "--session=legislature", "--model=flat", "--min-votes=5", "--draws=20", "--tune=30"]
RUN += ["--chains=2", "--fit-checks=false", "--progress=none"]


def copied(folder, run_id, n):
    """Copy a run n times by SQL, with all that it holds."""
    with sqlite3.connect(folder / "mlflow.db") as database:
        for table in ("runs", "params", "tags", "latest_metrics"):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            new = ["printf('%032x', k)" if one == "run_uuid" else f't."{one}"' for one in names]
            database.execute(
                "WITH RECURSIVE counted(k) AS "
                "(SELECT 1 UNION ALL SELECT k + 1 FROM counted WHERE k < ?) "
                f"INSERT INTO {table} SELECT {', '.join(new)} FROM counted, {table} t "
                "WHERE t.run_uuid = ?",
                [n, run_id],
            )


@contextmanager
def counted():
    """Counts statements of SQL, and runs that MLflow makes objects of."""
    counts = Counter()

    def statement(*_):
        counts["statements"] += 1

    def loaded(*_):
        counts["runs"] += 1

    sa.event.listen(Engine, "before_cursor_execute", statement)
    sa.event.listen(SqlRun, "load", loaded)
    try:
        yield counts
    finally:
        sa.event.remove(Engine, "before_cursor_execute", statement)
        sa.event.remove(SqlRun, "load", loaded)


@pytest.mark.slow
def test_a_run_begins_in_a_store_of_ten_thousand_as_in_a_new_one(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        assert main(["simulate", "legislature", *SIZES]) == 0
        assert main(RUN) == 0
        with counted() as few:
            assert main([*RUN, "--seed=1"]) == 0
        [run, _] = mlflow.MlflowClient().search_runs(["1"])
        copied(tmp_path, run.info.run_id, N_RUNS)
        with counted() as many:
            assert main([*RUN, "--seed=2"]) == 0
    assert few["statements"] > 100
    assert few["runs"] > 10
    # Live metrics are written while the run samples: how many there are depends on the machine.
    assert many["statements"] < few["statements"] + 40
    assert many["runs"] < few["runs"] + 20


def test_continuing_an_experiment_reads_of_runs_that_are_done_only_which_they_are(tmp_path):
    hold = {"session": "simulated", "draws": 100, "fit_checks": False}
    declared = Experiment("e", "Q?", hold=hold, vary={"init": ["pca", "none"]})
    planned = expand(declared, None)
    with default_store(tmp_path):
        state = lifecycle.state_dir(tmp_path / "state")
        store.connect()
        with writing.start_run("e", "e", {**PARENT, NAME_TAG: "e"}) as parent:
            pass
        tags = {PARENT_TAG: parent.run_id, KEY_TAG: planned[0].key}
        with writing.start_run("e", "child", tags) as child:
            child.log_metrics({f"rhat/{k}": 1.0 for k in range(20)})
        copied(tmp_path, child.run_id, 1_000)
        with counted() as counts:
            assert attempts.earlier("e", "e", state) == parent.run_id
            done = attempts.finished(parent.run_id, planned)
        assert list(done) == [planned[0].key]
        assert len(reading.finished_children(parent.run_id, [KEY_TAG])) == 1_001
    assert counts["runs"] < 10
    assert counts["statements"] < 100


def test_what_a_server_is_asked_for_is_what_a_database_holds(tmp_path, monkeypatch):
    with default_store(tmp_path):
        store.connect()
        with writing.start_run("e", "e", PARENT) as parent:
            pass
        for name in ("first", "second"):
            tags = {PARENT_TAG: parent.run_id, KEY_TAG: name}
            with writing.start_run("e", name, tags):
                pass
        with pytest.raises(RuntimeError), writing.start_run("e", "third", tags):
            raise RuntimeError
        directly = reading.finished_children(parent.run_id, [KEY_TAG])
        assert [tags[KEY_TAG] for _, tags in directly] == ["second", "first"]
        monkeypatch.setattr(reading.experiments, "database_uri", lambda: None)
        through_mlflow = reading.finished_children(parent.run_id, [KEY_TAG])
        assert [run_id for run_id, _ in through_mlflow] == [run_id for run_id, _ in directly]
        assert [tags[KEY_TAG] for _, tags in through_mlflow] == ["second", "first"]
