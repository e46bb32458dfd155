"""Open a run, a new one or that of ``mlflow run``, and always close it."""

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError
from tallgrass.tracking import folders, lifecycle
from tallgrass.tracking.store import client, release, translated
from tallgrass.tracking.writing.git import git
from tallgrass.tracking.writing.run import ActiveRun
from tallgrass.tracking.writing.system_metrics import system_metrics
from tallgrass.tracking.writing.view import DESCRIPTION, new_experiment_tags, show_results

if TYPE_CHECKING:
    from mlflow import MlflowClient

SCHEMA_VERSION = "1"  # of the params, metrics, tags and artifact paths of a run
EXPERIMENT = "tallgrass"
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # MLflow's name for a run without one

logger = logging.getLogger(__name__)


@contextmanager
def start_run(
    experiment: str | None,
    name: str,
    tags: Mapping[str, str] | None = None,
    *,
    description: str = DESCRIPTION,
    resume: str | None = None,
    state: Path | None = None,
    began: float | None = None,
) -> Iterator[ActiveRun]:
    """Open a run, and always close it, so that none of our runs stays RUNNING.

    The run becomes FINISHED; after an exception FAILED, with the error in a tag; after Ctrl-C or a
    termination signal (a KeyboardInterrupt) KILLED, with the tag ``interrupted_at``.

    Parameters
    ----------
    experiment : str or None
        Name of the experiment; by default that of ``MLFLOW_EXPERIMENT_ID`` or
        ``MLFLOW_EXPERIMENT_NAME``, else ``tallgrass``. Inside ``mlflow run`` its run is resumed,
        and stays in its experiment.
    name : str
        Name of the run; a name that was given to ``mlflow run`` is kept.
    tags : mapping of str to str, optional
        Tags that the run has from the start, such as that of its parent.
    description : str
        Description of a new experiment, shown above its table of runs (markdown).
    resume : str, optional
        Id of an earlier run to continue, instead of a new one.
    state : Path, optional
        The folder of runs on this machine, for a run that has no status there: its lock is held in
        it while the run is open.
    began : float, optional
        When a new run began, in seconds since 1970; by default now.

    Raises
    ------
    TrackingError
        When the store cannot be used, or the experiment or the run to resume does not exist.
    """
    run: ActiveRun | None = None
    try:
        with _delayed_interrupts():
            resumed = bool(resume or os.environ.get("MLFLOW_RUN_ID"))
            run = _open(client(), experiment, name, dict(tags or {}), description, resume, began)
        folder = None if state is None else lifecycle.run_folder(state, run.run_id)
        held = nullcontext() if folder is None else lifecycle.owned(folder)
        with held, system_metrics(run.run_id, resumed):
            yield run
    except BaseException as error:
        if run is not None:
            release(error)
            try:
                run.close(error)
            except KeyboardInterrupt:  # a second Ctrl-C must not leave it RUNNING
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
    began: float | None,
) -> ActiveRun:
    from mlflow.tracking.context.registry import resolve_tags

    tags = {"schema_version": SCHEMA_VERSION, **_git_tags(), **lifecycle.identity(), **tags}
    # Removed from the environment, as MLflow does, so that the next run of this process is new.
    if resumed_id := os.environ.pop("MLFLOW_RUN_ID", None) or resume:
        mend = "inside mlflow run, MLFLOW_TRACKING_URI must be absolute"
        with translated(f"resume run {resumed_id}", mend):
            run = mlflow_client.get_run(resumed_id)
            keep = run.info.run_name and not _GENERATED_NAME.fullmatch(run.info.run_name)
            active = ActiveRun(mlflow_client, run, run.info.run_name if keep else name)
            # Whose it is comes first: RUNNING, it would be taken for that of the dead process.
            active.set_tags(tags)
            mlflow_client.update_run(resumed_id, "RUNNING", None if keep else name)
        show_results(mlflow_client, active.experiment_id)
        return active
    experiment_id = _experiment_id(mlflow_client, experiment, description)
    with translated("create a run"):
        with _without_ipython():
            everything = resolve_tags(tags)
        start_ms = None if began is None else int(1000 * began)
        run = mlflow_client.create_run(experiment_id, start_ms, everything, name)
    return ActiveRun(mlflow_client, run)


@contextmanager
def _without_ipython() -> Iterator[None]:
    """Keep MLflow from importing IPython, for half a second, to ask whether this is a notebook.

    In a notebook it is imported already; elsewhere the import fails, as if it were not installed.
    """
    absent = "IPython" not in sys.modules
    if absent:
        sys.modules["IPython"] = None  # type: ignore[assignment]  # as Python documents it
    try:
        yield
    finally:
        if absent:
            del sys.modules["IPython"]


def _experiment_id(mlflow_client: "MlflowClient", name: str | None, description: str) -> str:
    from mlflow.exceptions import MlflowException

    environment_id = os.environ.get("MLFLOW_EXPERIMENT_ID")
    if name is None and environment_id:
        with translated(f"find experiment {environment_id}", "unset MLFLOW_EXPERIMENT_ID"):
            tags = mlflow_client.get_experiment(environment_id).tags
        show_results(mlflow_client, environment_id, tags)
        return environment_id
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    with translated(f"find experiment {name!r}"):
        experiment = mlflow_client.get_experiment_by_name(name)
        if experiment is None:
            try:
                tags = new_experiment_tags(description)
                place = folders.beside_the_store(name)
                return str(mlflow_client.create_experiment(name, place, tags))
            except MlflowException:  # another process created it first
                experiment = mlflow_client.get_experiment_by_name(name)
                if experiment is None:
                    raise
    if experiment.lifecycle_stage == "deleted":
        restore = f"mlflow experiments restore -x {experiment.experiment_id}"
        mend = f"restore it ({restore}), or name another"
        raise TrackingError("the experiment was deleted", name, mend)
    folders.check_place(str(experiment.experiment_id), str(experiment.artifact_location))
    show_results(mlflow_client, experiment.experiment_id, experiment.tags)
    return str(experiment.experiment_id)


def _git_tags() -> dict[str, str]:
    """The commit of this code and whether it has changes, if it runs from its checkout."""
    package = Path(__file__).resolve().parents[2]
    top = git(package, "rev-parse", "--show-toplevel")
    # The package may be installed inside another project's repository.
    if top is None or Path(top).resolve() != package.parent:
        return {}
    commit = git(package, "rev-parse", "HEAD")
    changes = git(package, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return {}
    return {"git.commit": commit, "git.dirty": str(bool(changes)).lower()}


@contextmanager
def _delayed_interrupts() -> Iterator[None]:
    """Delay Ctrl-C and termination signals until the id of the run is known.

    If an interrupt came after MLflow made the run and before it returned the id, the run could not
    be closed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals only to the main thread
        return
    received: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    restorable = {number: handler for number, handler in handlers.items() if handler is not None}
    for number in restorable:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in restorable.items():
            signal.signal(number, handler)
        for received_number in received:
            signal.raise_signal(received_number)
