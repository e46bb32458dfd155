"""A run that lives is left alone: by other containers, clocks, users and machines."""

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import attacks
import fault_tools as tools
import mlflow
import pytest
from example_store import bare_folder, default_store, status_of

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle
from tallgrass.tracking.lifecycle import Fate
from tallgrass.tracking.writing import close_orphans

pytestmark = pytest.mark.faults
LONG = ["--draws=200000", "--tune=100"]
SMALL = [*tools.RUN, "--draws=20", "--tune=20", "--max-concurrent=0"]


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def folder():
    """A store that other users can write too."""
    with tempfile.TemporaryDirectory() as made, default_store(Path(made)) as folder:
        folder.chmod(0o777)
        (folder / "mlflow.db").chmod(0o666)
        yield folder


@pytest.fixture(scope="module")
def live(folder):
    """A run in the midst of sampling, and its process."""
    process = tools.start(folder, *LONG)
    try:
        tools.keeping(folder, process)
        process.send_signal(signal.SIGSTOP)  # it lives, and leaves the cores to the attacks
        yield tools.status_of(folder, process).run_id, process
    finally:
        end(process)


def untouched(folder, live):
    run_id, process = live
    run = mlflow.MlflowClient().get_run(run_id)
    kept = lifecycle.run_folder(folder / "state", run_id)
    assert process.poll() is None
    assert run.info.status == "RUNNING"
    assert not {"error", "recovered"} & set(run.data.tags)
    assert (kept / "draws" / "header.json").exists()
    return True


def test_a_container_recovers_no_run_that_samples_in_another_one(folder, live):
    done = attacks.attacked(attacks.CONTAINER, folder, "recover", "--all")
    assert (done.returncode, done.stdout) == (0, "nothing to recover\n"), done.stderr
    named = attacks.attacked(attacks.CONTAINER, folder, "recover", live[0][:8])
    assert named.returncode == 2
    assert untouched(folder, live)


@pytest.mark.parametrize("state", ["state", "other"])
def test_a_run_in_another_container_leaves_it_alone_whatever_its_folder_of_runs(
    folder, live, state
):
    other = {"TALLGRASS_STATE_DIR": str(folder / state)}
    done = attacks.attacked(attacks.CONTAINER, folder, *SMALL, **other)
    assert done.returncode == 0, done.stderr
    assert untouched(folder, live)


@pytest.mark.parametrize("seconds", [3, -3, 36_000])
def test_a_clock_that_is_set_does_not_make_a_run_dead(folder, live, seconds):
    clock = attacks.moved_clock(folder, seconds)
    done = attacks.attacked(
        clock, folder, "recover", "--all", TALLGRASS_STATE_DIR=str(folder / "o")
    )
    assert done.returncode == 0, done.stderr
    assert attacks.attacked(clock, folder, "recover", "--all").returncode == 0
    assert untouched(folder, live)


def test_another_user_from_whom_processes_are_hidden_leaves_a_run_alone(folder, live):
    (folder / "nobody").mkdir()
    (folder / "nobody").chmod(0o777)
    variables = {"TALLGRASS_STATE_DIR": str(folder / "nobody"), "HOME": str(folder / "nobody")}
    done = attacks.attacked(attacks.USER, folder, "recover", "--all", **variables)
    assert done.returncode == 0, done.stderr
    assert untouched(folder, live)


def test_another_machine_of_the_same_name_leaves_a_run_alone(folder, live):
    machine = attacks.other_machine(folder)
    for state in ("state", "other"):
        variables = {"TALLGRASS_STATE_DIR": str(folder / state)}
        assert attacks.attacked(machine, folder, "recover", "--all", **variables).returncode == 0
    assert untouched(folder, live)


def test_a_run_of_which_nothing_is_seen_says_whose_it_is_and_is_recovered_when_forced(
    folder, capsys, monkeypatch
):
    monkeypatch.setenv("TALLGRASS_STATE_DIR", str(folder / "away" / "state"))
    (folder / "away").mkdir()
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    process = tools.start(folder / "away", *LONG, **store)
    try:
        tools.keeping(folder / "away", process, 50)
    finally:
        end(process)
    [left] = recovery.remains(Settings())
    assert left.fate is Fate.DEAD
    # As another machine would have written it, on a file system without locks.
    elsewhere = replace(left.status.owner, host="node7", boot="b", machine="m", user="ann")
    (left.folder / "owner.json").unlink()
    left.status.owner = elsewhere
    lifecycle.write_status(left.folder, left.status)
    mlflow.MlflowClient().set_tag(left.status.run_id, "process.owner", elsewhere.to_json())

    assert main(["recover", "--all"]) == 0
    assert "of host node7, user ann" in capsys.readouterr().err
    assert main(["recover", left.status.run_id]) == 2
    assert "belongs to host node7, user ann" in capsys.readouterr().err
    assert status_of(left.status.run_id) == "RUNNING"

    assert main(["recover", left.status.run_id, "--force"]) == 0
    assert status_of(left.status.run_id) == "FINISHED"
    assert recovery.remains(Settings()) == []


@pytest.mark.parametrize("command", ["link", "calibrate"])
def test_a_link_and_a_comparison_of_engines_that_are_killed_are_closed(tmp_path, command):
    killed = {
        "link": "from tallgrass.rollcalls.link import LinkStudy as C\nname = 'analysed'\n",
        "calibrate": "import tallgrass.items.steps as C\nname = 'run_steps'\n",
    }[command]
    code = (
        f"import os, sys\n{killed}"
        "setattr(C, name, lambda *_, **__: os.kill(os.getpid(), 9))\n"
        "from tallgrass.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    with default_store(tmp_path):
        words = ["calibrate", "--engines=map,mml"]
        if command == "link":
            for seed in (1, 2):
                assert main([*tools.RUN, "--draws=60", "--tune=60", f"--seed={seed}"]) == 0
            runs = mlflow.MlflowClient().search_runs(["1"])
            words = ["link", *(run.info.run_id for run in runs)]
        process = tools.start(tmp_path, command=words, code=code)
        assert process.wait(300) == -signal.SIGKILL, (tmp_path / "said").read_text()
        [running] = mlflow.MlflowClient().search_runs(["1"], "attributes.status = 'RUNNING'")
        [closed] = close_orphans(lifecycle.state_dir(tmp_path / "elsewhere"))
        assert closed.run_id == running.info.run_id
        assert status_of(closed.run_id) == "FAILED"


def test_more_runs_than_a_page_holds_are_looked_at(tmp_path):
    with default_store(tmp_path):
        alive = lifecycle.this_owner()
        owners = dict.fromkeys(range(1001), alive)
        owners[0] = owners[1000] = replace(alive, pid=999999999)  # the last and the first asked for
        with contextlib.closing(sqlite3.connect("mlflow.db")) as database, database:
            database.executemany(
                "INSERT INTO runs (run_uuid, experiment_id, status, lifecycle_stage, start_time,"
                " user_id) VALUES (?, 0, 'RUNNING', 'active', ?, 'me')",
                [(f"{n:032}", n) for n in owners],
            )
            database.executemany(
                "INSERT INTO tags (run_uuid, key, value) VALUES (?, 'process.owner', ?)",
                [(f"{n:032}", owner.to_json()) for n, owner in owners.items()],
            )
        closed = close_orphans(lifecycle.state_dir(tmp_path / "state"))
        assert [one.run_id for one in closed] == [f"{n:032}" for n in (1000, 0)]


# Recovering is work on a run, too.

RECOVERING = {
    "when the run is opened again": ("tallgrass.study.recorder", "Recorder.trace"),
    "when its trace is stored": ("tallgrass.study.recorder", "Recorder.conclude"),
    "when its report is stored": ("tallgrass.study.recorder", "Recorder.timings"),
    "when it is to be FINISHED": ("tallgrass.tracking.writing.run", "ActiveRun.close"),
    "when its folder is to go": ("tallgrass.recovery.finishing", "lifecycle.remove"),
    "when its folder goes": ("tallgrass.tracking.lifecycle.folders", "shutil.rmtree"),
}
END = "lambda *_, **__: os.kill(os.getpid(), 9)"
WAIT = "lambda *_, **__: (print('at work', flush=True), time.sleep(900))"


def recovering(module, called, how):
    return (
        f"import os, sys, time, {module} as module\n"
        f"module.{called} = {how}\n"
        "from tallgrass.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )


@pytest.fixture(scope="module")
def remains(tmp_path_factory):
    """Where a run was killed while it sampled, and a copy of what it left there."""
    with default_store(tmp_path_factory.mktemp("killed")) as folder:
        process = tools.start(folder, *LONG)
        try:
            tools.keeping(folder, process, 50)
        finally:
            end(process)
    return folder, shutil.copytree(folder, tmp_path_factory.getbasetemp() / "aside")


@pytest.fixture
def killed(remains, monkeypatch):
    """The remains of a run that was killed while it sampled."""
    folder, aside = remains
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "mlflow.db":  # MLflow has it open, and sees that it is another one
            path.unlink()
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    with bare_folder(folder):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(folder / "state"))
        [left] = recovery.remains(Settings())
        yield folder, left


@pytest.mark.parametrize(("module", "called"), RECOVERING.values(), ids=RECOVERING)
def test_recovering_can_be_killed_anywhere_and_repeated(killed, module, called):
    folder, left = killed
    code = recovering(module, called, END)
    process = tools.start(folder, command=["recover", "--all"], code=code)
    assert process.wait(300) == -signal.SIGKILL, (folder / "said").read_text()

    assert main(["recover", "--all"]) == 0

    run = mlflow.MlflowClient().get_run(left.status.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert "error" not in run.data.tags
    assert main(["prune", "--dry-run", "--yes"]) == 0
    lifecycle.prune(folder / "state")
    assert not list((folder / "state" / "runs").iterdir())
    import tallgrass as tg

    assert tg.load_trace(left.status.run_id)["posterior"].sizes["draw"] >= min(left.draws)


@pytest.mark.parametrize("prefix", [["env"], attacks.CONTAINER], ids=["beside", "container"])
def test_a_run_that_is_recovered_is_left_alone_by_others(killed, prefix):
    folder, left = killed
    code = recovering("tallgrass.study.recorder", "Recorder.conclude", WAIT)
    process = tools.start(folder, command=["recover", "--all"], code=code)
    try:
        said = folder / "said"
        tools.wait_until(lambda: "at work" in said.read_text(), process, folder)
        for state in ("state", "other"):
            variables = {"TALLGRASS_STATE_DIR": str(folder / state)}
            done = attacks.attacked(prefix, folder, "recover", "--all", **variables)
            assert (done.returncode, done.stdout) == (0, "nothing to recover\n"), done.stderr
            assert status_of(left.status.run_id) == "RUNNING"
        assert left.folder.exists()
    finally:
        end(process)
    assert main(["recover", "--all"]) == 0
    assert status_of(left.status.run_id) == "FINISHED"
