"""Stores that are not what they should be: one line, exit status 2, and nothing half-written."""

import errno
import json
import os
import sqlite3
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fault_tools as tools
import mlflow
import pytest
from example_store import default_store, migrated, status_of
from needs import missing

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.errors import TrackingError
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle, store, writing
from tallgrass.tracking.writing.spool import Spool

pytestmark = pytest.mark.faults
COMMANDS = {
    "runs": ["runs"],
    "show": ["show", "abcdef12"],
    "compare": ["compare", "abcdef12", "abcdef13"],
    "recover": ["recover", "--all"],
    "prune": ["prune", "--dry-run"],
    "run": ["run", "--session=simulated", "--progress=none", "--draws=20", "--tune=20"],
}
ANSWERS = {
    "a list": b"[1, 2]",
    "another object": b'{"a": 1}',
    "the names with other shapes": b'{"experiments": 3, "runs": "x"}',
    "nothing": b"",
    "a page": b"<html>hello</html>",
}


@contextmanager
def answering(content):
    """A server that answers everything with 200 and the same."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any

        def log_message(self, *_):
            """In silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def refused(words, capsys):
    """Whether a command ends with one line on standard error, and status 2."""
    assert main(words) == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    [line] = told.err.strip().splitlines()
    assert line.startswith("tallgrass: error: ")
    return line


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_server_that_is_no_mlflow_is_refused(folder, monkeypatch, capsys, answer, words):
    with answering(answer) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert address in refused(words, capsys)


@pytest.mark.parametrize("uri", ["http://[::1", "http://host:port", "https://a:99999999"])
def test_an_address_that_is_none_is_refused(folder, monkeypatch, capsys, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for words in COMMANDS.values():
        assert "is no address" in refused(words, capsys)


@pytest.mark.parametrize("password", ["pa ss", "pa/ss", "p@ss"])
def test_an_address_that_is_none_is_told_without_its_password(
    folder, monkeypatch, capsys, password
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://teller:{password}@[::1")
    line = refused(["runs"], capsys)
    assert "is no address" in line
    assert "ss" not in line.partition("received")[2]


@pytest.mark.parametrize("table", ["runs", "latest_metrics", "params", "tags"])
def test_a_database_without_a_table_is_told_in_one_line(folder, capsys, table):
    run = mlflow.MlflowClient().create_run("0", tags={"schema_version": "1"})
    mlflow.MlflowClient().set_terminated(run.info.run_id)
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute(f"alter table {table} rename to gone")
    assert table in refused(["runs"], capsys)


# What waits for a store.


@pytest.fixture
def waiting(folder):
    """A run that was closed as that of a dead process, and whose last writes wait."""
    with writing.start_run(None, "x") as run:
        pass
    kept = lifecycle.run_folder(folder / "state", run.run_id) / "spool"
    spool = Spool(store.client(), run.run_id, kept)
    (folder / "page.html").write_text("a report")
    spool._keep({"kind": "artifact", "file": "page.html", "folder": "report"}, folder)
    spool._keep({"kind": "end", "status": "FINISHED", "at": 1}, folder)
    writing.close_dead(run.run_id, "FAILED", f"its process 1 {writing.WITHOUT_A_WORD}")
    status = {
        "run_id": run.run_id, "name": "x", "pid": 1, "pid_started": 1.0, "pgid": 1,
        "phase": "undelivered", "started_at": 1.0, "updated_at": 1.0,
        "tracking_uri": f"sqlite:///{folder}/mlflow.db", "working_dir": str(folder),
    }  # fmt: skip
    (kept.parent / "status.json").write_text(json.dumps(status))
    return run.run_id, kept


def test_the_note_that_a_run_ended_without_a_word_goes_when_it_ends_well(waiting):
    run_id, _ = waiting
    assert main(["recover", run_id]) == 0
    assert status_of(run_id) == "FINISHED"
    assert "error" not in mlflow.MlflowClient().get_run(run_id).data.tags


def test_a_disk_that_is_full_is_told_from_a_server_in_trouble(folder, waiting, capsys):
    run_id, kept = waiting
    artifacts = folder / "mlruns"
    artifacts.mkdir(exist_ok=True)
    small = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(artifacts)]
    if os.geteuid() != 0 or subprocess.run(small, check=False).returncode:
        missing("no small disk could be mounted: only root can, and not in every container")
    try:
        (artifacts / "full").write_bytes(b"x" * 4096)
        line = refused(["recover", run_id], capsys)
    finally:
        subprocess.run(["umount", str(artifacts)], check=True)
    assert os.strerror(errno.ENOSPC) in line
    assert "make room on the disk" in line
    assert len(list(kept.glob("*.json"))) == 2
    assert main(["recover", run_id]) == 0


def test_a_server_in_trouble_is_told_as_that(waiting):
    run_id, kept = waiting
    address = f"http://127.0.0.1:{tools.free_port()}"
    mlflow.set_tracking_uri(address)
    store._checked.add(address)
    (kept / "000001.json").unlink()
    with pytest.raises(TrackingError, match="check that its server runs"):
        writing.deliver(run_id, kept)


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_draws_outlive_a_store_that_goes_while_they_are_made(folder, replaced):
    process = tools.start(folder, "--draws=3000", "--tune=300", "--deliver-seconds=1")
    tools.sampling(folder, process)
    (folder / "mlflow.db").unlink()
    if replaced:
        (folder / "mlflow.db").write_bytes(migrated())
    assert process.wait(300) == 2
    said = (folder / "said").read_text()
    assert "Traceback" not in said
    assert "was deleted or replaced" in said
    [left] = recovery.remains(Settings())
    assert min(left.draws) == 3000

    mlflow.set_tracking_uri(None)
    assert main(["recover", left.status.run_id, "--as-new"]) == 0

    [run] = mlflow.MlflowClient().search_runs(["1"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered.from"] == left.status.run_id
    assert run.data.tags["verdict"]
    assert run.data.params["session"] == "simulated"
    assert recovery.remains(Settings()) == []
