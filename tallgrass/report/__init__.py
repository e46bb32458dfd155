"""Tables and figures of a run -> one self-contained HTML page."""

from tallgrass.report.build import build
from tallgrass.report.figures import figures, images
from tallgrass.report.inputs import ReportInput, Tables

__all__ = ["ReportInput", "Tables", "build", "figures", "images"]
