"""A run of ours inside a run that the user's own code has open in MLflow."""

import sys
from typing import NamedTuple

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
