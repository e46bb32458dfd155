"""Runs whose MLflow server is slow, down, restarted, broken, locked, guarded or encrypted."""

import importlib.util
import shutil
import sqlite3
import ssl
import subprocess
import threading

import fault_tools as tools
import mlflow
import pytest
from example_store import bare_folder, default_store
from needs import missing

import tallgrass as tg
from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.errors import TrackingError
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.study.recorder import Recorder
from tallgrass.study.study import Context

pytestmark = pytest.mark.faults
# As many draws as by default: two short chains pass on one processor and not on another.
SPEC = RunSpec(session="simulated", fit_checks=False, baseline="none")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with tools.server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    with bare_folder(tmp_path):
        yield tmp_path


def settings(folder, uri, **more):
    return Settings(progress="none", tracking_uri=uri, state_dir=folder / "state", **more)


def once(action):
    """An observer of sampling that does something when sampling has begun."""
    done = threading.Event()

    def observer(chains):
        if not done.is_set() and min(chain.finished for chain in chains) > 50:
            done.set()
            action()

    observer.done = done
    return observer


def assert_complete(run_id):
    """The run is FINISHED and holds its draws, verdict and report."""
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["verdict"] == "pass"
    assert "rhat_max" in run.data.metrics
    assert [one.path for one in client.list_artifacts(run_id, "report")] == ["report/index.html"]
    assert tg.load_trace(run_id)["posterior"].sizes["draw"] == SPEC.draws


def test_a_server_that_cannot_be_reached_is_an_error_before_any_work(folder):
    uri = f"http://127.0.0.1:{tools.free_port()}"
    with pytest.raises(TrackingError, match="check the address"):
        fit(SPEC, settings(folder, uri))
    assert list((folder / "state" / "runs").iterdir()) == []


def test_a_server_that_answers_500_for_a_while_gets_everything_afterwards(folder, server):
    with tools.proxy(server.url) as between:

        def break_down():
            between.mode = "500"
            threading.Timer(12.0, mend).start()

        def mend():
            between.mode = "pass"

        observer = once(break_down)
        result = fit(SPEC, settings(folder, between.url), Context(observer=observer))
        assert observer.done.is_set()
        assert between.refused > 0
        assert_complete(result.run_id)
    assert recovery.remains(settings(folder, None)) == []


def test_a_server_that_is_killed_and_comes_back_gets_everything_afterwards(folder, tmp_path):
    with tools.server(tmp_path / "own") as own:

        def restart():
            own.kill()
            threading.Timer(4.0, own.start).start()

        result = fit(
            SPEC, settings(folder, own.url, deliver_seconds=120), Context(observer=once(restart))
        )
        assert_complete(result.run_id)


def test_what_a_dead_server_did_not_take_is_delivered_by_recover(folder, tmp_path, monkeypatch):
    with tools.server(tmp_path / "own") as own:
        chosen = settings(folder, own.url, deliver_seconds=0)
        result = fit(SPEC, chosen, Context(observer=once(own.kill)))
        assert result.verdict.status == "pass"
        [left] = recovery.remains(chosen)
        assert left.waiting > 10
        assert left.status.phase == "undelivered"
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(folder / "state"))
        assert main(["recover", result.run_id[:8]]) == 2  # still down: all stays as it was
        assert recovery.remains(chosen)[0].waiting == left.waiting
        own.start()
        assert main(["recover", result.run_id[:8]]) == 0
        assert_complete(result.run_id)
        assert recovery.remains(chosen) == []


@pytest.mark.timed
def test_a_slow_server_does_not_slow_sampling_down(folder, server, monkeypatch):
    quick = fit(SPEC, settings(folder, server.url)).timings["sampling_s"]
    with tools.proxy(server.url) as between:

        def slow_down():
            between.delay = 2.0

        def hurry(recorder, trace):
            between.delay = 0.0
            return store_trace(recorder, trace)

        observer, store_trace = once(slow_down), Recorder.trace
        monkeypatch.setattr(Recorder, "trace", hurry)  # when sampling is over
        slow = fit(SPEC, settings(folder, between.url), Context(observer=observer)).timings
    # One answer of the server takes as long as this; were sampling to wait for live metrics, it
    # would wait for several.
    assert slow["sampling_s"] < 3 * quick + 2.0


def test_a_database_that_is_locked_for_a_while_gets_everything_afterwards(tmp_path):
    with default_store(tmp_path):

        def lock():
            holder = sqlite3.connect("mlflow.db", isolation_level=None, check_same_thread=False)
            holder.execute("BEGIN EXCLUSIVE")
            threading.Timer(8.0, holder.close).start()

        chosen = Settings(progress="none", state_dir=tmp_path / "state")
        result = fit(SPEC, chosen, Context(observer=once(lock)))
        assert_complete(result.run_id)


def test_postgresql_behind_a_server_that_serves_artifacts(folder, postgres_url, tmp_path):
    store = postgres_url.replace(" ", "%20").replace("postgresql://", "postgresql+psycopg://")
    with tools.server(tmp_path / "own", store) as own:
        result = fit(SPEC, settings(folder, own.url))
        assert_complete(result.run_id)
        uri = mlflow.MlflowClient().get_run(result.run_id).info.artifact_uri
        assert uri.startswith("mlflow-artifacts:")


def test_a_server_with_authentication(folder, tmp_path, monkeypatch):
    if importlib.util.find_spec("flask_wtf") is None:
        missing("MLflow's basic-auth app needs flask-wtf")
    secret = {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "s3cret",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "correct horse",
    }
    with tools.server(tmp_path / "own", None, "--app-name", "basic-auth", **secret) as own:
        with pytest.raises(TrackingError, match="MLFLOW_TRACKING_USERNAME"):
            fit(SPEC, settings(folder, own.url))
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "correct horse")
        assert_complete(fit(SPEC, settings(folder, own.url)).run_id)


def test_https_with_a_certificate_authority_of_ones_own(folder, server, monkeypatch):
    if shutil.which("openssl") is None:
        missing("no openssl to make a certificate with")
    key, certificate = folder / "key.pem", folder / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with tools.proxy(server.url) as between:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        between.socket = context.wrap_socket(between.socket, server_side=True)
        uri = between.url.replace("http:", "https:")
        with pytest.raises(TrackingError, match="MLFLOW_TRACKING_SERVER_CERT_PATH"):
            fit(SPEC, settings(folder, uri))
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
        assert_complete(fit(SPEC, settings(folder, uri)).run_id)
