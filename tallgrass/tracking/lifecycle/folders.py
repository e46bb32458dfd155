"""The folder of each run on this machine: its status, its draws, and what waits to be delivered."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from tallgrass.errors import SpecError
from tallgrass.inference.progress import ChainProgress

STATUS = "status.json"
DRAWS = "draws"
SPOOL = "spool"
_KEPT_SECONDS = 24 * 3600.0  # how long the status of a run that ended can be seen
_STARTED_TOLERANCE = 2.0  # seconds; a number that is used again belongs to a later process


@dataclass
class Status:
    """What ``tallgrass monitor`` knows about a run; times are seconds since 1970, or seconds."""

    run_id: str
    name: str
    pid: int
    pid_started: float
    pgid: int
    phase: str  # preparing, sampling, saving, reporting; then finished, killed, failed, undelivered
    started_at: float
    updated_at: float
    tracking_uri: str  # without passwords
    working_dir: str
    data_dir: str = ""
    elapsed_s: float = 0.0
    share: float = 0.0
    divergences: int = 0
    eta_s: float | None = None
    message: str = ""
    repeatable: bool = False  # computed in moments from its spec: can be recovered without draws
    chains: list[ChainProgress] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether the run says itself that it has ended."""
        return self.phase in ("finished", "killed", "failed", "undelivered")

    @property
    def alive(self) -> bool:
        """Whether its process is there and still at it."""
        return not self.ended and process_is_alive(self.pid, self.pid_started)


def state_dir(given: Path | None = None) -> Path:
    """The folder of this user's runs on this machine, made where it is not there.

    Raises
    ------
    SpecError
        When it cannot be written.
    """
    folder = given or platformdirs.user_state_path("tallgrass")
    try:
        for path in (folder, folder / "runs", folder / "slots"):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder / "runs", os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise SpecError(
            f"cannot write the folder of runs under way ({error.strerror})",
            str(folder),
            "set TALLGRASS_STATE_DIR to a folder that can be written",
        ) from None
    return folder.absolute()


def run_folder(state: Path, run_id: str) -> Path:
    """Where the files of one run are."""
    return state / "runs" / run_id


def write_status(folder: Path, status: Status) -> None:
    """Replace the status file in one step, so that a reader sees the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{STATUS}.{os.getpid()}"
    beside.write_text(json.dumps(asdict(status), allow_nan=False), "utf-8")
    beside.replace(folder / STATUS)


def read_status(folder: Path) -> Status | None:
    """The status of a run, or None where there is none that can be read."""
    try:
        stored: Mapping[str, Any] = json.loads((folder / STATUS).read_text("utf-8"))
        # Statuses of version 0.1.0 do not number their chains.
        chains = [
            ChainProgress(**{"chain": number, **chain})
            for number, chain in enumerate(stored.get("chains", []))
        ]
        return Status(**{**stored, "chains": chains})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def all_statuses(state: Path) -> list[tuple[Path, Status]]:
    """Folder and status of every run that has one, the newest first."""
    statuses = []
    for folder in (state / "runs").iterdir():
        status = read_status(folder)
        if status is not None:
            statuses.append((folder, status))
    return sorted(statuses, key=lambda entry: -entry[1].started_at)


def prune(state: Path) -> None:
    """Remove what ended long ago and left nothing to recover."""
    for folder, status in all_statuses(state):
        old = abs(time.time() - status.updated_at) > _KEPT_SECONDS
        if old and not status.alive and not recoverable(folder, status):
            shutil.rmtree(folder, ignore_errors=True)


def recoverable(folder: Path, status: Status) -> bool:
    """Whether a run that is no longer alive left anything that it can be finished with."""
    repeatable = status.repeatable and not status.ended
    return (folder / DRAWS).exists() or waiting(folder) > 0 or repeatable


def waiting(folder: Path) -> int:
    """How many writes wait to be delivered to MLflow."""
    return len(list((folder / SPOOL).glob("*.json")))


def process_is_alive(pid: int, started: float) -> bool:
    """Whether the process that wrote down this number is still running."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _STARTED_TOLERANCE
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def this_process() -> tuple[int, float]:
    """Number and start of this process."""
    return os.getpid(), psutil.Process().create_time()
