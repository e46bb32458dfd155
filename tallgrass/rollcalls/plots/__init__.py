"""Matplotlib figures from tables and draws; without files and without pyplot's global state.

Examples
--------
>>> spec = tg.RunSpec(draws=300, fit_checks=False)
>>> result = tg.fit(spec, tg.Settings(progress="none"))
>>> figure = tg.plots.forest(result.ideal_points, title="109th US Senate")
>>> figure.savefig("forest.png")
"""

from tallgrass.rollcalls.plots.careers import (
    careers,
    decomposition,
    medians,
    movers,
    polarization,
    session_labels,
)
from tallgrass.rollcalls.plots.fit import CHECKS, predictive
from tallgrass.rollcalls.plots.ideal import (
    comparison_scatter,
    external_scatter,
    forest,
    member_label,
    shrinkage_scatter,
)
from tallgrass.rollcalls.plots.joint import dif_scatter
from tallgrass.rollcalls.plots.linking import link_coefficients, link_deviations, off_scale
from tallgrass.rollcalls.plots.parties import dispersion, icc, party_positions, variance_bar
from tallgrass.rollcalls.plots.plane import chamber_map, cutting_lines
from tallgrass.rollcalls.plots.rollcalls import cut_points

__all__ = [
    "CHECKS",
    "careers",
    "chamber_map",
    "comparison_scatter",
    "cut_points",
    "cutting_lines",
    "decomposition",
    "dif_scatter",
    "dispersion",
    "external_scatter",
    "forest",
    "icc",
    "link_coefficients",
    "link_deviations",
    "medians",
    "member_label",
    "movers",
    "off_scale",
    "party_positions",
    "polarization",
    "predictive",
    "session_labels",
    "shrinkage_scatter",
    "variance_bar",
]
