"""Runs that were left RUNNING by a process that is gone: found, and closed with a reason."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tallgrass.tracking.store import client, translated
from tallgrass.tracking.writing.children import close_dead

# Making an environment can take this long; what `mlflow run` began before that is not coming.
_PROJECT_SECONDS = 3600.0
_OURS = {"chamber", "model", "sampler"}  # params that mlflow run logs of our projects

logger = logging.getLogger(__name__)


class Orphan(NamedTuple):
    """A run that was closed: its id, and why."""

    run_id: str
    reason: str


def close_orphans(host: str, process_is_alive: Callable[[int, float], bool]) -> list[Orphan]:
    """Close the runs of ours whose process is gone as FAILED, with the reason in the tag ``error``.

    Parameters
    ----------
    host : str
        What this machine calls itself in the tag ``process.host``; runs of others are left alone.
    process_is_alive : callable
        (number of a process, when it started) -> whether it is still there.

    Raises
    ------
    TrackingError
        When the store cannot be read or written.
    """
    closed = []
    with translated("look for runs that were left RUNNING"):
        experiments = [one.experiment_id for one in client().search_experiments()]
        if not experiments:
            return []
        running = client().search_runs(experiments, "attributes.status = 'RUNNING'")
    for run in running:
        tags, params = run.data.tags, run.data.params
        reason = _lost_process(tags, host, process_is_alive)
        if reason is None and _abandoned_project(tags, params, run.info.start_time):
            reason = "mlflow run made this run and ended before tallgrass began (no conda?)"
        if reason is not None:
            close_dead(run.info.run_id, "FAILED", reason)
            logger.info("closed run %s: %s", run.info.run_id, reason)
            closed.append(Orphan(run.info.run_id, reason))
    return closed


def _lost_process(
    tags: Mapping[str, str], host: str, process_is_alive: Callable[[int, float], bool]
) -> str | None:
    if tags.get("process.host") != host:
        return None
    try:
        pid, started = int(tags["process.pid"]), float(tags["process.started"])
    except (KeyError, ValueError):
        return None
    if process_is_alive(pid, started):
        return None
    return f"its process {pid} ended without a word (killed, or the machine went down)"


def _abandoned_project(tags: Mapping[str, str], params: Mapping[str, str], began: int) -> bool:
    return (
        tags.get("mlflow.source.type") == "PROJECT"
        and "schema_version" not in tags
        and set(params) >= _OURS
        and time.time() - began / 1000 > _PROJECT_SECONDS
    )
