import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import setproctitle

from tallgrass.errors import SpecError
from tallgrass.inference.progress import ChainProgress
from tallgrass.tracking import lifecycle
from tallgrass.tracking.lifecycle import Fate, Status

ROOT = Path(__file__).parent.parent


@pytest.fixture
def state(tmp_path):
    return lifecycle.state_dir(tmp_path / "state")


def chain(finished=50, total=100, tuning=False, divergences=1, step_size=0.25):
    return ChainProgress(0, finished, total, tuning, divergences, step_size)


def status(**changed):
    pid = os.getpid()
    values = {
        "run_id": "a" * 32,
        "name": "house flat nutpie",
        "pid": pid,
        "pid_started": 1.0,
        "pgid": pid,
        "phase": "sampling",
        "started_at": 1.0,
        "updated_at": 2.0,
        "tracking_uri": "sqlite:///mlflow.db",
        "working_dir": "/tmp",
        "owner": lifecycle.this_owner(),
    }
    return Status(**values | changed)


def child(code, *arguments):
    """Another process that runs some Python."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


HOLD = """
import sys, time
from pathlib import Path
from tallgrass.tracking import lifecycle
with lifecycle.slot(Path(sys.argv[1]), 1) as held:
    held.note_run('cafe' * 8)
    print('held', flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_with_process_run_and_age_of_the_first(state):
    other = child(HOLD, state)
    assert other.stdout.readline() == "held\n"
    try:
        words = rf"process {other.pid} holds run (cafe){{8}} since 0 min \d+ s.*--max-concurrent"
        with pytest.raises(SpecError, match=words), lifecycle.slot(state, 1):
            pass
        with lifecycle.slot(state, 2), lifecycle.slot(state, 0):
            pass
    finally:
        other.kill()
        other.wait()


def test_the_slot_of_a_process_that_was_killed_is_free(state):
    other = child(HOLD, state)
    assert other.stdout.readline() == "held\n"
    other.kill()
    other.wait()
    assert list((state / "slots").glob("*.json"))  # the note that nobody could remove
    with lifecycle.slot(state, 1):
        pass


def test_a_slot_is_free_again_after_an_error(state):
    with pytest.raises(ValueError, match="x"), lifecycle.slot(state, 1):
        raise ValueError("x")
    with lifecycle.slot(state, 1):
        pass


def _enter(state, when_busy, results, refused):
    try:
        with lifecycle.slot(state, 1, when_busy):
            mark = state / "inside"
            mark.touch(exist_ok=False)  # fails where two are inside
            deadline = time.monotonic() + 50
            while when_busy == "refuse" and refused.value < 5 and time.monotonic() < deadline:
                time.sleep(0.01)  # the others come while one is inside
            time.sleep(0.02)
            mark.unlink()
        results.put("ran")
    except SpecError:
        with refused.get_lock():
            refused.value += 1
        results.put("refused")


@pytest.mark.faults
@pytest.mark.parametrize(
    ("when_busy", "expected"),
    [("wait", ["ran"] * 6), ("refuse", ["ran", *["refused"] * 5])],
)
def test_of_six_runs_at_once_five_wait_or_are_refused_as_configured(state, when_busy, expected):
    context = multiprocessing.get_context("spawn")
    results, refused = context.Queue(), context.Value("i", 0)
    arguments = (state, when_busy, results, refused)
    six = [context.Process(target=_enter, args=arguments) for _ in range(6)]
    for one in six:
        one.start()
    for one in six:
        one.join(60)
    assert [one.exitcode for one in six] == [0] * 6
    assert sorted(results.get(timeout=5) for _ in six) == expected


def _write_statuses(folder, stop):
    number = 0
    while not stop.is_set():
        number += 1
        chains = [ChainProgress(0, number, number, False, number, 0.5)] * (1 + number % 8)
        lifecycle.write_status(folder, status(divergences=number, chains=chains))


@pytest.mark.faults
def test_ten_thousand_reads_of_the_status_while_it_is_written_are_never_torn(state):
    folder = lifecycle.run_folder(state, "a" * 32)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    writer = context.Process(target=_write_statuses, args=(folder, stop))
    writer.start()
    try:
        while not (folder / "status.json").exists():
            time.sleep(0.01)
        seen = set()
        for _ in range(10_000):
            found = lifecycle.read_status(folder)
            assert found is not None
            assert {one.finished for one in found.chains} == {found.divergences}
            seen.add(found.divergences)
    finally:
        stop.set()
        writer.join(30)
    assert len(seen) > 50


def test_a_status_that_is_no_status_is_none(state):
    folder = lifecycle.run_folder(state, "x")
    folder.mkdir()
    for text in ("", "{", "[]", '{"run_id": 1}', '{"chains": [{}]}'):
        (folder / "status.json").write_text(text)
        assert lifecycle.read_status(folder) is None
    assert lifecycle.all_statuses(state) == []


def test_a_run_says_how_far_it_is_in_its_status_its_title_and_live_metrics(
    state, tmp_path, monkeypatch
):
    monkeypatch.setattr(lifecycle.life, "STATUS_SECONDS", 0.05)
    monkeypatch.setattr(lifecycle.life, "LIVE_SECONDS", 0.05)
    told = []
    before = setproctitle.getproctitle()
    with lifecycle.alive(state, "house flat nutpie", "sqlite:///x", tmp_path) as life:
        life.begin("b" * 32, lambda metrics, step: told.append((metrics, step)))
        life.phase("sampling")
        life.observe([chain(40, 100), chain(20, 100, tuning=True, divergences=2)])
        time.sleep(0.5)
        found = lifecycle.read_status(life.folder)
        assert setproctitle.getproctitle() == "tallgrass: house flat nutpie 30% 3 div"
        assert lifecycle.fate_of(life.folder, found) is Fate.ALIVE
    assert (found.share, found.divergences, found.phase) == (0.3, 3, "sampling")
    assert found.owner == lifecycle.this_owner()
    assert found.eta_s > 0
    assert [one.finished for one in found.chains] == [40, 20]
    assert told == [
        (
            {
                "live/progress": 0.3,
                "live/divergences": 3,
                "live/chain_0/draws": 40,
                "live/chain_0/divergences": 1,
                "live/chain_0/step_size": 0.25,
                "live/chain_1/draws": 20,
                "live/chain_1/divergences": 2,
                "live/chain_1/step_size": 0.25,
            },
            60,
        )
    ]
    assert lifecycle.read_status(life.folder).phase == "finished"
    assert setproctitle.getproctitle() == before


def test_live_metrics_that_fail_or_hang_do_not_hold_up_the_run(state, tmp_path, monkeypatch):
    monkeypatch.setattr(lifecycle.life, "LIVE_SECONDS", 0.01)
    monkeypatch.setattr(lifecycle.life, "_LAST_WORD_SECONDS", 0.1)
    for trouble in (lambda *_: 1 / 0, lambda *_: time.sleep(30)):
        began = time.monotonic()
        with lifecycle.alive(state, "x", "sqlite:///x", tmp_path) as life:
            life.begin("c" * 32, trouble)
            life.phase("sampling")
            life.observe([chain()])
            time.sleep(0.1)
        assert time.monotonic() - began < 10
        assert lifecycle.read_status(life.folder).phase == "finished"


@pytest.mark.faults
def test_a_clock_that_steps_back_disturbs_neither_status_nor_age(state, tmp_path, monkeypatch):
    real, shift = time.time, {"s": 0.0}
    monkeypatch.setattr(time, "time", lambda: real() + shift["s"])
    monkeypatch.setattr(lifecycle.life, "STATUS_SECONDS", 0.02)
    told = []
    monkeypatch.setattr(lifecycle.life, "LIVE_SECONDS", 0.02)
    with (
        lifecycle.slot(state, 1) as held,
        lifecycle.alive(state, "x", "sqlite:///x", tmp_path) as life,
    ):
        held.note_run("d" * 32)
        life.begin("d" * 32, lambda metrics, step: told.append(step))
        life.phase("sampling")
        life.observe([chain(10)])
        time.sleep(0.2)
        shift["s"] = -7200.0
        life.observe([chain(60)])
        time.sleep(0.2)
        found = lifecycle.read_status(life.folder)
        assert lifecycle.fate_of(life.folder, found) is Fate.ALIVE
        assert found.chains[0].finished == 60  # still written
        assert 0 < found.elapsed_s < 60
        assert found.eta_s >= 0
        assert told == [10, 60]
        with pytest.raises(SpecError, match="since 0 min 0 s"), lifecycle.slot(state, 1):
            pass
        lifecycle.prune(state)
        assert life.folder.exists()


def test_what_ended_long_ago_is_pruned_unless_it_can_be_recovered(state):
    old = {"phase": "finished", "updated_at": time.time() - 2 * 86400}
    for name in ("gone", "draws", "spool", "new"):
        changed = old if name != "new" else {"phase": "finished", "updated_at": time.time()}
        lifecycle.write_status(lifecycle.run_folder(state, name), status(run_id=name, **changed))
    (lifecycle.run_folder(state, "draws") / "draws").mkdir()
    (lifecycle.run_folder(state, "spool") / "spool").mkdir()
    (lifecycle.run_folder(state, "spool") / "spool" / "000001.json").write_text("{}")
    lifecycle.prune(state)
    assert {path.name for path in (state / "runs").iterdir()} == {"draws", "spool", "new"}


def test_a_state_folder_that_cannot_be_made_is_an_error_that_says_how_to_mend_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match="TALLGRASS_STATE_DIR"):
        lifecycle.state_dir(tmp_path / "file" / "state")


SIGNALS = """
import sys, time
from tallgrass.tracking import lifecycle
def wait(word):
    try:
        print(word, flush=True)
        time.sleep(60)
    except KeyboardInterrupt as error:
        print('caught', error, flush=True)
with lifecycle.graceful():
    for word in ('first', 'second', 'third'):
        wait(word)
"""


def test_two_signals_are_interrupts_and_a_third_one_ends_the_process():
    other = child(SIGNALS)
    lines = []
    for _ in range(3):
        while line := other.stdout.readline():
            lines.append(line)
            if line.startswith(("first", "second", "third")):
                break
        other.send_signal(signal.SIGTERM)
    assert other.wait(30) == 128 + signal.SIGTERM
    rest = "".join([*lines, other.stdout.read()])
    assert rest.count("caught SIGTERM") == 2
    assert "once more: stop at once" in rest
    assert "tallgrass recover" in rest


def test_signal_handlers_are_put_back():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with lifecycle.graceful():
        assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
    assert {n: signal.getsignal(n) for n in before} == before


def test_the_note_of_a_slot_is_json_for_others_to_read(state):
    with lifecycle.slot(state, 1) as held:
        held.note_run("e" * 32)
        [note] = (state / "slots").glob("*.json")
        about = json.loads(note.read_text())
    assert (about["pid"], about["run_id"]) == (os.getpid(), "e" * 32)
    assert not list((state / "slots").glob("*.json"))
