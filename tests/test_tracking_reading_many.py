"""Ten thousand runs: the fast way to read them equals MLflow's own search."""

import random
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta

import mlflow
import pandas as pd
import pytest
from example_store import default_store, made_run

from tallgrass.errors import TrackingError
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking import reading
from tallgrass.tracking.reading import listing

N_RUNS = 10_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        for i in range(8):
            made_run(
                "flat" if i % 2 else "hierarchical",
                verdict="pass" if i % 3 else "fail",
                draws=100 + i,
                strict=bool(i % 2),
                chamber="house" if i > 4 else "senate",
                metrics={"rhat_max": 1 + i / 100, "divergences": i},
                tags={"baseline": "true"} if i == 3 else {},
            )
            time.sleep(0.01)
        mlflow.MlflowClient().create_run("0", tags={"owner": "another program"})
        yield folder


@pytest.fixture
def inside(filled, monkeypatch):
    monkeypatch.chdir(filled)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"chamber": "house"},
        {"strict": True, "verdict": "pass"},
        {"draws": 103},
        {"status": "finished", "model": "flat"},
        {"session": "sample", "limit": 3},
        {"experiment": "tallgrass"},
        {"until": "2020-01-01"},
        {"since": datetime.now(UTC) - timedelta(hours=1)},
    ],
)
def test_the_fast_way_gives_the_table_that_mlflows_search_gives(inside, monkeypatch, filters):
    fast = earlier.runs(**filters)
    monkeypatch.setattr(listing, "database_uri", lambda: None)
    plain = earlier.runs(**filters)
    pd.testing.assert_frame_equal(fast, plain)
    assert len(plain) == 0 or "until" not in filters


def test_a_time_range_keeps_the_runs_that_started_in_it(inside):
    everything = earlier.runs()
    since, until = everything["start_time"].iloc[5], everything["start_time"].iloc[2]
    for more in ({}, {"filter": "metrics.rhat_max > 0"}):
        found = earlier.runs(since=since, until=until.isoformat(), **more)
        assert list(found["run_id"]) == list(everything["run_id"].iloc[2:6])


def test_a_time_that_is_none_is_an_error_that_shows_the_form(inside):
    with pytest.raises(TrackingError, match="since: not a time: received 'yesterday'"):
        earlier.runs(since="yesterday")


def test_an_unknown_experiment_has_no_table(inside):
    with pytest.raises(TrackingError, match="unknown experiment"):
        reading.table("starts")


def copied(folder, n):
    """Copy the runs of a store by SQL until it has n: MLflow itself would take half an hour."""
    chance = random.Random(1)

    def drawn(key):
        return chance.randrange(9) if key == "divergences" else chance.random()

    with sqlite3.connect(folder / "mlflow.db") as database:
        (run_id,) = database.execute("SELECT run_uuid FROM runs LIMIT 1").fetchone()
        for table, column in [("runs", "run_uuid"), ("params", "run_uuid"), ("tags", "run_uuid")]:
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            at = names.index(column)
            rows = database.execute(
                f"SELECT * FROM {table} WHERE run_uuid = ?", [run_id]
            ).fetchall()
            marks = ",".join("?" * len(names))
            new = ((*row[:at], f"{i:032x}", *row[at + 1 :]) for i in range(n) for row in rows)
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", new)
        known = [row[1] for row in database.execute("PRAGMA table_info(latest_metrics)")]
        metrics = [*listing.METRICS, *(f"rhat/{k}" for k in range(40))]
        values = {"timestamp": 0, "step": 0, "is_nan": 0}
        rows = (
            tuple(
                {**values, "run_uuid": f"{i:032x}", "key": key, "value": drawn(key)}[name]
                for name in known
            )
            for i in range(n)
            for key in metrics
        )
        database.executemany(
            f"INSERT INTO latest_metrics VALUES ({','.join('?' * len(known))})", rows
        )


@pytest.mark.slow
def test_ten_thousand_runs_are_read_whole(tmp_path, record_property, capsys):
    with default_store(tmp_path):
        spec = RunSpec().model_dump()
        given = {k: v for k, v in spec.items() if k not in ("model", "sampler", "init")}
        made_run(**{k: v for k, v in given.items() if k not in ("session", "chamber")})
        copied(tmp_path, N_RUNS)
        earlier.runs(limit=1)  # connects
        began = time.perf_counter()
        table = earlier.runs()
        seconds = time.perf_counter() - began
        with capsys.disabled():
            sys.stdout.write(f"\n{len(table):,} runs in {seconds:.2f} s\n")
        record_property("seconds", seconds)
        assert len(table) == N_RUNS + 1
        assert table["run_id"].is_unique
        assert table["rhat_max"].notna().all()
        assert (table["draws"] == 2000).all()
        assert len(earlier.runs(filter="metrics.rhat_max < 0.001")) < 30
