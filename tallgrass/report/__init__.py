"""Tables and figures of a run -> one self-contained HTML page."""

from tallgrass.report.build import build
from tallgrass.report.calibration_build import build_calibration
from tallgrass.report.calibration_figures import calibration_figures
from tallgrass.report.calibration_inputs import CalibrationInput
from tallgrass.report.calibration_methods import MethodsInput, build_methods, methods_figures
from tallgrass.report.experiment import ComparedRuns, ExperimentInput, build_experiment
from tallgrass.report.figures import figures, images
from tallgrass.report.inputs import ReportInput, Tables
from tallgrass.report.linking import LinkInput, build_link, link_figures

__all__ = [
    "CalibrationInput",
    "ComparedRuns",
    "ExperimentInput",
    "LinkInput",
    "MethodsInput",
    "ReportInput",
    "Tables",
    "build",
    "build_calibration",
    "build_experiment",
    "build_link",
    "build_methods",
    "calibration_figures",
    "figures",
    "images",
    "link_figures",
    "methods_figures",
]
