"""A run of ours inside a run that the user's own code has open in MLflow."""

import sys
from typing import NamedTuple

from tallgrass.tracking.store import client, translated
from tallgrass.tracking.writing.run import ActiveRun

PARENT_TAG = "mlflow.parentRunId"


class Outer(NamedTuple):
    """The run that is open: its id, and the name of its experiment."""

    run_id: str
    experiment: str


def outer_run() -> Outer | None:
    """The run that ``mlflow.start_run`` has open in this thread, or None.

    A run of ours becomes its child, in the same experiment.
    """
    if "mlflow" not in sys.modules:  # then nothing can be open, and the import takes seconds
        return None
    import mlflow

    run = mlflow.active_run()
    if run is None:
        return None
    experiment = mlflow.get_experiment(run.info.experiment_id)
    return Outer(str(run.info.run_id), str(experiment.name))


def joined(run_id: str) -> ActiveRun:
    """The user's run, to write to; its status stays that of the user's code.

    Raises
    ------
    TrackingError
        When it does not exist.
    """
    with translated(f"find run {run_id}"):
        return ActiveRun(client(), client().get_run(run_id))


def experiment_of(run_id: str) -> str:
    """Name of the experiment that a run is in.

    Raises
    ------
    TrackingError
        When the run does not exist.
    """
    with translated(f"find run {run_id}"):
        found = client().get_run(run_id)
        return str(client().get_experiment(found.info.experiment_id).name)
