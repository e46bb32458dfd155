"""Opening a run (a new one, or the one ``mlflow run`` made) and closing it whatever happens."""

import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError
from tallgrass.tracking.store import client, translated
from tallgrass.tracking.writing.run import ActiveRun
from tallgrass.tracking.writing.view import DESCRIPTION, new_experiment_tags, show_results

if TYPE_CHECKING:
    from mlflow import MlflowClient

SCHEMA_VERSION = "1"  # of what a run holds: its params, metrics, tags and artifact paths
EXPERIMENT = "tallgrass"
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # what MLflow calls a run nobody named

logger = logging.getLogger(__name__)


@contextmanager
def start_run(
    experiment: str | None,
    name: str,
    tags: Mapping[str, str] | None = None,
    *,
    description: str = DESCRIPTION,
    resume: str | None = None,
) -> Iterator[ActiveRun]:
    """Open a run, and close it whatever happens: no run of ours is left RUNNING.

    On leaving the run is FINISHED; after an exception FAILED, with the error in a tag; after
    Ctrl-C or a termination signal (a KeyboardInterrupt) KILLED, with the tag ``interrupted_at``.

    Parameters
    ----------
    experiment : str or None
        Name of the experiment; without it ``MLFLOW_EXPERIMENT_ID`` or ``MLFLOW_EXPERIMENT_NAME``
        says, else it is ``tallgrass``. Inside ``mlflow run`` the run that it made is resumed, and
        stays in the experiment where it is.
    name : str
        Name of the run; a name that was given to ``mlflow run`` is kept.
    tags : mapping of str to str, optional
        Tags that the run has from its first moment, such as that of its parent.
    description : str
        What a new experiment says about itself, above its table of runs (markdown).
    resume : str, optional
        Id of an earlier run to write on, instead of a new one.

    Raises
    ------
    TrackingError
        When the store cannot be used, or the experiment or the run to resume is not there.
    """
    run: ActiveRun | None = None
    try:
        with _interrupts_held():
            run = _open(client(), experiment, name, dict(tags or {}), description, resume)
        yield run
    except BaseException as error:
        if run is not None:
            try:
                run.close(error)
            except KeyboardInterrupt:  # an impatient second Ctrl-C must not leave it RUNNING
                run.close(error)
            except TrackingError as failure:
                logger.warning("run %s may be left RUNNING: %s", run.run_id, failure)
        raise
    else:
        run.close(None)


def _open(
    mlflow_client: "MlflowClient",
    experiment: str | None,
    name: str,
    tags: dict[str, str],
    description: str,
    resume: str | None,
) -> ActiveRun:
    from mlflow.tracking.context.registry import resolve_tags

    tags = {"schema_version": SCHEMA_VERSION, **_git_tags(), **tags}
    # Taken out of the environment as MLflow does: a second run of this process is a new one.
    if given := os.environ.pop("MLFLOW_RUN_ID", None) or resume:
        mend = "inside mlflow run, MLFLOW_TRACKING_URI must be absolute"
        with translated(f"resume run {given}", mend):
            run = mlflow_client.get_run(given)
            keep = run.info.run_name and not _GENERATED_NAME.fullmatch(run.info.run_name)
            mlflow_client.update_run(given, "RUNNING", None if keep else name)
        active = ActiveRun(mlflow_client, run)
        active.set_tags(tags)
        show_results(mlflow_client, active.experiment_id)
        return active
    experiment_id = _experiment_id(mlflow_client, experiment, description)
    with translated("create a run"):
        made = mlflow_client.create_run(experiment_id, run_name=name, tags=resolve_tags(tags))
    return ActiveRun(mlflow_client, made)


def _experiment_id(mlflow_client: "MlflowClient", name: str | None, description: str) -> str:
    from mlflow.exceptions import MlflowException

    given = os.environ.get("MLFLOW_EXPERIMENT_ID")
    if name is None and given:
        with translated(f"find experiment {given}", "unset MLFLOW_EXPERIMENT_ID"):
            made = mlflow_client.get_experiment(given)
        show_results(mlflow_client, given, made.tags)
        return str(made.experiment_id)
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    with translated(f"find experiment {name!r}"):
        found = mlflow_client.get_experiment_by_name(name)
        if found is None:
            try:
                tags = new_experiment_tags(description)
                return str(mlflow_client.create_experiment(name, tags=tags))
            except MlflowException:  # made by another process in the meantime
                found = mlflow_client.get_experiment_by_name(name)
                if found is None:
                    raise
    if found.lifecycle_stage == "deleted":
        mend = f"restore it (mlflow experiments restore -x {found.experiment_id}), or name another"
        raise TrackingError("the experiment was deleted", name, mend)
    show_results(mlflow_client, found.experiment_id, found.tags)
    return str(found.experiment_id)


def _git_tags() -> dict[str, str]:
    """Commit of this code, and whether files of it differ, where it runs from its checkout."""
    package = Path(__file__).resolve().parent.parent
    top = _git(package, "rev-parse", "--show-toplevel")
    # A virtual environment inside another project's repository must not be taken for ours.
    if top is None or Path(top).resolve() != package.parent:
        return {}
    commit = _git(package, "rev-parse", "HEAD")
    changes = _git(package, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return {}
    return {"git.commit": commit, "git.dirty": str(bool(changes)).lower()}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=False,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C and termination back until the run's id is known, then deliver them.

    Interrupted between MLflow making the run and telling its id, nobody could close it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: handler for number, handler in before.items() if handler is not None}
    for number in ours:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for received in held:
            signal.raise_signal(received)
