"""Many runs as one question: a file of 25 lines -> runs on Dask -> one comparison in MLflow."""

from tallgrass.experiment.declaration import Experiment, overridden, read_experiment
from tallgrass.experiment.expansion import PlannedRun, expand
from tallgrass.experiment.runner import ExperimentResult, Options, run_experiment

__all__ = [
    "Experiment",
    "ExperimentResult",
    "Options",
    "PlannedRun",
    "expand",
    "overridden",
    "read_experiment",
    "run_experiment",
]
