"""Describe this machine and list what would slow or break sampling."""

import ctypes
import gc
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from threadpoolctl import threadpool_info, threadpool_limits

_BYTES_A_NUMBER = 8
# The sampler holds the draws once, the trace once, and writing them takes a third copy.
_COPIES = 3
_LARGE_SHARE = 0.7  # of the free memory
_MIB = 1024**2
_COMPILERS = ("g++", "clang++", "c++")
_CGROUP = Path("/sys/fs/cgroup")
CORES_VARIABLE = "TALLGRASS_CORES"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something seen before sampling; a ``fatal`` one stops the run."""

    level: Literal["fatal", "warning", "note"]
    message: str


def seconds_of_process() -> float:
    """Seconds since this process was started."""
    started = psutil.Process().create_time()
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux: whose time of the start of the machine is rounded
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - (started - psutil.boot_time()))
    return max(0.0, time.time() - started)


def usable_cores() -> int:
    """Cores that this process may use: those of its affinity, or fewer by ``TALLGRASS_CORES``."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    setting = os.environ.get(CORES_VARIABLE, "")
    return min(cores, int(setting)) if re.fullmatch(r"0*[1-9]\d{0,5}", setting, re.ASCII) else cores


def inspect_machine(
    chains: int,
    n_values: int,
    draws: int,
    folder: Path | None = None,
    sampler: str = "nutpie",
    state: Path | None = None,
) -> tuple[Finding, ...]:
    """What this machine means for a run.

    Parameters
    ----------
    chains : int
        Number of chains.
    n_values : int
        Values kept per draw, over all public variables.
    draws : int
        Draws per chain, tuning included.
    folder : Path, optional
        Where the trace is written; by default the current folder.
    sampler : str
        ``nutpie`` or ``pymc``.
    state : Path, optional
        Where draws are written while sampling; by default its disk is not checked.
    """
    trace = chains * draws * n_values * _BYTES_A_NUMBER
    findings = [_about(), *_chains(chains), *_memory(_COPIES * trace)]
    findings += _disk(trace, folder or Path.cwd(), "the trace", "fatal")
    if state is not None:
        # A full disk here costs only the draws of a run that dies, so it is not fatal.
        findings += _disk(trace, state, "keeping draws while they are made", "warning")
    if sampler == "pymc" and not any(shutil.which(name) for name in _COMPILERS):
        words = "no C++ compiler was found; none is needed, PyMC's graph is compiled by numba"
        findings.append(Finding("note", words))
    return (*findings, *_pools(chains))


def release_memory() -> None:
    """Return unused memory to the system.

    Models and figures contain reference cycles, which only the garbage collector frees, and the C
    library keeps freed blocks. With many runs in one process both add up.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)


@contextmanager
def algebra_in_one_thread() -> Iterator[None]:
    """Linear algebra takes one thread inside.

    For matrices of hundreds of rows a second thread gains nothing, and the two wait for each other
    by spinning: where the system has put both on one core, as it does now and then on a machine of
    few cores, five milliseconds of work take more than a second.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def available_memory() -> int:
    """Bytes of memory that this process can still get, within the limit of its container."""
    free = psutil.virtual_memory().available
    try:
        limit, used = (
            int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current")
        )
    except (OSError, ValueError):  # no container, or no limit ("max")
        return free
    return max(0, min(free, limit - used))


def _about() -> Finding:
    cores, total = os.cpu_count() or 1, psutil.virtual_memory().total
    words = f"{cores} cores"
    if kinds := _core_kinds():
        words += f" ({kinds[0]} for performance, {kinds[1]} for efficiency)"
    if usable_cores() < cores:
        words += f", {usable_cores()} of them for this process"
    system = f"{platform.system()} {platform.machine()}"
    return Finding("note", f"{words}, {total / 1024**3:.0f} GiB of memory, {system}")


def _core_kinds() -> tuple[int, int] | None:
    """Numbers of performance and efficiency cores on Apple silicon; None elsewhere."""
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return None
    try:
        names = ["hw.perflevel0.physicalcpu", "hw.perflevel1.physicalcpu"]
        output = subprocess.run(
            ["sysctl", "-n", *names], capture_output=True, text=True, timeout=5, check=True
        )
        fast, efficient = (int(count) for count in output.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return fast, efficient


def _chains(chains: int) -> list[Finding]:
    cores, findings = usable_cores(), []
    if chains > cores:
        rounds = -(-chains // cores)
        words = f"{chains} chains on {cores} cores: they run in about {rounds} rounds"
        findings.append(Finding("note", words))
    kinds = _core_kinds()
    if kinds and kinds[0] < chains <= cores:
        words = f"{chains} chains on {kinds[0]} performance cores: some will be slower"
        findings.append(Finding("warning", words))
    return findings


def _memory(needed: int) -> list[Finding]:
    free = available_memory()
    words = (
        f"the draws need about {needed / _MIB:.0f} MiB of memory and {free / _MIB:.0f} MiB "
        "are free: lower draws or chains"
    )
    if needed > free:
        return [Finding("fatal", words)]
    return [Finding("warning", words)] if needed > _LARGE_SHARE * free else []


def _disk(
    needed: int, folder: Path, purpose: str, level: Literal["fatal", "warning"]
) -> list[Finding]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # a folder that is gone is told of where it is needed
        return []
    if needed <= free:
        return []
    words = (
        f"{purpose} needs about {needed / _MIB:.0f} MiB of disk in {folder} and "
        f"{free / _MIB:.0f} MiB are free: make room or lower draws"
    )
    return [Finding(level, words)]


def _pools(chains: int) -> list[Finding]:
    """Thread pools that would compete with the chains; sampling limits them."""
    share = thread_share(chains)
    pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}
    busy = {api: n for api, n in pools.items() if n > share and api != "tbb"}
    if not busy:
        return []
    listed = ", ".join(f"{api} {n}" for api, n in sorted(busy.items()))
    return [Finding("note", f"thread pools beside the chains, capped at {share}: {listed}")]


def thread_share(chains: int) -> int:
    """Threads for each chain's linear algebra, so that all together fill the cores once."""
    cores = usable_cores()
    return max(1, cores // max(1, min(chains, cores)))
