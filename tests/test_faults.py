"""Runs that are killed, stopped, or lose their disk: nothing is lost, and the next run starts."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time

import fault_tools as tools
import mlflow
import psutil
import pytest
from example_store import default_store
from needs import missing

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.settings import Settings

pytestmark = pytest.mark.faults
LONG = ["--draws=200000", "--tune=300"]
# Where a run ends as kill -9 ends it, about to call this; and what it is once it was recovered.
MOMENTS = {
    "when the store is opened": ("tallgrass.study.way", "store.connect", None),
    "when it says what it is": ("tallgrass.study.recorder", "Recorder.declare", "FAILED"),
    "when it is to sample": ("tallgrass.study.surroundings", "DrawFiles", "FAILED"),
    "when its draws are to be stored": ("tallgrass.study.recorder", "Recorder.trace", "RECOVERED"),
    "when its draws are stored": ("tallgrass.study.recorder", "Recorder.conclude", "RECOVERED"),
    "when its report is stored": ("tallgrass.study.recorder", "Recorder.timings", "RECOVERED"),
    "when all is stored": ("tallgrass.tracking.writing.run", "ActiveRun.close", "RECOVERED"),
    "when it is FINISHED": ("tallgrass.tracking.lifecycle.life", "Life.end", "RECOVERED"),
}


@pytest.fixture
def store(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def runs():
    client = mlflow.MlflowClient()
    return client.search_runs([one.experiment_id for one in client.search_experiments()])


def the_run():
    [run] = runs()
    return run


def draws_in(run):
    import tallgrass as tg

    return tg.load_trace(run.info.run_id)["posterior"].sizes["draw"]


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def seen_while(folder, process, seconds):
    """What the run said in the next seconds: (when, draws without tuning of the slowest chain)."""
    seen, until = [], time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        status = tools.status_of(folder, process)
        if status and status.chains:
            done = min(chain.finished for chain in status.chains) - 300
            seen.append((time.monotonic(), max(0, done)))
        time.sleep(0.05)
    return seen


@pytest.mark.parametrize(("module", "called", "left"), MOMENTS.values(), ids=MOMENTS)
def test_a_run_that_is_killed_is_recovered_with_its_draws_or_closed(store, module, called, left):
    code = (
        f"import os, sys, {module} as module\n"
        f"module.{called} = lambda *_, **__: os.kill(os.getpid(), 9)\n"
        "from tallgrass.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    process = tools.start(store, "--draws=400", "--tune=300", code=code)
    assert process.wait(300) == -signal.SIGKILL

    assert main(["recover", "--all"]) == 0

    assert recovery.remains(Settings()) == []
    if left is None:
        assert runs() == []
        return
    run = the_run()
    tags = run.data.tags
    if left == "FAILED":
        assert run.info.status == "FAILED"
        assert "ended without a word" in tags["error"]
        assert "recovered" not in tags
        assert mlflow.MlflowClient().list_artifacts(run.info.run_id, "trace") == []
        return
    assert run.info.status == "FINISHED"
    assert tags["recovered"] == "true"
    assert tags["verdict"] == "fail"  # 400 draws of this legislature are too few
    assert "error" not in tags
    assert draws_in(run) == 400


@pytest.mark.timed
@pytest.mark.parametrize("number", [1, 2])
def test_after_kill_9_the_draws_of_two_seconds_before_are_recovered(store, number):
    process = tools.start(store, *LONG)
    try:
        tools.sampling(store, process, 600)
        seen = seen_while(store, process, 2.5 + random.Random(number).uniform(0, 4))
    finally:
        killed_at = time.monotonic()
        end(process)
    promised = max(draws for at, draws in seen if at < killed_at - 2.0)
    assert promised > 0

    assert main(["recover", "--all"]) == 0

    run = the_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert promised <= draws_in(run) < 200_000
    assert recovery.remains(Settings()) == []
    assert main([*tools.RUN, "--draws=20", "--tune=30"]) == 0  # the next one starts


def test_chains_of_pymc_end_with_a_run_that_is_killed(store):
    process = tools.start(store, *LONG, "--sampler=pymc", "--model=flat")
    try:
        tools.keeping(store, process)
        children = psutil.Process(process.pid).children()
        chains = [one for one in children if one.name() != "git"]  # it told the commit
        assert len(chains) == 2
        process.kill()  # the run alone, not its group
        _, alive = psutil.wait_procs(chains, timeout=20)
        assert alive == []
    finally:
        end(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert main(["recover", "--all"]) == 0
    assert draws_in(the_run()) > 0


def test_draws_of_gibbs_are_recovered_after_kill_9(store):
    words = ["calibrate", "--engine=gibbs", "--progress=none", "--chains=4"]
    process = tools.start(store, "--draws=16000", "--tune=10", command=words)
    try:
        before = tools.keeping(store, process)
    finally:
        end(process)

    assert main(["recover", "--all"]) == 0

    run = the_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert draws_in(run) >= before
    assert run.data.metrics["rhat_max"] > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_sampling_and_keeps_the_draws(store, number):
    process = tools.start(store, *LONG)
    try:
        tools.sampling(store, process, 600)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    finally:
        end(process)
    run = the_run()
    assert run.info.status == "KILLED"
    assert run.data.tags["interrupted_at"]
    assert 100 < draws_in(run) < 200_000
    assert recovery.remains(Settings()) == []


@pytest.mark.timed
def test_a_second_signal_ends_at_once_and_the_draws_on_disk_are_recovered(store):
    # What the first one began, to store the draws, does not come to an end.
    code = (
        "import sys, time\n"
        "from tallgrass.study.recorder import Recorder\n"
        "Recorder.trace = lambda *_: time.sleep(120)\n"
        "from tallgrass.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    process = tools.start(store, *LONG, code=code)
    try:
        tools.keeping(store, process, 1_001)
        process.send_signal(signal.SIGINT)
        tools.wait_until(
            lambda: (s := tools.status_of(store, process)) and s.phase == "saving", process, store
        )
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(30) in (128 + signal.SIGINT, -signal.SIGINT)
        assert time.monotonic() - began < 5
    finally:
        end(process)
    main(["recover", "--all"])
    run = the_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert draws_in(run) > 1000


def test_a_folder_that_becomes_read_only_while_sampling_loses_nothing(store):
    """Artifacts cannot be written; they wait, and are delivered when the folder is mended."""
    process = tools.start(store, "--draws=6000", "--tune=300", "--deliver-seconds=2")
    try:
        tools.sampling(store, process, 500)
        experiment = next((store / "mlruns").iterdir())
        moved = experiment.rename(store / "aside")
        experiment.write_text("in the way")  # also for root, whom permissions do not stop
        assert process.wait(120) == 0, (store / "said").read_text()
    finally:
        end(process)
    experiment.unlink()
    moved.rename(experiment)
    [left] = recovery.remains(Settings())
    assert left.waiting > 5
    assert left.status.phase == "undelivered"

    assert main(["recover", left.status.run_id[:8]]) == 0

    run = the_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["verdict"] == "pass"
    assert draws_in(run) == 6000
    paths = [one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id, "report")]
    assert paths == ["report/index.html"]
    assert recovery.remains(Settings()) == []


def test_a_full_disk_of_the_state_folder_stops_neither_sampling_nor_the_run(store):
    small = store / "small"
    small.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False
        ).returncode
    )
    if not mounted:
        missing("no small disk could be mounted: only root can, and not in every container")
    process = None
    try:
        process = tools.start(
            store, "--draws=6000", "--tune=300", TALLGRASS_STATE_DIR=str(small / "state")
        )
        assert process.wait(180) == 0, (store / "said").read_text()
    finally:
        if process is not None:
            end(process)
        subprocess.run(["umount", str(small)], check=True)
    said = (store / "said").read_text()
    assert "no longer kept on disk" in said
    assert the_run().info.status == "FINISHED"
    assert draws_in(the_run()) == 6000


def test_discarded_draws_are_gone_and_the_run_is_closed(store):
    process = tools.start(store, *LONG)
    try:
        tools.keeping(store, process, 101)
    finally:
        end(process)
    [left] = recovery.remains(Settings())
    assert main(["recover", left.status.run_id, "--discard"]) == 0
    assert recovery.remains(Settings()) == []
    assert not left.folder.exists()
    run = the_run()
    assert run.info.status == "FAILED"
    assert "without a word" in run.data.tags["error"]


def test_draws_whose_votes_are_gone_stay_until_their_diagnostics_alone_are_asked_for(store):
    session = store / "made"
    assert main(["simulate", str(session)]) == 0
    process = tools.start(store, f"--session={session}", *LONG)
    try:
        tools.keeping(store, process, 101)
    finally:
        end(process)
    shutil.rmtree(session)
    [left] = recovery.remains(Settings())
    assert main(["recover", left.status.run_id]) == 2
    assert recovery.remains(Settings()) == [left]
    assert main(["recover", left.status.run_id, "--draws-only"]) == 0
    run = the_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert "rhat_max" in run.data.metrics
    assert draws_in(run) > 100
