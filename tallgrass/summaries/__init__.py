"""Draws -> tables: ideal points, party parameters, variance, dispersion, shrinkage, roll calls.

Intervals are 95 % highest-density intervals (HDI) of the draws of all chains together, except
where a docstring says percentile. Ranks count from the higher (Republican) end: rank 1 is the
highest ideal point.
"""

from tallgrass.summaries.convergence import convergence_table, worst_parameters
from tallgrass.summaries.draws import PROBABILITY, draws_of, hdi, names_of, posterior_summary
from tallgrass.summaries.joint import JointTables, joint_tables, matched_bills
from tallgrass.summaries.legislators import ideal_points, shrinkage
from tallgrass.summaries.parties import (
    dispersion,
    has_parties,
    icc_draws,
    party_means,
    party_parameters,
    party_sizes,
    variance_decomposition,
)
from tallgrass.summaries.rollcalls import MIN_DISCRIMINATION, rollcalls_table

__all__ = [
    "MIN_DISCRIMINATION",
    "PROBABILITY",
    "JointTables",
    "convergence_table",
    "dispersion",
    "draws_of",
    "has_parties",
    "hdi",
    "icc_draws",
    "ideal_points",
    "joint_tables",
    "matched_bills",
    "names_of",
    "party_means",
    "party_parameters",
    "party_sizes",
    "posterior_summary",
    "rollcalls_table",
    "shrinkage",
    "variance_decomposition",
    "worst_parameters",
]
