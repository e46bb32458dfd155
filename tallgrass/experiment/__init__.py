"""Experiments: make many runs from one short file on Dask, and compare them in MLflow."""

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
