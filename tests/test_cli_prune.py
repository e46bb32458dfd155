"""``tallgrass prune``: which traces go, which stay, and what readers say afterwards."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from example_store import default_store, made_run
from example_trace import example_trace, example_votes

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import TrackingError
from tallgrass.study.recorder import Recorder
from tallgrass.tracking.writing import start_run

ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


@pytest.fixture(scope="module")
def trace():
    return example_trace(*example_votes(8, 6), draws=100)


@pytest.fixture
def kept_run(store, trace):
    """Makes a run with a trace; tags may be given."""

    def make(**tags):
        run_id = made_run(tags={name.replace("_", "."): value for name, value in tags.items()})
        with start_run(None, "again", resume=run_id) as run:
            Recorder(run, "float32").trace(trace)
        return run_id

    return make


def path_of(run_id):
    return Path(mlflow.MlflowClient().get_run(run_id).info.artifact_uri) / "trace" / "idata.nc"


def pruned(capsys, *words):
    assert main(["prune", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_trace_goes_and_the_tables_and_the_record_stay(kept_run, capsys):
    run_id = kept_run()
    size = path_of(run_id).stat().st_size
    result = pruned(capsys, "--yes")
    assert result["pruned"] == [{"run_id": run_id, "freed": size}]
    assert not path_of(run_id).exists()
    run = mlflow.MlflowClient().get_run(run_id)
    assert (run.info.status, run.data.tags["verdict"]) == ("FINISHED", "pass")


def test_a_reader_says_in_one_line_when_the_trace_was_pruned(kept_run, capsys):
    run_id = kept_run()
    pruned(capsys, "--yes")
    with pytest.raises(TrackingError, match=r"its trace was pruned on \d{4}-\d\d-\d\d"):
        tg.load_trace(run_id)
    other = kept_run()
    assert main(["link", run_id, other]) == 2
    error = capsys.readouterr().err
    assert "its trace was pruned on" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("tags", "reason"),
    [({"baseline": "true"}, "it is promoted"), ({"pinned": "true"}, "it is pinned")],
)
def test_a_promoted_or_pinned_run_keeps_its_trace(kept_run, capsys, tags, reason):
    run_id = kept_run(**tags)
    result = pruned(capsys, "--yes")
    assert result["kept"] == [{"run_id": run_id, "reason": reason}]
    assert path_of(run_id).exists()
    assert main(["prune", run_id, "--yes"]) == 2
    assert reason in capsys.readouterr().err


def test_the_baseline_of_another_run_keeps_its_trace(kept_run, capsys):
    baseline = kept_run()
    other = kept_run(baseline_run_id=baseline)
    mlflow.MlflowClient().set_tag(other, "baseline.run_id", baseline)
    result = pruned(capsys, "--yes")
    assert [entry["run_id"] for entry in result["pruned"]] == [other]
    assert path_of(baseline).exists()


def test_a_run_under_way_is_never_touched(kept_run, capsys):
    run_id = kept_run()
    mlflow.MlflowClient().update_run(run_id, "RUNNING")
    assert pruned(capsys, "--yes")["kept"][0]["reason"] == "it is under way"
    assert path_of(run_id).exists()


def test_thinning_keeps_every_nth_draw_and_the_tag_says_so(kept_run, capsys):
    run_id = kept_run()
    before = path_of(run_id).stat().st_size
    result = pruned(capsys, "--thin=10", "--yes")
    trace = tg.load_trace(run_id)
    assert trace["posterior"].sizes["draw"] == 10
    assert result["freed"] == before - path_of(run_id).stat().st_size > 0
    assert mlflow.MlflowClient().get_run(run_id).data.tags["trace.thinned"] == "10"
    assert pruned(capsys, "--thin=10", "--yes")["pruned"] == []


def test_a_dry_run_says_what_would_be_free_and_changes_nothing(kept_run, capsys):
    run_id = kept_run()
    size = path_of(run_id).stat().st_size
    assert pruned(capsys, "--dry-run")["freed"] == size
    assert path_of(run_id).exists()
    assert "trace.pruned" not in mlflow.MlflowClient().get_run(run_id).data.tags


def test_only_runs_that_started_before_a_time_are_pruned(kept_run, capsys):
    kept_run()
    assert pruned(capsys, "--before=2020-01-01", "--yes")["pruned"] == []


def test_without_a_terminal_it_removes_nothing_unless_told_to(kept_run, capsys):
    run_id = kept_run()
    assert main(["prune"]) == 2
    assert "add --yes, or --dry-run" in capsys.readouterr().err
    assert path_of(run_id).exists()


@pytest.mark.parametrize(("answer", "stays"), [("n", True), ("y", False)])
def test_on_a_terminal_it_asks_first(kept_run, store, answer, stays):
    run_id = kept_run()
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "tallgrass", "prune"],
        cwd=store,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        capture_output=True,
        text=True,
        check=True,
    )
    os.close(ours)
    os.close(theirs)
    assert "Remove these traces for good? [y/N]" in done.stdout
    assert path_of(run_id).exists() == stays


def test_artifacts_that_are_elsewhere_are_left_alone_with_a_reason(kept_run, store, capsys):
    import sqlite3
    from contextlib import closing

    kept_run()
    with closing(sqlite3.connect(store / "mlflow.db")) as database, database:
        database.execute("UPDATE runs SET artifact_uri = 's3://bucket/' || run_uuid")
    reason = "its artifacts are not on this machine"
    assert pruned(capsys, "--yes")["kept"][0]["reason"] == reason


def test_sizes_of_a_run_are_listed_with_the_largest_first(kept_run, capsys):
    run_id = kept_run()
    assert main(["show", run_id, "--sizes"]) == 0
    shown = capsys.readouterr().out
    assert "kB  trace/idata.nc" in shown
    assert shown.index("trace/idata.nc") < shown.index("in all")
    assert main(["show", run_id, "--json"]) == 0
    sizes = json.loads(capsys.readouterr().out)["sizes"]
    assert sizes == {"trace/idata.nc": path_of(run_id).stat().st_size}
