"""Real shells complete commands, flags and the values of flags."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from needs import missing

from tallgrass.cli import main

ROOT = Path(__file__).parent.parent
BASH = """\
eval "$(tallgrass completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 _python_argcomplete tallgrass
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'tallgrass completion fish | source; complete -C "$argv[1]"'


def completed(shell: str, line: str, folder: Path) -> list[str]:
    """What a shell offers at the end of a line."""
    if shutil.which(shell) is None:
        missing(f"no {shell} on this machine")
    program = folder / "tallgrass"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tallgrass "$@"\n')
        program.chmod(0o755)
    words = ["bash", "-c", BASH, "bash", line] if shell == "bash" else ["fish", "-c", FISH, line]
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    places = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    done = subprocess.run(
        words, env={**os.environ, **places}, capture_output=True, text=True, check=True, timeout=120
    )
    return [found.partition("\t")[0].strip() for found in done.stdout.splitlines() if found.strip()]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes_a_command(shell, tmp_path):
    assert completed(shell, "tallgrass reco", tmp_path) == ["recover"]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes_the_values_of_a_flag(shell, tmp_path):
    offered = completed(shell, "tallgrass run --chamber ", tmp_path)
    assert sorted(offered) == ["both", "house", "senate"]


def test_a_shell_completes_the_flags_of_the_command_on_the_line_alone(tmp_path):
    assert completed("bash", "tallgrass run --eng", tmp_path) == []
    assert completed("bash", "tallgrass calibrate --eng", tmp_path) == ["--engine", "--engines"]


def test_zsh_reads_what_is_printed_for_it(capsys):
    if shutil.which("zsh") is None:
        missing("no zsh on this machine")
    assert main(["completion", "zsh"]) == 0
    lines = capsys.readouterr().out
    assert "compdef" in lines
    subprocess.run(["zsh", "-n"], input=lines, text=True, check=True, timeout=60)


def test_a_shell_that_is_not_known_is_one_error(capsys):
    assert main(["completion", "bsh"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "tallgrass: error: unknown shell: received 'bsh'. did you mean bash or zsh or fish?\n"
    )
