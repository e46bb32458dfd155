"""Progress is told on standard error, in lines or as a bar."""

from typing import NamedTuple

import pytest

from tallgrass.tracking.progress import display


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
