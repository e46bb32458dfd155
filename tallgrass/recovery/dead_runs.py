"""What dead runs left on this machine: found, owned while it is worked on, or discarded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.inference import stream
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle, reading, store, writing
from tallgrass.tracking.lifecycle import DRAWS, Fate, Status


@dataclass(frozen=True)
class Remains:
    """What one run left behind.

    Parameters
    ----------
    folder : Path
        Its folder on this machine.
    status : Status
        The last that it said about itself.
    draws : tuple of int
        Kept draws by chain, tuning draws not counted; empty where none were begun.
    waiting : int
        Writes that wait for MLflow.
    fate : Fate
        Whether its process is dead, or cannot be seen from here.
    """

    folder: Path
    status: Status
    draws: tuple[int, ...]
    waiting: int
    fate: Fate = Fate.DEAD

    @property
    def size(self) -> int:
        """Bytes of its draws on this machine."""
        return stream.size(self.folder / DRAWS)

    @property
    def again(self) -> bool:
        """Whether the run is computed again: it kept nothing, and takes moments."""
        return not self.draws and self.status.repeatable and not self.status.ended


def remains(settings: Settings) -> list[Remains]:
    """The runs that left draws or writes on this machine that MLflow does not have.

    Those that are under way are not among them; those that cannot be seen from here are.
    """
    entries = []
    for folder, status in lifecycle.all_statuses(lifecycle.state_dir(settings.state_dir)):
        fate = lifecycle.fate_of(folder, status)
        if fate is Fate.ALIVE:
            continue
        draws: tuple[int, ...] = ()
        if stream.has_draws(folder / DRAWS):
            draws = stream.lengths(folder / DRAWS)
        entry = Remains(folder, status, draws, lifecycle.waiting(folder), fate)
        if entry.draws or entry.waiting or entry.again:
            entries.append(entry)
    return entries


def find(settings: Settings, run_id: str) -> Remains:
    """The remains of one run, named by its id or the beginning of it.

    Raises
    ------
    DataError
        When no run, or more than one, is meant.
    """
    entries = [entry for entry in remains(settings) if entry.status.run_id.startswith(run_id)]
    if len(entries) != 1:
        what = "more than one run begins so" if entries else "no such run left anything to recover"
        raise DataError(what, run_id, "tallgrass recover lists them")
    return entries[0]


def connect(entry: Remains, settings: Settings, as_new: bool = False) -> None:
    """Choose the store that the run is in: the one it says, or where that holds a password, ours.

    Parameters
    ----------
    as_new : bool
        Whether the run becomes a new one, so that the store need not know it.

    Raises
    ------
    TrackingError
        When it cannot be reached or does not know the run.
    """
    uri = entry.status.tracking_uri
    store.connect(settings.tracking_uri or (uri if "***" not in uri else None))
    if not as_new:
        reading.find_run(entry.status.run_id)


@contextmanager
def owned(entry: Remains, force: bool) -> Iterator[None]:
    """Own the run while it is worked on, if its process is dead."""
    run_id = entry.status.run_id
    fate, whose = lifecycle.fate_of(entry.folder, entry.status), entry.status.whose
    if entry.status.owner is None and not entry.status.ended and fate is Fate.DEAD:
        # Its version stated the host in the tags alone.
        fate, whose = lifecycle.fate_of_tags(reading.details(run_id)["tags"])
    if fate is Fate.ALIVE:
        raise SpecError(f"the run is under way ({whose})", run_id)
    if fate is Fate.UNKNOWN and not force:
        raise SpecError(
            f"the run belongs to {whose}, of which nothing can be seen from here",
            run_id,
            "recover it there, or with --force where you know that it has ended",
        )
    if not entry.folder.exists():
        raise _gone(run_id)
    with lifecycle.owned(entry.folder):
        if lifecycle.read_status(entry.folder) is None:
            raise _gone(run_id)
        yield


def _gone(run_id: str) -> DataError:
    return DataError("another process has recovered or discarded the run meanwhile", run_id)


def discard(entry: Remains, force: bool = False) -> None:
    """Remove what a run left; its MLflow run is closed first.

    Parameters
    ----------
    force : bool
        Whether to do so where it cannot be known from here that its process is dead.

    Raises
    ------
    SpecError
        When the run is under way, or may be.
    TrackingError
        When MLflow cannot be reached.
    """
    with owned(entry, force):
        close_run(entry.status.run_id, "its draws were discarded")
        lifecycle.remove(entry.folder)


def close_run(run_id: str, reason: str) -> None:
    """Close a run where it is still RUNNING; one that MLflow no longer has needs no closing."""
    try:
        details = reading.details(run_id)
    except TrackingError:
        store.client().search_experiments(max_results=1)
        return
    if details["status"] == "RUNNING":
        writing.close_dead(run_id, "FAILED", reason)
