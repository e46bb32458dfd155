"""The live view of the runs on this machine."""

import io

import pytest
from rich.console import Console

from tallgrass.cli import main
from tallgrass.cli.monitor import _drawn
from tallgrass.inference.progress import ChainProgress
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle
from tallgrass.tracking.lifecycle.folders import (
    Status,
    run_folder,
    write_status,
)

HEIGHT = 24


@pytest.fixture
def settings(tmp_path):
    """Thirty runs that ended, and an older one that is under way."""
    state = lifecycle.state_dir(tmp_path)
    owner = lifecycle.this_owner()
    for number in range(31):
        under_way = number == 0
        status = Status(
            run_id=f"{number:02d}" + 30 * "a",
            name="house hierarchical nutpie",
            pid=owner.pid,
            pid_started=1.0,
            pgid=owner.pid,
            owner=owner,
            phase="sampling" if under_way else "finished",
            started_at=float(number),
            updated_at=float(number),
            tracking_uri="sqlite:///x",
            working_dir="/",
            chains=[ChainProgress(k, 900, 2000, True, 2, 0.2) for k in range(4)],
            divergences=8,
        )
        write_status(run_folder(state, status.run_id), status)
    return Settings(state_dir=tmp_path)


def shown(settings):
    told = io.StringIO()
    Console(file=told, width=130, height=HEIGHT).print(_drawn(settings, HEIGHT))
    return [line.strip() for line in told.getvalue().splitlines() if line.strip()]


def test_runs_under_way_come_first_with_every_chain(settings):
    lines = shown(settings)
    under_way = [number for number, line in enumerate(lines) if "900/2000 tuning" in line]
    ended = [number for number, line in enumerate(lines) if "finished" in line]
    assert len(under_way) == 4
    assert lines[under_way[0]].startswith("00aaaaaa")
    assert max(under_way) < min(ended)


def test_runs_that_ended_take_a_line_each_and_only_as_many_as_fit(settings):
    lines = shown(settings)
    assert len(lines) <= HEIGHT
    ended = [line for line in lines if "finished" in line]
    assert [line[:2] for line in ended] == [str(n) for n in range(30, 30 - len(ended), -1)]
    assert "3600/8000" in ended[0]
    assert f"{30 - len(ended)} more that ended" in lines[-1]


def test_what_ended_stands_below_a_line(settings, capsys):
    lines = shown(settings)
    line = lines.index("ended:")
    assert [one[:2] for one in lines[:line] if one[:2].isdigit()] == ["00"]
    assert main(["monitor", "--once", f"--state-dir={settings.state_dir}"]) == 0
    under_way, ended = capsys.readouterr().out.split("ended today, or not seen from here:")
    assert under_way.count("aaaa") == 1
    assert ended.count("finished") == 30


def test_a_monitor_of_ended_runs_says_that_none_is_under_way(tmp_path, capsys):
    assert main(["monitor", "--once", f"--state-dir={tmp_path}"]) == 0
    assert capsys.readouterr().out == "no run is under way on this machine\n"
