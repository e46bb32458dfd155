"""Tables and draws -> matplotlib Figures; no files, and no pyplot with its global state."""

from tallgrass.plots.experiment import rates, scatter_matrix
from tallgrass.plots.fit import CHECKS, predictive
from tallgrass.plots.ideal import comparison_scatter, forest, member_label, shrinkage_scatter
from tallgrass.plots.items import (
    agreement,
    anchor_priors,
    drift,
    fit_statistics,
    item_curves,
    wright_map,
)
from tallgrass.plots.joint import dif_scatter
from tallgrass.plots.linking import link_coefficients, link_deviations
from tallgrass.plots.parties import dispersion, icc, party_positions, variance_bar
from tallgrass.plots.rollcalls import cut_points
from tallgrass.plots.sampler import convergence, energy, traces
from tallgrass.plots.style import plain

__all__ = [
    "CHECKS",
    "agreement",
    "anchor_priors",
    "comparison_scatter",
    "convergence",
    "cut_points",
    "dif_scatter",
    "dispersion",
    "drift",
    "energy",
    "fit_statistics",
    "forest",
    "icc",
    "item_curves",
    "link_coefficients",
    "link_deviations",
    "member_label",
    "party_positions",
    "plain",
    "predictive",
    "rates",
    "scatter_matrix",
    "shrinkage_scatter",
    "traces",
    "variance_bar",
    "wright_map",
]
