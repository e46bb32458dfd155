"""A server that wants a new login in the middle of a run, and one that cuts uploads off."""

import hashlib
import random
import threading
from pathlib import Path

import fault_tools as tools
import mlflow
import psutil
import pytest
from example_store import bare_folder

import tallgrass as tg
from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.study.study import Context
from tallgrass.tracking import store
from tallgrass.tracking.writing import start_run

pytestmark = pytest.mark.faults

LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
SPEC = RunSpec(
    session="simulated", draws=200, tune=200, chains=2, fit_checks=False, baseline="none"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with tools.server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with bare_folder(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def test_a_login_that_expires_while_a_run_samples_loses_nothing(folder, server, capsys, caplog):
    with tools.proxy(server.url) as between:
        expired = threading.Event()

        def expire(chains):
            if not expired.is_set() and min(chain.finished for chain in chains) > 50:
                expired.set()
                between.mode = "401"

        settings = Settings(
            progress="none", tracking_uri=between.url, state_dir=folder / "state", deliver_seconds=0
        )
        result = fit(SPEC, settings, Context(observer=expire))
        assert expired.is_set()
        assert between.refused > 0
        assert all(name in caplog.text for name in LOGIN)
        [left] = recovery.remains(settings)
        assert left.waiting > 10
        before = mlflow.MlflowClient(server.url).get_run(result.run_id)
        assert before.info.status == "RUNNING"
        assert "verdict" not in before.data.tags
        assert "rhat_max" not in before.data.metrics

        capsys.readouterr()
        assert main(["recover", result.run_id[:8]]) == 2
        said = capsys.readouterr().err
        assert all(name in said for name in LOGIN), said
        assert recovery.remains(settings) == [left]

        between.mode = "pass"
        assert main(["recover", result.run_id[:8]]) == 0
        run = mlflow.MlflowClient().get_run(result.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.tags["verdict"] == result.verdict.status
        assert "rhat_max" in run.data.metrics
        assert tg.load_trace(result.run_id)["posterior"].sizes["draw"] == SPEC.draws
        assert recovery.remains(settings) == []


def test_an_upload_that_is_cut_off_twice_arrives_whole(folder, server):
    content = random.Random(1).randbytes(20 * 2**20)
    (folder / "large.bin").write_bytes(content)
    with tools.proxy(server.url) as between:
        store.connect(between.url)
        between.cuts = 2
        with start_run(None, "upload") as run:
            run.spool_to(folder / "spool", patience=60)
            run.log_artifact(folder / "large.bin", "trace")
            waiting = list((folder / "spool").glob("*.json"))
        assert between.cuts == 0
        assert len(waiting) == 1  # both attempts of MLflow were cut off
        assert list((folder / "spool").iterdir()) == []
        client = mlflow.MlflowClient()
        assert client.get_run(run.run_id).info.status == "FINISHED"
        [stored] = client.list_artifacts(run.run_id, "trace")
        assert stored.file_size == len(content)
        arrived = Path(client.download_artifacts(run.run_id, stored.path, str(folder)))
        assert hashlib.sha256(arrived.read_bytes()).digest() == hashlib.sha256(content).digest()


def test_an_artifact_of_200_mb_goes_through_the_server_without_being_held_in_memory(folder, server):
    part, n_parts = random.Random(2).randbytes(10**6), 200
    with (folder / "large.bin").open("wb") as large:
        large.writelines([part] * n_parts)
    store.connect(server.url)
    process = psutil.Process()
    with start_run(None, "upload") as run:
        run.spool_to(folder / "spool", patience=0)
        run.log_text("first", "trace/first.txt")  # imports what it takes
        seen, ended = [process.memory_info().rss], threading.Event()

        def watch():
            while not ended.wait(0.01):
                seen.append(process.memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        run.log_artifact(folder / "large.bin", "trace")
        ended.set()
        watching.join()
    assert len(seen) > 5
    assert max(seen) - seen[0] < 30e6
    arrived = mlflow.MlflowClient().download_artifacts(run.run_id, "trace/large.bin", str(folder))
    with Path(arrived).open("rb") as large:
        assert all(large.read(len(part)) == part for _ in range(n_parts))
        assert large.read() == b""
