"""Matplotlib figures from tables and draws; without files and without pyplot's global state."""

from tallgrass.rollcalls.plots.fit import CHECKS, predictive
from tallgrass.rollcalls.plots.ideal import (
    comparison_scatter,
    forest,
    member_label,
    shrinkage_scatter,
)
from tallgrass.rollcalls.plots.joint import dif_scatter
from tallgrass.rollcalls.plots.linking import link_coefficients, link_deviations, off_scale
from tallgrass.rollcalls.plots.parties import dispersion, icc, party_positions, variance_bar
from tallgrass.rollcalls.plots.rollcalls import cut_points

__all__ = [
    "CHECKS",
    "comparison_scatter",
    "cut_points",
    "dif_scatter",
    "dispersion",
    "forest",
    "icc",
    "link_coefficients",
    "link_deviations",
    "member_label",
    "off_scale",
    "party_positions",
    "predictive",
    "shrinkage_scatter",
    "variance_bar",
]
