"""Who owns a run: the process that makes it, told apart from every other process anywhere.

A process number alone says little: containers count their own, numbers are used again, clocks are
set, machines have the same name, and another user's process may be hidden. So the owner is stated
with everything that tells processes apart, and a question about it has three answers: *alive*,
*dead*, and *unknown*, where it cannot be seen from here.
"""

import getpass
import hashlib
import json
import os
import socket
import sys
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self

import psutil

TAG = "process.owner"
_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
# The number that Linux gives the PID namespace of the machine itself (PROC_PID_INIT_INO in
# include/uapi/linux/nsfs.h): a process in any other one is in a container.
_OF_THE_MACHINE = "4026531836"
_STARTED_TOLERANCE = 2.0  # seconds; start times of earlier versions follow the clock


class Fate(StrEnum):
    """What is known of an owner."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Owner:
    """The process that a run is of.

    Parameters
    ----------
    host : str
        Name of the machine or container.
    machine : str
        Hash of the machine's own id, which two machines of the same name do not share.
    boot : str
        The kernel's id of this boot; containers of one machine share it. Empty outside Linux.
    pid_namespace : str
        What the process number counts in; each container has its own. Empty outside Linux.
    pid : int
        Process number.
    ticks : int
        When the process began: on Linux in clock ticks since the boot (``/proc/PID/stat``, field
        22), which setting the clock does not move; elsewhere in microseconds since 1970, as the
        system keeps it.
    uid : int
        Number of the user; -1 on Windows.
    user : str
        Name of the user.
    """

    host: str
    machine: str
    boot: str
    pid_namespace: str
    pid: int
    ticks: int
    uid: int
    user: str

    @property
    def words(self) -> str:
        """Whose the run is, for people."""
        return f"host {self.host}, user {self.user}, process {self.pid}"

    def to_json(self) -> str:
        """The statement as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The owner that a text states; None where it states none."""
        try:
            return cls.from_mapping(json.loads(text))
        except ValueError:
            return None

    @classmethod
    def from_mapping(cls, stored: object) -> Self | None:
        """The owner that stored values state; None where they state none."""
        if not isinstance(stored, Mapping):
            return None
        values: dict[str, Any] = {field.name: stored.get(field.name) for field in fields(cls)}
        if any(type(values[field.name]) is not field.type for field in fields(cls)):
            return None
        return cls(**values)


def this_owner() -> Owner:
    """The statement of this process."""
    return _of_process(os.getpid())


def this_host() -> str:
    """Name of the machine; in a container, its own, because process numbers are its own too."""
    space = _namespace()
    return f"{socket.gethostname()}:{space}" if space else socket.gethostname()


def this_process() -> tuple[int, float]:
    """Number and start of this process, in seconds since 1970 by the clock of the moment."""
    return os.getpid(), psutil.Process().create_time()


def identity() -> dict[str, str]:
    """Tags that tell which process of which machine a run is of."""
    pid, started = this_process()
    return {
        TAG: this_owner().to_json(),
        # As earlier versions wrote and read it.
        "process.host": this_host(),
        "process.pid": str(pid),
        "process.started": f"{started:.2f}",
    }


def process_fate(owner: Owner) -> Fate:
    """What the processes that are seen from here say of an owner."""
    here = this_owner()
    if not _same_kernel(owner, here):
        # The machine went down since, and took its processes with it. The id of a machine is that
        # of its image in a container, and proves nothing there.
        bare = owner.pid_namespace == here.pid_namespace == _OF_THE_MACHINE
        named = (owner.machine, owner.host) == (here.machine, here.host)
        return Fate.DEAD if owner.machine and named and bare else Fate.UNKNOWN
    if owner.pid_namespace != here.pid_namespace or not _own_numbers():
        return Fate.UNKNOWN
    if not _exists(owner.pid):
        return Fate.DEAD
    ticks = _ticks(owner.pid)
    if ticks is None:  # hidden: another user's
        return Fate.UNKNOWN
    return Fate.ALIVE if ticks == owner.ticks and not _zombie(owner.pid) else Fate.DEAD


def earlier_process_fate(pid: int, started: float) -> Fate:
    """What is known of a process of this machine as earlier versions stated it.

    They wrote its start by the clock, which may have been set since: where that alone differs and
    the process may be one of ours, it is unknown.
    """
    if not _exists(pid):
        return Fate.DEAD
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return Fate.DEAD
        if abs(process.create_time() - started) < _STARTED_TOLERANCE:
            return Fate.ALIVE
        words = " ".join([process.name(), *process.cmdline()])
    except psutil.Error:
        return Fate.UNKNOWN
    return Fate.UNKNOWN if "python" in words or "tallgrass" in words else Fate.DEAD


def of_tags(tags: Mapping[str, str]) -> Owner | None:
    """The owner that a run's tags state; None where they state none, or in an earlier way."""
    return Owner.from_json(tags.get(TAG, ""))


def same_kernel(owner: Owner) -> bool:
    """Whether the owner is, or was, a process of the system that this one is of."""
    return _same_kernel(owner, this_owner())


def _same_kernel(owner: Owner, here: Owner) -> bool:
    if owner.boot or here.boot:
        return owner.boot == here.boot
    return bool(owner.machine) and owner.machine == here.machine


@cache
def _of_process(pid: int) -> Owner:
    # Cached by the number: a forked process is another owner.
    ticks = _ticks(None)
    return Owner(
        host=socket.gethostname(),
        machine=_machine(),
        boot=_text(_BOOT_ID),
        pid_namespace=_namespace(),
        pid=pid,
        ticks=-1 if ticks is None else ticks,
        uid=os.getuid() if hasattr(os, "getuid") else -1,
        user=_user(),
    )


def _machine() -> str:
    """A hash of the machine's id, which is not to be shown (man 5 machine-id)."""
    own = _text(Path("/etc/machine-id")) or _text(Path("/var/lib/dbus/machine-id"))
    if not own and not sys.platform.startswith("linux"):
        own = f"{uuid.getnode():x}"
    return hashlib.sha256(f"tallgrass {own}".encode()).hexdigest()[:16] if own else ""


def _namespace() -> str:
    try:
        return (_PROC / "self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:  # not on Linux
        return ""


def _own_numbers() -> bool:
    """Whether ``/proc`` counts processes as this one does; a namespace may lack its own."""
    try:
        return (_PROC / "self").readlink().name == str(os.getpid())
    except OSError:  # no /proc: psutil asks the system itself
        return not sys.platform.startswith("linux")


def _exists(pid: int) -> bool:
    """Whether there is such a process, hidden or not."""
    if pid <= 0:
        return False
    if os.name != "posix":
        return psutil.pid_exists(pid)
    # Not psutil's: it looks in /proc, where other users' processes may be hidden (hidepid).
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _ticks(pid: int | None) -> int | None:
    """When a process began, as :class:`Owner` has it; of this process without a number."""
    if sys.platform.startswith("linux"):
        stat = _text(_PROC / ("self" if pid is None else str(pid)) / "stat")
        # The second field is the name in brackets, in which there may be anything.
        values = stat.rpartition(")")[2].split()
        return int(values[19]) - _offset() if len(values) > 19 else None
    try:
        return round(psutil.Process(pid).create_time() * 1e6)
    except psutil.Error:
        return None


def _offset() -> int:
    """Ticks that a time namespace adds to the starts of processes (man 7 time_namespaces)."""
    for line in _text(_PROC / "self/timens_offsets").splitlines():
        clock, seconds, nanoseconds = line.split()
        if clock in ("boottime", "7"):
            return round((int(seconds) + int(nanoseconds) / 1e9) * os.sysconf("SC_CLK_TCK"))
    return 0


def _zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number without a name, as in many containers
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
