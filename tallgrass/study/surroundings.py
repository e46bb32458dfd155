"""What surrounds every run on this machine: its slot, signals, status, and draws on disk."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from tallgrass.errors import TrackingError
from tallgrass.inference.cache import mended_cache
from tallgrass.inference.progress import ChainProgress
from tallgrass.inference.stream import DrawFiles
from tallgrass.inference.thresholds import Thresholds
from tallgrass.machine import Finding, release_memory, thread_share
from tallgrass.settings import Settings
from tallgrass.tracking import autologging, lifecycle, store, writing
from tallgrass.tracking.lifecycle import Life, Slot
from tallgrass.tracking.progress import Display
from tallgrass.tracking.writing import ActiveRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A run's place on this machine: the folder of all runs, and the slot it holds."""

    state: Path
    slot: Slot


@contextmanager
def place(settings: Settings, limited: bool = True) -> Iterator[Place]:
    """Take a slot of this machine; signals end the run well while it is held.

    Parameters
    ----------
    limited : bool
        Whether the run counts among those that the settings limit; one that samples nothing does
        not wait for one that does.

    Raises
    ------
    SpecError
        When no slot is free, or the folder of runs cannot be written.
    """
    state = lifecycle.state_dir(settings.state_dir)
    most = settings.max_concurrent if limited else 0
    with (
        lifecycle.graceful(),
        lifecycle.slot(state, most, settings.when_busy) as slot,
    ):
        lifecycle.prune(state)
        yield Place(state, slot)


def close_orphans(state: Path) -> None:
    """Close what dead processes left RUNNING; a store that refuses must not stop a new run."""
    try:
        writing.close_orphans(state)
    except TrackingError as error:
        logger.warning("%s", error)


@contextmanager
def open_run(
    where: Place,
    settings: Settings,
    title: str,
    name: str,
    tags: Mapping[str, str],
    repeatable: bool = False,
    last: bool = False,
) -> Iterator[tuple[ActiveRun, Life]]:
    """An MLflow run that is open, and its life on this machine.

    Parameters
    ----------
    title : str
        What the process is called while it runs.
    name : str
        Name of the MLflow run.
    tags : mapping of str to str
        Tags that the run has from its first moment.
    repeatable : bool
        Whether the run is computed in moments from its spec.
    last : bool
        Whether the process ends with the run, and all its memory with it.

    Raises
    ------
    SpecError
        When the folder of runs was removed since the run took its place.
    """
    lifecycle.check_there(where.state)
    uri = store.masked(store.absolute_uri())
    with (
        lifecycle.alive(where.state, title, uri, settings.data_dir, repeatable) as life,
        writing.start_run(settings.experiment, name, tags) as run,
    ):
        life.begin(run.run_id, run.log_live)
        where.slot.note_run(run.run_id)
        lifecycle.note_store(where.state, uri)
        try:
            with mended_cache():
                yield run, life
        finally:
            if not last:
                release_memory()


def others(where: Place) -> tuple[Finding, ...]:
    """The other runs that are under way on this machine."""
    statuses = [
        status
        for folder, status in lifecycle.all_statuses(where.state)
        if lifecycle.fate_of(folder, status) is lifecycle.Fate.ALIVE
    ]
    if not statuses:
        return ()
    named = ", ".join(f"{status.name} (process {status.pid})" for status in statuses[:5])
    words = (
        f"another run shares this machine: {named}"
        if len(statuses) == 1
        else f"{len(statuses)} other runs share this machine: {named}"
    )
    return (Finding("warning", words),)


def show(findings: Sequence[Finding], run: ActiveRun) -> None:
    """Say what was found about the machine before sampling, and keep it with the run."""
    for finding in findings:
        level = logging.WARNING if finding.level == "warning" else logging.INFO
        logger.log(level, "machine: %s", finding.message)
    records = [asdict(finding) for finding in findings]
    run.log_text(json.dumps(records, indent=2), "env/machine.json")


@contextmanager
def sampling(
    life: Life, chains: int, display: Display, thresholds: Thresholds
) -> Iterator[tuple[Display, DrawFiles]]:
    """Observer and sink of a sampler; pools of threads are capped so that chains do not compete."""

    def observe(progress: Sequence[ChainProgress], /) -> None:
        life.observe(progress)
        display(progress)

    files = DrawFiles(life.draws_folder, thresholds)
    life.phase("sampling")
    try:
        # autolog must not make a second run of what this one samples.
        with threadpool_limits(limits=thread_share(chains)), autologging.paused():
            yield observe, files
    finally:
        files.close()
