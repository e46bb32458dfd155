"""Findings about the machine."""

import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
from threadpoolctl import threadpool_limits

from tallgrass import machine
from tallgrass.machine import available_memory, inspect_machine, thread_share


def levels(findings):
    return {finding.level for finding in findings}


def test_an_ordinary_run_has_nothing_fatal(tmp_path):
    findings = inspect_machine(chains=4, n_values=600, draws=3500, folder=tmp_path)
    assert "fatal" not in levels(findings)
    assert any("cores" in finding.message for finding in findings)


def test_draws_that_do_not_fit_into_memory_are_fatal(tmp_path):
    too_many = psutil.virtual_memory().total // 8
    findings = inspect_machine(chains=1, n_values=too_many, draws=10, folder=tmp_path)
    fatal = [finding.message for finding in findings if finding.level == "fatal"]
    assert any("memory" in message and "lower draws or chains" in message for message in fatal)


@pytest.mark.parametrize("extra", [1, 5])
def test_more_chains_than_cores_are_noted(tmp_path, extra):
    chains = machine.usable_cores() + extra
    findings = inspect_machine(chains=chains, n_values=10, draws=10, folder=tmp_path)
    assert any(f"{chains} chains on" in finding.message for finding in findings)


def messages(findings, level):
    return [finding.message for finding in findings if finding.level == level]


def test_draws_that_take_most_of_the_memory_are_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "available_memory", lambda: 10 * 2**20)
    values = 9 * 2**20 // (3 * 8 * 10)
    [warned] = messages(inspect_machine(1, values, 10, tmp_path), "warning")
    assert "9 MiB of memory and 10 MiB are free" in warned


def test_the_limit_of_a_container_bounds_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    for limit, expected in (("3000000", 1_000_000), ("max", psutil.virtual_memory().available)):
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text("2000000")
        assert available_memory() == pytest.approx(expected, rel=0.2)


def test_a_disk_too_small_for_the_trace_is_fatal_and_for_kept_draws_a_warning(
    tmp_path, monkeypatch
):
    state = tmp_path / "state"
    free = {tmp_path: 10**9, state: 10**9}
    monkeypatch.setattr(shutil, "disk_usage", lambda at: SimpleNamespace(free=free[at]))
    for small, level in ((tmp_path, "fatal"), (state, "warning")):
        free.update({tmp_path: 10**9, state: 10**9, small: 1000})
        found = inspect_machine(1, 1000, 10, tmp_path, state=state)
        [told] = [one for one in messages(found, level) if "disk" in one]
        assert str(small) in told


def test_cores_of_apple_silicon_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(machine.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)
    said = SimpleNamespace(stdout="4\n4\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: said)
    found = inspect_machine(6, 10, 10, tmp_path)
    assert "4 for performance, 4 for efficiency" in found[0].message
    assert any("6 chains on 4 performance cores" in one for one in messages(found, "warning"))


def test_pymc_without_a_compiler_is_told_that_it_needs_none(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    notes = messages(inspect_machine(1, 10, 10, tmp_path, sampler="pymc"), "note")
    assert any("none is needed" in note for note in notes)
    assert not any("compiler" in one.message for one in inspect_machine(1, 10, 10, tmp_path))


def test_threads_of_pools_and_chains_together_fill_the_cores_once(monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: 8)
    assert [thread_share(chains) for chains in (1, 2, 3, 4, 8, 20)] == [8, 4, 2, 2, 1, 1]


def test_pools_that_are_too_large_are_named_with_their_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: 2)
    with threadpool_limits(limits=2):
        notes = messages(inspect_machine(2, 10, 10, tmp_path), "note")
        assert any("capped at 1: " in note and " 2" in note for note in notes)
    with threadpool_limits(limits=1):
        notes = messages(inspect_machine(2, 10, 10, tmp_path), "note")
        assert not any("capped" in note for note in notes)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is freed by other rules")
def test_memory_in_circles_is_given_back():
    process, circles = psutil.Process(), []
    before = process.memory_info().rss
    for _ in range(400_000):
        one = []
        one.append(one)
        circles.append(one)
    grown = process.memory_info().rss - before
    del circles, one
    machine.release_memory()
    assert process.memory_info().rss - before < grown / 2


def test_a_process_is_not_older_than_the_time_since_it_was_asked_for():
    code = "from tallgrass.machine import seconds_of_process; print(seconds_of_process())"
    began = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    passed = time.perf_counter() - began
    assert 0 < float(answer) < passed + 0.02  # the system counts in hundredths
