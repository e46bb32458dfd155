"""Tables from draws: ideal points, parties, variance, dispersion, shrinkage, roll calls.

Intervals are 95 % highest-density intervals (HDI) of the draws of all chains together, unless a
docstring says percentile. Rank 1 is the highest ideal point, at the Republican end.
"""

from tallgrass.rollcalls.summaries.joint import JointTables, joint_tables, matched_bills
from tallgrass.rollcalls.summaries.legislators import ideal_points, shrinkage
from tallgrass.rollcalls.summaries.pairs import probability_right_of, right_of
from tallgrass.rollcalls.summaries.parties import (
    dispersion,
    has_parties,
    icc_draws,
    party_means,
    party_parameters,
    party_sizes,
    variance_decomposition,
)
from tallgrass.rollcalls.summaries.rollcalls import MIN_DISCRIMINATION, rollcalls_table

__all__ = [
    "MIN_DISCRIMINATION",
    "JointTables",
    "dispersion",
    "has_parties",
    "icc_draws",
    "ideal_points",
    "joint_tables",
    "matched_bills",
    "party_means",
    "party_parameters",
    "party_sizes",
    "probability_right_of",
    "right_of",
    "rollcalls_table",
    "shrinkage",
    "variance_decomposition",
]
