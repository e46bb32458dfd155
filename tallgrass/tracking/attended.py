"""What surrounds every run on this machine: its slot, signals, status, and the draws it leaves."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from tallgrass.errors import TrackingError
from tallgrass.inference.cache import mended_cache
from tallgrass.inference.stream import DrawFiles
from tallgrass.machine import Finding, release_memory, thread_share
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle, store, writing
from tallgrass.tracking.lifecycle import Life, Slot
from tallgrass.tracking.progress import Chain, Display
from tallgrass.tracking.writing import ActiveRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A run's place on this machine: the folder of all runs, and the slot it holds."""

    state: Path
    slot: Slot


@contextmanager
def place(settings: Settings) -> Iterator[Place]:
    """Take a slot of this machine; signals end the run well while it is held.

    Raises
    ------
    SpecError
        When no slot is free, or the folder of runs cannot be written.
    """
    state = lifecycle.state_dir(settings.state_dir)
    with (
        lifecycle.graceful(),
        lifecycle.slot(state, settings.max_concurrent, settings.when_busy) as held,
    ):
        lifecycle.prune(state)
        yield Place(state, held)


def close_orphans() -> None:
    """Close what dead processes left RUNNING; that it cannot is no reason not to sample."""
    try:
        writing.close_orphans(lifecycle.this_host(), lifecycle.process_is_alive)
    except TrackingError as error:
        logger.warning("%s", error)


@contextmanager
def open_run(
    where: Place, settings: Settings, title: str, name: str, tags: Mapping[str, str]
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
    """
    uri = store.masked(store.absolute_uri())
    with (
        lifecycle.alive(where.state, title, uri, settings.data_dir) as life,
        writing.start_run(settings.experiment, name, {**lifecycle.identity(), **tags}) as run,
    ):
        life.begin(run.run_id, run.log_live)
        where.slot.tell(run.run_id)
        try:
            with mended_cache():
                yield run, life
        finally:
            release_memory()


def others(where: Place) -> tuple[Finding, ...]:
    """The other runs that are under way on this machine."""
    found = [status for _, status in lifecycle.all_statuses(where.state) if status.alive]
    if not found:
        return ()
    named = ", ".join(f"{one.name} (process {one.pid})" for one in found[:5])
    words = f"{len(found)} other run(s) share this machine: {named}"
    return (Finding("warning", words),)


def show(findings: Sequence[Finding], run: ActiveRun) -> None:
    """Say what was found about the machine before sampling, and keep it with the run."""
    for finding in findings:
        level = logging.WARNING if finding.level == "warning" else logging.INFO
        logger.log(level, "machine: %s", finding.message)
    run.log_text(json.dumps([asdict(one) for one in findings], indent=2), "env/machine.json")


@contextmanager
def sampling(life: Life, chains: int, display: Display) -> Iterator[tuple[Display, DrawFiles]]:
    """Observer and sink of a sampler; pools of threads are capped so that chains do not compete."""

    def observe(progress: Sequence[Chain], /) -> None:
        life.observe(progress)  # type: ignore[arg-type]  # chains of samplers have a step size
        display(progress)

    files = DrawFiles(life.draws_folder)
    life.phase("sampling")
    try:
        with threadpool_limits(limits=thread_share(chains)):
            yield observe, files
    finally:
        files.close()
