"""Tables and figures of a calibration -> one self-contained HTML page."""

from tallgrass.items.report.build import build_calibration
from tallgrass.items.report.figures import calibration_figures
from tallgrass.items.report.methods import MethodsInput, build_methods, methods_figures

__all__ = [
    "MethodsInput",
    "build_calibration",
    "build_methods",
    "calibration_figures",
    "methods_figures",
]
