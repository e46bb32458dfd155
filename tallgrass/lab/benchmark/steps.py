"""Seconds of ``tallgrass run`` by step, from Enter to FINISHED, with warm and with cold caches.

Every run is a process of its own, as a user starts it; warm ones share a store. Cold means a new
store, and a home folder that is empty, so that no machine code, font list or setting is there;
files that the system holds in memory are warm in both.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from platformdirs import user_cache_path

from tallgrass.errors import SamplingError

# Steps in the order in which they come, by their name among the timings of a run.
STEPS = {
    "process_s": "start, first imports",
    "import_s": "imports",
    "read_s": "reading",
    "connect_s": "connecting to the store",
    "prepare_s": "preparing (with reading)",
    "log_s": "opening the run",
    "compile_s": "compiling",
    "sampling_s": "chains",
    "ahead_s": "of them beside the steps above",
    "save_trace_s": "saving the trace",
    "diagnostics_s": "diagnostics",
    "fit_checks_s": "fit checks",
    "report_s": "recording, report",
    "end_s": "end of the process",
    "other_s": "between the steps",
    "wall_s": "in all",
}
AROUND = "around_s"  # all but the chains and the compilation
_HISTORY = "bench-run.json"
_MOST_RECORDS = 200
_OWN_VARIABLES = ("TALLGRASS_", "MLFLOW_", "XDG_", "NUMBA_CACHE", "PYTENSOR_FLAGS", "MPLCONFIGDIR")


@dataclass(frozen=True)
class Record:
    """One measurement, as it is kept for the next one.

    Parameters
    ----------
    at, machine, version : str
        When, on which machine, and by which version of this package.
    words : tuple of str
        What was run.
    warm, cold : mapping of str to float
        Seconds by step; ``cold`` is empty where it was not measured.
    """

    at: str
    machine: str
    version: str
    words: tuple[str, ...]
    warm: Mapping[str, float]
    cold: Mapping[str, float]


def measure(words: Sequence[str], repeats: int, cold: bool = True) -> Record:
    """Time one run with cold caches and several with warm ones; the median of those counts.

    Parameters
    ----------
    words : sequence of str
        Flags of ``tallgrass run``; paths are absolute.
    repeats : int
        Warm runs, beside a first one that fills the caches and is not counted.

    Raises
    ------
    SamplingError
        When a run ends with an error.
    """
    with tempfile.TemporaryDirectory(prefix="tallgrass-bench-") as name:
        folder = Path(name)
        first: dict[str, float] = {}
        if cold:
            (folder / "home").mkdir()
            first = _timed(words, folder / "cold", {"HOME": str(folder / "home")})
        _timed(words, folder / "warm")
        taken = [_timed(words, folder / "warm") for _ in range(repeats)]
    steps = {step for run in taken for step in run}
    warm = {step: median(run.get(step, 0.0) for run in taken) for step in steps}
    return Record(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=platform.node(),
        version=version("tallgrass"),
        words=tuple(words),
        warm=warm,
        cold=first,
    )


def history(words: Sequence[str], folder: Path | None = None) -> list[Record]:
    """Earlier measurements of the same run on this machine, the oldest first."""
    return [
        record
        for record in _records(folder)
        if record.machine == platform.node() and record.words == tuple(words)
    ]


def keep(record: Record, folder: Path | None = None) -> Path:
    """Keep a measurement in the user's cache folder; returns the file."""
    path = _history_file(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [*_records(folder), record][-_MOST_RECORDS:]
    path.write_text(json.dumps([asdict(one) for one in records], indent=1), "utf-8")
    return path


def _records(folder: Path | None) -> list[Record]:
    try:
        stored = json.loads(_history_file(folder).read_text("utf-8"))
        return [Record(**{**one, "words": tuple(one["words"])}) for one in stored]
    except (OSError, ValueError, TypeError, KeyError):  # none yet, or of another version
        return []


def _history_file(folder: Path | None) -> Path:
    return (folder or user_cache_path("tallgrass")) / _HISTORY


def _timed(
    words: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Seconds of one process by step."""
    folder.mkdir(exist_ok=True)
    if variables is None:
        kept = {key: v for key, v in os.environ.items() if not key.startswith(_OWN_VARIABLES[:2])}
    else:
        kept = {key: v for key, v in os.environ.items() if not key.startswith(_OWN_VARIABLES)}
        kept |= variables
    kept["TALLGRASS_STATE_DIR"] = str(folder / "state")
    command = [sys.executable, "-m", "tallgrass", "run", *words, "--json", "--progress=none"]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - began
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise SamplingError("a run of the benchmark failed", " ".join(last))
    return by_step(json.loads(done.stdout), wall)


def by_step(result: Mapping[str, Any], wall: float) -> dict[str, float]:
    """Seconds by step, from what the command prints and the time of its process."""
    timings = dict(result["timings"])
    total, start = timings.pop("total_s"), timings.get("process_s", 0.0)
    # Chains that begin before the store is connected sample beside the steps that come first.
    timings["ahead_s"] = -timings.get("ahead_s", 0.0)
    inside = sum(seconds for step, seconds in timings.items() if step != "process_s")
    chains = timings.get("sampling_s", 0.0) + timings.get("compile_s", 0.0)
    return {
        **timings,
        "end_s": wall - start - total,
        "other_s": total - inside,
        "wall_s": wall,
        AROUND: wall - chains,
    }
