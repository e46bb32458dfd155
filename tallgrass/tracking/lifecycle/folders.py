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

from tallgrass.errors import SpecError
from tallgrass.inference.progress import ChainProgress
from tallgrass.tracking.lifecycle.owner import Fate, Owner
from tallgrass.tracking.lifecycle.owning import fate, fate_of_earlier_status, stated

STATUS = "status.json"
DRAWS = "draws"
SPOOL = "spool"
_KEPT_SECONDS = 24 * 3600.0  # how long the status of a run that ended can be seen
_REMOVED = ".removed-"  # begins the name of a folder whose removal has begun


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
    owner: Owner | None = None  # None: an earlier version wrote it

    @property
    def ended(self) -> bool:
        """Whether the run says itself that it has ended."""
        return self.phase in ("finished", "killed", "failed", "undelivered")

    @property
    def whose(self) -> str:
        """Whose the run is, for people."""
        return f"process {self.pid}" if self.owner is None else self.owner.words


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


def check_there(state: Path) -> None:
    """Refuse to begin a run whose slot and folder would be in a folder that was removed.

    Raises
    ------
    SpecError
        When the folder of runs is no longer what :func:`state_dir` made.
    """
    if not (state / "runs").is_dir():
        raise SpecError(
            "the folder of runs under way was removed while this run was prepared",
            str(state),
            "start the run again, with TALLGRASS_STATE_DIR at a folder that stays",
        )


def state_dir_if_any(given: Path | None = None) -> Path | None:
    """The folder of this user's runs, or None where it cannot be written."""
    try:
        return state_dir(given)
    except SpecError:
        return None


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
        owner = Owner.from_mapping(stored.get("owner"))
        return Status(**{**stored, "chains": chains, "owner": owner})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def fate_of(folder: Path, status: Status) -> Fate:
    """Whether a run is under way, has ended, or cannot be known from here.

    A run that says itself that it has ended is dead, unless somebody is at work on what it left.
    """
    holder = stated(folder)  # whoever was at work on it last: the run, or who recovered it
    if holder is not None:
        return fate(holder, folder)
    if status.ended:
        return Fate.DEAD
    if status.owner is None:
        return fate_of_earlier_status(folder, status.pid, status.pid_started)
    return fate(status.owner, folder)


def all_statuses(state: Path) -> list[tuple[Path, Status]]:
    """Folder and status of every run that has one, the newest first."""
    statuses = []
    for folder in _folders(state):
        status = read_status(folder)
        if status is not None:
            statuses.append((folder, status))
    return sorted(statuses, key=lambda entry: -entry[1].started_at)


def remove(folder: Path) -> None:
    """Remove the folder of a run, so that after a kill in the midst nothing half-removed counts."""
    aside = folder.with_name(f"{_REMOVED}{folder.name}")
    try:
        folder.replace(aside)
    except OSError:
        aside = folder
    shutil.rmtree(aside, ignore_errors=True)


def prune(state: Path) -> None:
    """Remove what ended long ago and left nothing to recover."""
    for aside in (state / "runs").glob(f"{_REMOVED}*"):
        shutil.rmtree(aside, ignore_errors=True)
    for folder in _folders(state):
        status = read_status(folder)
        if status is None:
            if _left_by_a_parent(folder):
                remove(folder)
            continue
        old = abs(time.time() - status.updated_at) > _KEPT_SECONDS
        if old and not recoverable(folder, status) and fate_of(folder, status) is Fate.DEAD:
            remove(folder)


def _folders(state: Path) -> list[Path]:
    try:
        return [folder for folder in (state / "runs").iterdir() if folder.name[0] != "."]
    except OSError:
        return []


def _left_by_a_parent(folder: Path) -> bool:
    """Whether all that is in a folder is the lock of a run without a status, whose owner died."""
    owner = stated(folder)
    kept = (folder / DRAWS).exists() or waiting(folder) > 0
    return owner is not None and not kept and fate(owner, folder) is Fate.DEAD


def recoverable(folder: Path, status: Status) -> bool:
    """Whether a run that is no longer alive left anything that it can be finished with."""
    repeatable = status.repeatable and not status.ended
    return (folder / DRAWS).exists() or waiting(folder) > 0 or repeatable


def waiting(folder: Path) -> int:
    """How many writes wait to be delivered to MLflow."""
    return len(list((folder / SPOOL).glob("*.json")))
