"""``tallgrass bench run``: the steps of a run, and the last measurement beside this one."""

import json

import pytest
from example_store import bare_folder

from tallgrass.cli import main
from tallgrass.cli.bench_run import slower, steps_table
from tallgrass.errors import SamplingError
from tallgrass.lab.benchmark import steps

RESULT = {
    "timings": {
        "process_s": 0.4, "import_s": 2.0, "prepare_s": 0.7, "compile_s": 0.5, "sampling_s": 5.6,
        "report_s": 2.1, "total_s": 11.5,
    }
}  # fmt: skip
WORDS = ("--session=simulated", "--draws=20", "--tune=30", "--chains=2", "--baseline=none")


def record(warm=None, version="1"):
    seconds = steps.by_step(RESULT, 13.0) | (warm or {})
    return steps.Record("2026-03-01T12:00:00+00:00", "here", version, WORDS, seconds, {})


def test_the_steps_of_a_run_add_up_to_the_time_of_its_process():
    seconds = steps.by_step(RESULT, 13.0)
    parts = [value for step, value in seconds.items() if step not in ("wall_s", steps.AROUND)]
    assert sum(parts) == pytest.approx(13.0)
    assert seconds["end_s"] == pytest.approx(13.0 - 0.4 - 11.5)
    assert seconds[steps.AROUND] == pytest.approx(13.0 - 5.6 - 0.5)


def test_measurements_are_kept_and_found_by_machine_and_words(tmp_path, monkeypatch):
    monkeypatch.setattr(steps.platform, "node", lambda: "here")
    assert steps.history(WORDS, tmp_path) == []
    for version in ("1", "2"):
        steps.keep(record(version=version), tmp_path)
    assert [one.version for one in steps.history(WORDS, tmp_path)] == ["1", "2"]
    assert steps.history(("--chamber=house",), tmp_path) == []
    monkeypatch.setattr(steps.platform, "node", lambda: "elsewhere")
    assert steps.history(WORDS, tmp_path) == []


def test_a_history_that_cannot_be_read_counts_as_none(tmp_path):
    (tmp_path / "bench-run.json").write_text("not json")
    assert steps.history(WORDS, tmp_path) == []


def test_the_table_is_at_most_80_columns_wide_with_the_last_measurement():
    heads, rows = steps_table(record(), record())
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    assert sum(widths) + 2 * (len(widths) - 1) <= 80
    assert heads == ["step", "warm, s", "cold, s", "last warm", "last cold"]
    assert ["chains", "5.60", "", "5.60", ""] in rows


def test_a_step_that_takes_clearly_longer_than_the_last_time_is_named():
    now = record({"report_s": 3.5, "prepare_s": 0.75})
    (line,) = slower(now, record())
    assert line == "slower than the last time: recording, report, 2.10 s -> 3.50 s"
    assert slower(now, None) == []


def test_a_run_that_fails_is_an_error_that_says_what_it_said(tmp_path):
    with pytest.raises(SamplingError, match=r"chamber.*'lords'"):
        steps.measure(["--chamber=lords"], 1, cold=False)


@pytest.mark.slow
def test_the_command_measures_each_step_and_keeps_it_for_the_next_time(
    tmp_path, monkeypatch, capsys
):
    with bare_folder(tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        words = ["bench", "run", "--warm", "--session=simulated", "--draws=20", "--tune=30"]
        assert main([*words, "--json"]) == 0
        first = json.loads(capsys.readouterr().out)
        assert first["last"] is None
        assert {"import_s", "sampling_s", "report_s", "wall_s"} <= set(first["record"]["warm"])
        assert main(words) == 0
        assert "last warm" in capsys.readouterr().out
