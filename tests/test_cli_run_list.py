"""The list of runs on terminals of four widths, on those without colours, and for programs."""

import re
import sys
from datetime import UTC, datetime

import pytest

from tallgrass.cli.run_list import print_runs
from tallgrass.rollcalls.spec import RunSpec

CODE = re.compile(r"\x1b\[[0-9;]*m")
STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULTS = {name: field.default for name, field in RunSpec.model_fields.items()}
RUN = {
    **DEFAULTS,
    "run_id": "0123456789abcdef" * 2,
    "start_time": STARTED,
    "session": "91st_2025-2026",
    "status": "FINISHED",
    "verdict": "pass",
    "fit": "questioned",
    "rhat_max": 1.0034,
    "ess_min": 3593.0,
    "divergences": 0,
    "abs_r": 0.9991,
    "total_s": 15.5,
    "recovered": None,
    "interrupted_at": None,
}
RUNS = [
    RUN,
    {**RUN, "run_id": "fedcba98" * 4, "beta_prior": "lognormal:0,0.5", "verdict": "unresolved"},
    {**RUN, "run_id": "11112222" * 4, "recovered": "true", "init": "none", "target_accept": 0.95},
    {**RUN, "run_id": "33334444" * 4, "status": "KILLED", "verdict": None, "interrupted_at": "now"},
]


def shown(runs, width, capsys, monkeypatch, terminal="xterm"):
    """The lines of the table on a terminal of this width, and what is said below it."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_runs(runs)
    text = capsys.readouterr().out
    # Bold heads and verdicts are no colours.
    assert set(CODE.findall(text)) <= {"\x1b[0m", "\x1b[1m"}
    return CODE.sub("", text)


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_no_word_id_or_number_is_broken_at_this_width(width, capsys, monkeypatch):
    text = shown(RUNS, width, capsys, monkeypatch)
    lines = [line for line in text.splitlines() if any(run["run_id"][:8] in line for run in RUNS)]
    assert len(lines) == len(RUNS)
    assert max(map(len, text.splitlines())) <= width
    for words in ("01234567  91st", "1.0034", "unresolved", "pass, recovered", "KILLED, partial"):
        assert any(words in line for line in lines), words
    assert "3,593" in lines[0]


def test_a_wide_terminal_shows_settings_that_differ_and_none_that_are_equal(capsys, monkeypatch):
    head = shown(RUNS, 160, capsys, monkeypatch).splitlines()[1].split()
    assert {"init", "beta_prior", "target_accept", "|r|", "fit", "seconds"} <= set(head)
    assert not {"sampler", "draws", "alpha_prior", "status"} & set(head)


def test_what_tells_least_is_left_out_first_and_named(capsys, monkeypatch):
    text = shown(RUNS, 80, capsys, monkeypatch)
    assert "fit" not in text.splitlines()[1]
    left_out = " ".join(text.split("Too narrow for ")[1].split())
    assert left_out.startswith("started (UTC), seconds, fit, target_accept")


def test_a_terminal_without_control_codes_gets_plain_letters(capsys, monkeypatch):
    assert shown(RUNS, 80, capsys, monkeypatch, terminal="dumb").isascii()


def test_programs_get_whole_ids_and_every_column(capsys):
    print_runs(RUNS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[0] == RUN["run_id"]
    assert {"status", "seconds", "sampler", "beta_prior"} <= set(lines[0].split())


def test_a_value_is_not_shown_as_the_threshold_that_it_does_not_equal(capsys, monkeypatch):
    near = {**RUN, "rhat_max": 1.00996, "abs_r": 0.899997, "ess_min": 399.6}
    text = shown([near], 160, capsys, monkeypatch)
    for words in ("1.00996", "0.899997", "399.6"):
        assert words in text
