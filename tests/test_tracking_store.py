import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import mlflow
import pytest
from example_store import bare_folder, default_store

from tallgrass.errors import TrackingError
from tallgrass.tracking import pages, store

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path):
    with bare_folder(tmp_path):
        yield tmp_path


def test_the_default_store_is_mlflow_db_in_the_current_folder(tmp_path):
    with default_store(tmp_path):
        store.connect(None)
        assert f"sqlite:///{tmp_path}/mlflow.db" == mlflow.get_tracking_uri()


def test_a_given_uri_is_used_and_its_database_made(folder):
    store.connect("sqlite:///runs/own.db")
    assert (folder / "runs" / "own.db").exists()
    assert not (folder / "mlflow.db").exists()


def test_making_a_store_says_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from tallgrass.tracking.store import connect; connect()"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "mlflow.db").exists()
    assert (done.stdout, done.stderr) == ("", "")


def test_a_stale_file_store_is_named_with_the_way_to_mend_it(folder):
    (folder / "mlruns" / "0").mkdir(parents=True)
    (folder / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    with pytest.raises(TrackingError, match=r"mlruns/0/meta\.yaml.*move the folder"):
        store.connect(None)
    assert not (folder / "mlflow.db").exists()


def test_artifacts_of_a_database_store_are_not_taken_for_a_file_store(tmp_path):
    with default_store(tmp_path):
        (tmp_path / "mlruns" / "1" / "abc").mkdir(parents=True)
        store.connect(None)


def test_a_plain_folder_as_store_is_refused_with_what_to_use(folder):
    with pytest.raises(TrackingError, match=r"plain folder.*sqlite:///mlflow\.db"):
        store.connect("file:///tmp/somewhere")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:{port}",
        "https://someone:hush@127.0.0.1:{port}/prefix",
        "http://nohost.invalid",
        "postgresql://someone:hush@127.0.0.1:{port}/runs",
        "mysql+pymysql://someone:hush@127.0.0.1:{port}/runs",
    ],
)
def test_an_unreachable_store_fails_within_seconds_without_its_password(folder, uri):
    started = time.monotonic()
    with pytest.raises(TrackingError) as caught:
        store.connect(uri.format(port=_free_port()))
    assert time.monotonic() - started < 10
    assert "hush" not in str(caught.value)
    assert caught.value.mend


def test_a_server_that_never_answers_fails_within_seconds(folder):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(TrackingError, match="timed out"):
            store.connect(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - started < 15


def test_a_server_that_is_not_mlflow_is_refused(folder):
    class Page(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(TrackingError, match="404"):
            store.connect(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def test_the_retries_of_mlflow_are_back_to_normal_after_the_check(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    with pytest.raises(TrackingError):
        store.connect(f"http://127.0.0.1:{_free_port()}")
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


# Processes of one that has imported MLflow, which takes seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tallgrass.tracking.store"])


def make_store(folder, experiment):
    os.chdir(folder)
    store.connect()
    store.client().create_experiment(experiment)


def test_a_store_whose_making_is_killed_is_not_there_and_the_next_one_is_whole(folder):
    child = PROCESSES.Process(target=make_store, args=(folder, "one"))
    child.start()
    while not list(folder.glob(".mlflow.db.*/mlflow.db")):
        assert child.is_alive()
        time.sleep(0.005)
    child.kill()
    child.join()
    assert not (folder / "mlflow.db").exists()
    store.connect()
    assert store.client().get_experiment("0").artifact_location == str(folder / "mlruns/0")


def test_two_processes_that_make_a_store_at_once_share_it(folder):
    children = [PROCESSES.Process(target=make_store, args=(folder, x)) for x in ("one", "two")]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    store.connect()
    assert {e.name for e in store.client().search_experiments()} == {"Default", "one", "two"}


def test_a_database_without_its_driver_names_the_package(folder):
    with pytest.raises(TrackingError, match="install the Python package pymysql"):
        store.connect("mysql+pymysql:///runs")


@pytest.mark.parametrize("uri", ["nonsense://x", "sqlite:/broken"])
def test_a_uri_of_no_known_kind_is_refused(folder, uri):
    with pytest.raises(TrackingError):
        store.connect(uri)


def test_a_file_that_is_no_database_is_refused(folder):
    (folder / "mlflow.db").write_text("legislator,vote\n")
    with pytest.raises(TrackingError, match="not an SQLite database"):
        store.connect(None)
    assert (folder / "mlflow.db").read_text() == "legislator,vote\n"


def test_a_database_of_another_program_or_version_is_an_error_with_a_way_out(tmp_path):
    with default_store(tmp_path):
        with sqlite3.connect("mlflow.db") as database:
            database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        database.close()
        with pytest.raises(TrackingError, match="mlflow db upgrade"):
            store.connect(None)


@pytest.mark.faults
def test_a_read_only_folder_is_an_error_and_nothing_is_left_in_it():
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o555)
        # Root may write anywhere, so it turns into nobody, once everything is imported that
        # nobody might not be allowed to read.
        code = (
            "import os, mlflow, sqlalchemy.dialects.sqlite\n"
            "from tallgrass.tracking.store import connect\n"
            "if os.geteuid() == 0: os.seteuid(65534)\n"
            "connect()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "cannot write the MLflow store (Permission denied)" in done.stderr
        assert list(folder.iterdir()) == []


def test_inside_mlflow_run_its_store_is_used_whatever_the_settings_say(tmp_path, monkeypatch):
    with default_store(tmp_path):
        theirs = f"sqlite:///{tmp_path}/mlflow.db"
        monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", theirs)
        store.connect("sqlite:///ours.db")
        assert theirs == mlflow.get_tracking_uri()
        assert not Path("ours.db").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:s3c:r@t@host/db", "postgresql://me:***@host/db"),
        ("https://token@host/x", "https://***@host/x"),
        (
            "mysql://host/db?user=me&password=hush&ssl=1",
            "mysql://host/db?user=me&password=***&ssl=1",
        ),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("see http://127.0.0.1:5000/#/runs", "see http://127.0.0.1:5000/#/runs"),
    ],
)
def test_secrets_in_addresses_are_masked(text, expected):
    assert expected == store.masked(text)


def test_the_page_of_a_run_is_where_the_ui_shows_it(folder):
    face = "workflowType=machine_learning"  # else MLflow shows its pages for language models
    assert pages.page("7", "abc") == f"http://127.0.0.1:5000/#/experiments/7/runs/abc?{face}"
    mlflow.set_tracking_uri("https://me:hush@runs.example.org/ml/")
    assert pages.page("7") == f"https://runs.example.org/ml/#/experiments/7/runs?{face}"


def test_the_server_of_a_local_store_gets_the_address_by_environment_and_no_job_workers(folder):
    mlflow.set_tracking_uri("postgresql://me:hush@host/db")
    command, environment = store.server_command(5001)
    assert "hush" not in " ".join(command)
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:hush@host/db"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_a_store_that_is_a_server_needs_no_other(folder):
    mlflow.set_tracking_uri("http://runs.example.org")
    assert store.server_command(5001) is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
