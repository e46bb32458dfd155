"""Tables and figures of a run -> one self-contained HTML page."""

from tallgrass.report.build import build
from tallgrass.report.experiment import ComparedRuns, ExperimentInput, build_experiment
from tallgrass.report.figures import figures, images
from tallgrass.report.inputs import ReportInput, Tables

__all__ = [
    "ComparedRuns",
    "ExperimentInput",
    "ReportInput",
    "Tables",
    "build",
    "build_experiment",
    "figures",
    "images",
]
