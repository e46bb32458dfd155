"""Attacks on runs from outside: other namespaces, users and clocks, real ones."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import fault_tools as tools
import psutil
from needs import missing

TALLGRASS = [sys.executable, "-m", "tallgrass"]
# As TALLGRASS, in the namespaces of a process. Whose number is of there is only what is forked.
INSIDE = """\
import os, runpy, sys
folder = os.getcwd()
os.setns(os.pidfd_open(int(sys.argv.pop(1))), os.CLONE_NEWNS | os.CLONE_NEWPID)
os.chdir(folder)
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
runpy.run_module("tallgrass", run_name="__main__", alter_sys=True)
"""
# A process of another container on this machine: it counts its processes itself.
CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]
# The machine after its clock was set: /proc/stat tells another time of the boot.
CLOCK = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/stat && exec "$@"']
# Another machine of this name: another boot, another id.
MACHINE = ["unshare", "--mount", "sh", "-c"]
MACHINE += [
    'mount --bind "$0" /proc/sys/kernel/random/boot_id && mount --bind "$1" /etc/machine-id'
]
MACHINE[-1] += ' && shift && exec "$@"'
# Another user, from whom the system hides the processes of others. What he may do all the same,
# to read and write every file, is for a Python or a folder of tests that only root may read.
USER = ["unshare", "--mount", "sh", "-c"]
USER += [
    'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --clear-groups "$0" "$@"'
]
USER += ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]


def moved_clock(folder: Path, seconds: int) -> list[str]:
    """The prefix of a command that sees the clock of this machine set by some seconds."""
    lines = Path("/proc/stat").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("btime"))
    lines[at] = f"btime {int(lines[at].split()[1]) + seconds}"
    (folder / "stat").write_text("\n".join(lines) + "\n")
    return [*CLOCK, str(folder / "stat")]


def other_machine(folder: Path) -> list[str]:
    """The prefix of a command that sees another machine of this name."""
    (folder / "boot_id").write_text("00000000-0000-4000-8000-000000000000\n")
    (folder / "machine-id").write_text(32 * "0" + "\n")
    return [*MACHINE, str(folder / "boot_id"), str(folder / "machine-id")]


def need(prefix: Sequence[str]) -> None:
    """Skip where this machine does not allow an attack; in CI, fail."""
    if os.geteuid() != 0 or subprocess.run([*prefix, "true"], check=False).returncode:
        missing(f"{' '.join(prefix[:3])} is not allowed: it takes root, and not every container")


def attacked(
    prefix: Sequence[str], folder: Path, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """``tallgrass`` with some words, as the attack sees it."""
    need(prefix)
    variables = {"TALLGRASS_STATE_DIR": str(folder / "state"), **variables}
    variables = {**tools.environment(), **variables}
    if prefix is USER:  # what is forked would be root
        return subprocess.run(
            [*prefix, *TALLGRASS, *words],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    with inside(prefix) as number:
        return tools.forkery().run(
            ["-c", INSIDE, str(number), *words], cwd=folder, env=variables, timeout=300
        )


@contextlib.contextmanager
def inside(prefix: Sequence[str]) -> Iterator[int]:
    """The number of a process that sees what the attack sees."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*prefix, "sh", "-c", "echo; read end"], **pipes) as process:
        process.stdout.readline()
        [number] = [one.pid for one in psutil.Process(process.pid).children()] or [process.pid]
        yield number
