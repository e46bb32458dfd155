"""The help of a command lists what the command uses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from example_store import default_store, made_run

from tallgrass.cli import COMMANDS, main
from tallgrass.cli.used import unused
from tallgrass.settings import Settings

ROOT = Path(__file__).parent.parent


def listed(capsys, name):
    """The flags that the help of a command lists."""
    assert main([name, "--help"]) == 0
    return set(re.findall(r"^  (?:-h, )?--([\w-]+)", capsys.readouterr().out, re.MULTILINE))


def test_the_help_of_the_monitor_has_its_four_flags(capsys):
    assert listed(capsys, "monitor") == {"help", "once", "state-dir", "json"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_lists_no_setting_that_it_leaves_out(name, capsys):
    flags = {flag.replace("-", "_") for flag in listed(capsys, name)}
    assert not flags & unused(name)
    assert flags >= set(Settings.model_fields) - unused(name)


def test_a_setting_that_is_not_listed_is_taken(tmp_path, capsys):
    words = ["--json", f"--state-dir={tmp_path}"]
    assert main(["monitor", *words, "--threshold-rhat=1.05"]) == 0
    assert main(["monitor", *words, "--threshold-rhat=0"]) == 2


@pytest.fixture
def read(monkeypatch):
    """Names of the settings that are read from now on."""
    names = set()

    def noted(settings, name, original=Settings.__getattribute__):
        if name in ("thresholds", "limits"):
            names.update(n for n in Settings.model_fields if n.startswith(name[:-1] + "_"))
        elif name in Settings.model_fields:
            names.add(name)
        return original(settings, name)

    monkeypatch.setattr(Settings, "__getattribute__", noted)
    return names


@pytest.mark.parametrize(
    "words",
    [
        ["runs"],
        ["runs", "--chamber=house"],
        ["show", "RUN"],
        ["compare", "RUN", "RUN"],
        ["promote", "RUN"],
        ["moved"],
        ["monitor", "--once"],
        ["prune", "--dry-run"],
        ["recover", "--all"],
        ["example"],
        ["doctor", "--quick"],
        ["ui", "--json", "--tracking-uri=RUNNING"],
    ],
    ids=" ".join,
)
def test_a_command_reads_no_setting_that_its_help_leaves_out(words, read, tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        run_id = made_run()
        if "--tracking-uri=RUNNING" in words:  # the address of a server is printed, none is started
            words = [word for word in words if not word.startswith("--tracking")]
            monkeypatch.setattr("tallgrass.cli.commands._serve", lambda *_: 0)
        read.clear()
        assert main([run_id if word == "RUN" else word for word in words]) in (0, 2)
    assert not read & unused(words[0])
    assert read or words == ["example"]


def test_the_help_of_rerun_shows_what_the_run_was_made_with(tmp_path, capsys):
    with default_store(tmp_path):
        flags = ["--session=simulated", "--draws=20", "--tune=30", "--chains=2"]
        assert main(["run", *flags, "--fit-checks=false", "--progress=none"]) == 0
        capsys.readouterr()
        assert main(["runs", "--json"]) == 0
        run_id = re.search(r'"run_id": "(\w+)"', capsys.readouterr().out)[1]
        assert main(["rerun", run_id[:8], "--help"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "holds with a margin (this run: 20)" in shown
        assert "(this run: simulated)" in shown
        assert "(default:" not in shown.partition("settings:")[0].partition("parameters")[2]
        assert main(["rerun", run_id, "--engine=mml"]) == 2
        assert "a run on roll calls does not have: received '--engine'" in capsys.readouterr().err


def test_a_rerun_of_a_calibration_takes_the_parameters_of_calibrations(tmp_path, capsys):
    with default_store(tmp_path):
        assert main(["calibrate", "--engine=mml", "--progress=none", "--json"]) == 0
        run_id = re.search(r'"run_id": "(\w+)"', capsys.readouterr().out)[1]
        assert main(["rerun", run_id, "--help"]) == 0
        assert "(point estimates) (this run: mml)" in " ".join(capsys.readouterr().out.split())
        assert main(["rerun", run_id, "--engine=map", "--progress=none", "--json"]) == 0
        again = re.search(r'"run_id": "(\w+)"', capsys.readouterr().out)[1]
        assert main(["show", again, "--json"]) == 0
        assert '"engine": "map"' in capsys.readouterr().out
        assert main(["rerun", run_id, "--chamber=house"]) == 2


def test_a_folder_called_tallgrass_beside_a_script_does_not_hide_the_package(tmp_path):
    (tmp_path / "tallgrass").symlink_to(ROOT)  # a clone
    script = tmp_path / "script.py"
    script.write_text("import tallgrass as tg\nprint(tg.RunSpec(chamber='house').chamber)\n")
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("house\n", "")
