"""Find runs that stayed RUNNING after their process ended, and close them with a reason."""

import logging
import time
from collections.abc import Iterator, Mapping
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tallgrass.tracking.lifecycle import Fate, fate_of_tags, run_folder
from tallgrass.tracking.lifecycle.owner import TAG, of_tags
from tallgrass.tracking.store import client, translated
from tallgrass.tracking.writing.child_runs import WITHOUT_A_WORD, close_dead

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

# Creating an environment takes less than this; a run of `mlflow run` that waits longer is lost.
_PROJECT_SECONDS = 3600.0
_EXPERIMENTS = 200  # asked for at a time; a query has a limit on what it names
_OURS = {"chamber", "model", "sampler"}  # params that mlflow run logs of our projects

logger = logging.getLogger(__name__)


class Orphan(NamedTuple):
    """A run that was closed: its id, and the reason."""

    run_id: str
    reason: str


def close_orphans(state: Path) -> list[Orphan]:
    """Close our runs whose process is dead as FAILED, with the reason in the tag ``error``.

    Runs that are alive, and those of which nothing can be known from here, are left as they are.

    Parameters
    ----------
    state : Path
        The folder of runs on this machine, in which those that are alive hold a lock.

    Raises
    ------
    TrackingError
        When the store cannot be read or written.
    """
    closed = []
    for run in _running():
        tags, params = run.data.tags, run.data.params
        reason = None
        fate, _ = fate_of_tags(tags, run_folder(state, run.info.run_id))
        if fate is Fate.DEAD:
            owner = of_tags(tags)
            pid = tags.get("process.pid") if owner is None else owner.pid
            reason = f"its process {pid} {WITHOUT_A_WORD}"
        elif _abandoned_project(tags, params, run.info.start_time):
            reason = "mlflow run made this run and ended before tallgrass began (no conda?)"
        if reason is not None and _as_it_was(run):
            close_dead(run.info.run_id, "FAILED", reason)
            logger.info("closed run %s: %s", run.info.run_id, reason)
            closed.append(Orphan(run.info.run_id, reason))
    return closed


def _as_it_was(run: "Run") -> bool:
    """Whether nobody took the run up since it was looked at, to recover it."""
    with translated(f"read run {run.info.run_id}"):
        now = client().get_run(run.info.run_id)
    return bool(now.info.status == "RUNNING" and now.data.tags.get(TAG) == run.data.tags.get(TAG))


def _running() -> "list[Run]":
    """All runs that are RUNNING, however many."""
    with translated("look for runs that were left RUNNING"):
        experiments = [experiment.experiment_id for experiment in _experiments()]
        found: list[Run] = []
        for some in batched(experiments, _EXPERIMENTS):
            token: str | None = None
            while True:
                page = client().search_runs(
                    list(some), "attributes.status = 'RUNNING'", page_token=token
                )
                found += page
                token = page.token
                if not token:
                    break
        return found


def _experiments() -> "Iterator[Experiment]":
    token: str | None = None
    while True:
        page = client().search_experiments(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _abandoned_project(tags: Mapping[str, str], params: Mapping[str, str], began: int) -> bool:
    return (
        tags.get("mlflow.source.type") == "PROJECT"
        and "schema_version" not in tags
        and set(params) >= _OURS
        and time.time() - began / 1000 > _PROJECT_SECONDS
    )
