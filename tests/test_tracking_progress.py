"""Progress is told on standard error, in lines or as a bar."""

import sys
from typing import NamedTuple

import pytest

from tallgrass.tracking import progress
from tallgrass.tracking.progress import display, parts, steps


class Chain(NamedTuple):
    finished: int
    total: int
    tuning: bool = False
    divergences: int = 0


def test_lines_end_with_all_draws_done(capsys):
    with display("plain") as show:
        show((Chain(0, 100, True), Chain(10, 100, True)))
        show((Chain(100, 100, False, 2), Chain(100, 100)))
        show((Chain(100, 100, False, 2), Chain(100, 100)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "sampling: 100%, 2 divergences\n"


def test_without_a_terminal_lines_are_the_default(capsys):
    with display("auto") as show:
        show((Chain(50, 50),))
    assert capsys.readouterr().err == "sampling: 100%, 0 divergences\n"


def test_none_is_silent(capsys):
    with display("none") as show:
        show((Chain(50, 50),))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_bar_shows_every_chain_and_its_state(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with display("bar") as show:
        show((Chain(10, 100, True), Chain(0, 100, True), Chain(90, 100, False, 3)))
    captured = capsys.readouterr()
    assert captured.out == ""
    for words in ("chain 1", "tuning", "waiting", "sampling, 3 divergences"):
        assert words in captured.err


@pytest.mark.parametrize("mode", ["plain", "bar", "none"])
def test_no_chains_yet_is_no_error(mode):
    with display(mode) as show:
        show(())


def test_on_a_terminal_each_step_is_said_once_and_nowhere_else(capsys, monkeypatch):
    steps("auto")("report_s")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell = steps("auto")
    for step in ("prepare_s", "sampling_s", "prepare_s", "report_s"):
        tell(step)
    steps("none")("report_s")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "reading the votes and building the model ...",
        "writing tables, pictures and the report ...",
    ]


def test_parts_of_some_work_are_told_with_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
    with parts("plain", "linking pairs of draws") as told:
        told(0, 600)
        told(300, 600)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "linking pairs of draws: 300 of 600, about 0 s left\n"


def test_parts_without_progress_are_told_to_nobody(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
    with parts("none", "linking pairs of draws") as told:
        told(300, 600)
    assert capsys.readouterr().err == ""
