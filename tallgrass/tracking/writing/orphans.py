"""Find runs that stayed RUNNING after their process ended, and close them with a reason."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tallgrass.tracking.store import client, translated
from tallgrass.tracking.writing.child_runs import close_dead

# Creating an environment takes less than this; a run of `mlflow run` that waits longer is lost.
_PROJECT_SECONDS = 3600.0
_OURS = {"chamber", "model", "sampler"}  # params that mlflow run logs of our projects

logger = logging.getLogger(__name__)


class Orphan(NamedTuple):
    """A run that was closed: its id, and the reason."""

    run_id: str
    reason: str


def close_orphans(host: str, process_is_alive: Callable[[int, float], bool]) -> list[Orphan]:
    """Close our runs whose process is gone as FAILED, with the reason in the tag ``error``.

    Parameters
    ----------
    host : str
        Name of this machine in the tag ``process.host``; runs of other machines are not touched.
    process_is_alive : callable
        (process id, start time) -> whether the process still exists.

    Raises
    ------
    TrackingError
        When the store cannot be read or written.
    """
    closed = []
    with translated("look for runs that were left RUNNING"):
        experiments = [experiment.experiment_id for experiment in client().search_experiments()]
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
