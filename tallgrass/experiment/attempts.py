"""Earlier attempts at an experiment: which one is continued, and what of it is done."""

import logging
from collections.abc import Sequence
from pathlib import Path

from tallgrass.errors import SpecError
from tallgrass.experiment.expansion import PlannedRun
from tallgrass.experiment.worker import DRAWS_TAG, KEY_TAG, Outcome, is_complete
from tallgrass.tracking import reading, writing
from tallgrass.tracking.lifecycle import Fate, fate_of_tags, run_folder
from tallgrass.tracking.writing import Child

logger = logging.getLogger(__name__)


def earlier(experiment: str, name: str, state: Path, force: bool = False) -> str | None:
    """Id of the newest parent run of an experiment, to continue; None where there is none.

    Parameters
    ----------
    experiment : str
        Name that the experiment was declared with.
    name : str
        Name of the MLflow experiment it is in.
    state : Path
        The folder of runs on this machine.
    force : bool
        Whether to continue one that cannot be seen from here.

    Raises
    ------
    SpecError
        When the earlier attempt, or a run of it, is under way or may be.
    """
    parent = reading.newest_parent(name, experiment)
    if parent is None:
        logger.info("nothing to resume: the experiment %s has no earlier run", experiment)
        return None
    details = reading.details(parent)
    if details["status"] == "RUNNING":
        _refuse_living(Child(parent, "RUNNING", details["tags"]), state, force)
    for run in writing.children(parent, status="RUNNING"):
        _refuse_living(run, state, force)
    return parent


def finished(parent: str, planned: Sequence[PlannedRun]) -> dict[str, Outcome]:
    """The outcomes of runs that an earlier attempt finished; runs that it left RUNNING are closed.

    A run that was recovered with fewer draws than were ordered is not among them: it is made again.
    """
    draws = {run.key: run.spec.least_draws for run in planned}
    for child in writing.children(parent, status="RUNNING"):
        writing.close_dead(child.run_id, "KILLED", "the experiment that made it ended before it")
    outcomes: dict[str, Outcome] = {}
    for run_id, tags in reading.finished_children(parent, [KEY_TAG, DRAWS_TAG]):
        key = tags.get(KEY_TAG, "")
        if key in draws and is_complete("FINISHED", tags, draws[key]):
            outcomes.setdefault(key, Outcome(key, run_id))
    return outcomes


def _refuse_living(run: Child, state: Path, force: bool) -> None:
    fate, whose = fate_of_tags(run.tags, run_folder(state, run.run_id))
    if fate is Fate.ALIVE:
        raise SpecError(
            f"the experiment is still under way ({whose})",
            run.run_id,
            "wait until it has ended, or end it first",
        )
    if fate is Fate.UNKNOWN and not force:
        raise SpecError(
            f"the earlier attempt belongs to {whose}, of which nothing can be seen from here",
            run.run_id,
            "resume it there, or with --force where you know that it has ended",
        )
