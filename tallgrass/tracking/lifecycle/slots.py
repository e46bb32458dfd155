"""How many runs there are at a time on this machine: one file lock a slot.

The operating system releases a file lock when its process dies, in whatever way, so no lock is
ever stale. Only the note beside it can be old; the next holder writes it anew.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from tallgrass.errors import SpecError
from tallgrass.tracking.lifecycle.owner import Fate, Owner, process_fate, this_owner
from tallgrass.tracking.lifecycle.owning import NO_LOCKS

_POLL_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Slot:
    """A slot that is held, and the note that says by whom."""

    def __init__(self, note: Path | None) -> None:
        self._note = note
        self._since = time.time()
        self.note_run("(not started yet)")

    def note_run(self, run_id: str) -> None:
        """Note which run holds the slot."""
        if self._note is None:
            return
        owner = this_owner()
        about = {"pid": owner.pid, "since": self._since, "run_id": run_id, "owner": asdict(owner)}
        beside = self._note.with_suffix(".new")
        # A disk that is full, or a folder that is gone, must not stop a run for its note.
        with suppress(OSError):
            beside.write_text(json.dumps(about), "utf-8")
            beside.replace(self._note)


@contextmanager
def slot(
    state: Path, max_concurrent: int, when_busy: Literal["refuse", "wait"] = "refuse"
) -> Iterator[Slot]:
    """Hold one of ``max_concurrent`` slots (0: no limit).

    Raises
    ------
    SpecError
        When all are held and ``when_busy`` is ``refuse``; it names the holders.
    """
    if max_concurrent == 0:
        yield Slot(None)
        return
    announced = False
    while True:
        for number in range(max_concurrent):
            lock = _lock(state, number)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                logger.warning(
                    "the file system of %s has no locks, so that runs at a time are not limited: "
                    "set TALLGRASS_STATE_DIR to a folder of this machine",
                    state,
                )
                yield Slot(None)
                return
            note = _note(state, number)
            try:
                yield Slot(note)
            finally:
                with suppress(OSError):
                    note.unlink(missing_ok=True)
                lock.release()
            return
        if when_busy == "refuse":
            raise SpecError(
                f"{max_concurrent} run{'s' if max_concurrent > 1 else ''} at a time on this machine"
                f": {'; '.join(holders(state))}",
                None,
                "wait for it with --when-busy wait, or allow more with --max-concurrent",
            )
        if not announced:
            logger.info("waiting for %s", "; ".join(holders(state)))
            announced = True
        time.sleep(_POLL_SECONDS)


def holders(state: Path) -> list[str]:
    """Who holds the slots, in words."""
    words = []
    for path in sorted((state / "slots").glob("*.json")):
        try:
            about: dict[str, Any] = json.loads(path.read_text("utf-8"))
            owner = Owner.from_mapping(about.get("owner"))
            if owner is not None and process_fate(owner) is Fate.DEAD:
                continue
            age = max(0, int(time.time() - about["since"]))
            words.append(f"process {about['pid']} holds run {about['run_id']} since {_words(age)}")
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            continue
    return words or ["another run has just begun"]


def _words(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"


def _lock(state: Path, number: int) -> FileLock:
    # Not by thread: two threads of one process are two runs.
    return FileLock(state / "slots" / f"slot-{number}.lock", thread_local=False)


def _note(state: Path, number: int) -> Path:
    return state / "slots" / f"slot-{number}.json"
