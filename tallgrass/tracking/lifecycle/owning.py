"""Own a run: hold the lock of its folder for as long as the run lives, and say who holds it.

The operating system releases the lock when the process dies, in whatever way, and every container
of the machine sees it: it tells what process numbers cannot.
"""

import errno
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from tallgrass.errors import SpecError
from tallgrass.tracking.lifecycle.owner import (
    Fate,
    Owner,
    earlier_process_fate,
    of_tags,
    process_fate,
    same_kernel,
    this_host,
    this_owner,
)

LOCK, OWNER = "lock", "owner.json"
_PATIENCE = 2.0  # seconds; whoever asks about a run holds its lock for an instant
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP)
# Disks that one machine has to itself. On any other file system a lock that is free may be held
# by another machine.
_OWN_DISKS = {"apfs", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "hfs", "jfs", "ntfs"}
_OWN_DISKS |= {"overlay", "ramfs", "reiserfs", "tmpfs", "vfat", "xfs", "zfs"}

logger = logging.getLogger(__name__)


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder, which is made where it is not there.

    Whoever recovers a run and fails leaves the statement of the dead process as it was. A disk that
    is full or a file system without locks does not stop the run: others then have its process
    alone to go by.

    Raises
    ------
    SpecError
        When another process holds it.
    """
    lock = _locked(folder)
    if lock is None:
        yield
        return
    before = stated(folder)
    try:
        _state(folder, this_owner())
        yield
    finally:
        # In this order: a lock that is free and says of whom is that of a dead process.
        if before is not None:
            _state(folder, before)
        else:
            with suppress(OSError):
                (folder / OWNER).unlink(missing_ok=True)
                (folder / LOCK).unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):
            folder.rmdir()  # where nothing else is in it


def _state(folder: Path, owner: Owner) -> None:
    with suppress(OSError):
        beside = folder / f".{OWNER}.{os.getpid()}"
        beside.write_text(owner.to_json(), "utf-8")
        beside.replace(folder / OWNER)


def stated(folder: Path) -> Owner | None:
    """The owner that a run's folder states; None where the run ended, or never said."""
    try:
        return Owner.from_json((folder / OWNER).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def fate(owner: Owner, folder: Path | None = None) -> Fate:
    """Whether the owner of a run is alive, dead, or cannot be known from here.

    Parameters
    ----------
    owner : Owner
        As status or tags state it.
    folder : Path, optional
        The run's folder, which need not be there.
    """
    held = None if folder is None else _held(folder)
    if held:
        return Fate.ALIVE
    free = folder is not None and held is False and stated(folder) == owner
    # A free lock proves it where all who could hold it lock in one system.
    if free and folder is not None and (same_kernel(owner) or _own_disk(folder)):
        return Fate.DEAD
    return process_fate(owner)


def fate_of_tags(tags: Mapping[str, str], folder: Path | None = None) -> tuple[Fate, str]:
    """The fate of the owner that a run's tags state, and whose the run is, in words."""
    owner = of_tags(tags)
    if owner is not None:
        return fate(owner, folder), owner.words
    if folder is not None and _held(folder):
        return Fate.ALIVE, "another process"
    host = tags.get("process.host", "")
    words = f"host {host.partition(':')[0] or 'unknown'}, process {tags.get('process.pid', '?')}"
    try:
        pid, started = int(tags["process.pid"]), float(tags["process.started"])
    except (KeyError, ValueError):
        return Fate.UNKNOWN, words
    if host != this_host():
        return Fate.UNKNOWN, words
    return earlier_process_fate(pid, started), words


def fate_of_earlier_status(folder: Path, pid: int, started: float) -> Fate:
    """The fate of a run whose status an earlier version wrote, without the host."""
    if _held(folder):
        return Fate.ALIVE
    seen = earlier_process_fate(pid, started)
    return seen if seen is not Fate.DEAD or _own_disk(folder) else Fate.UNKNOWN


def _locked(folder: Path) -> FileLock | None:
    """The lock of a run, held; None on a disk that takes none."""
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire(timeout=_PATIENCE, poll_interval=0.05)
    except Timeout:
        holder = stated(folder)
        whose = f": {holder.words}" if holder is not None else ""
        raise SpecError(
            f"another process is at work on this run{whose}", folder.name, "wait until it has ended"
        ) from None
    except OSError as error:
        logger.debug("no lock of %s: %s", folder, error)
        return None
    return lock


def _held(folder: Path) -> bool | None:
    """Whether somebody holds the lock of a run; None where that cannot be seen."""
    if not (folder / LOCK).exists():
        return None
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return None
    lock.release()
    return False


def _own_disk(folder: Path) -> bool:
    """Whether a folder is on a disk that no other machine writes to."""
    path = folder.resolve()
    above = [path, *path.parents]
    kinds = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    kind = next((kinds[one] for one in above if one in kinds), "")
    return kind.lower() in _OWN_DISKS
