"""Tables and figures of a run on roll calls -> one self-contained HTML page."""

from tallgrass.rollcalls.report.build import build, first_findings
from tallgrass.rollcalls.report.figures import figures
from tallgrass.rollcalls.report.linking import build_link, link_figures

__all__ = ["build", "build_link", "figures", "first_findings", "link_figures"]
