"""What this machine is, and what would slow or break sampling -> a list of findings."""

import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from threadpoolctl import threadpool_info

_BYTES_A_NUMBER = 8
# Draws are held once by the sampler, once as the trace, and once more while they are written.
_COPIES = 3
_MIB = 1024**2
CORES_VARIABLE = "TALLGRASS_CORES"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found before sampling; a ``fatal`` one stops the run before anything is sampled."""

    level: Literal["fatal", "warning", "note"]
    message: str


def usable_cores() -> int:
    """Cores that this process may use: those it is bound to, or fewer by ``TALLGRASS_CORES``."""
    bound = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(bound(0)) if bound else os.cpu_count() or 1
    asked = os.environ.get(CORES_VARIABLE, "")
    return min(cores, int(asked)) if re.fullmatch(r"0*[1-9]\d{0,5}", asked, re.ASCII) else cores


def inspect_machine(
    chains: int, n_values: int, draws: int, folder: Path | None = None
) -> tuple[Finding, ...]:
    """What this machine means for a run.

    Parameters
    ----------
    chains : int
        Number of chains.
    n_values : int
        Values kept a draw (all public variables together).
    draws : int
        Draws a chain, tuning included.
    folder : Path, optional
        Where the trace is written first; the temporary folder without it.
    """
    cores = os.cpu_count() or 1
    memory = psutil.virtual_memory()
    system = f"{platform.system()} {platform.machine()}"
    findings = [
        Finding("note", f"{cores} cores, {memory.total / 1024**3:.0f} GiB of memory, {system}")
    ]
    if chains > cores:
        rounds = -(-chains // cores)
        findings.append(
            Finding("note", f"{chains} chains on {cores} cores: they run in about {rounds} rounds")
        )
    trace = chains * draws * n_values * _BYTES_A_NUMBER
    needed = _COPIES * trace
    if needed > memory.available:
        findings.append(
            Finding(
                "fatal",
                f"the draws need about {needed / _MIB:.0f} MiB of memory and "
                f"{memory.available / _MIB:.0f} MiB are free: lower draws or chains",
            )
        )
    disk = shutil.disk_usage(folder or Path.cwd()).free
    if trace > disk:
        findings.append(
            Finding(
                "fatal",
                f"the trace needs about {trace / _MIB:.0f} MiB of disk and {disk / _MIB:.0f} MiB "
                "are free: make room or lower draws",
            )
        )
    pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}
    busy = {api: n for api, n in pools.items() if n > 1 and api != "tbb"}
    if busy and chains > 1:
        listed = ", ".join(f"{api} {n}" for api, n in sorted(busy.items()))
        findings.append(Finding("note", f"thread pools beside the chains: {listed}"))
    return tuple(findings)
