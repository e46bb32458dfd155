"""Tables and figures of a run on roll calls -> one self-contained HTML page."""

from tallgrass.rollcalls.report.build import build
from tallgrass.rollcalls.report.figures import figures
from tallgrass.rollcalls.report.linking import build_link, link_figures

__all__ = ["build", "build_link", "figures", "link_figures"]
