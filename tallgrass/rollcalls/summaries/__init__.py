"""Tables from draws: ideal points, parties, variance, dispersion, shrinkage, roll calls.

Intervals are 95 % highest-density intervals (HDI) of the draws of all chains together, unless a
docstring says percentile. Rank 1 is the highest ideal point, at the Republican end.
"""

from tallgrass.rollcalls.summaries.careers import CareerTables, career_tables, member_sessions
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
from tallgrass.rollcalls.summaries.plane import (
    SecondAxis,
    has_plane,
    second_axis,
    with_second_axis,
    with_slopes,
)
from tallgrass.rollcalls.summaries.rollcalls import MIN_DISCRIMINATION, rollcalls_table

__all__ = [
    "MIN_DISCRIMINATION",
    "CareerTables",
    "JointTables",
    "SecondAxis",
    "career_tables",
    "dispersion",
    "has_parties",
    "has_plane",
    "icc_draws",
    "ideal_points",
    "joint_tables",
    "matched_bills",
    "member_sessions",
    "party_means",
    "party_parameters",
    "party_sizes",
    "probability_right_of",
    "right_of",
    "rollcalls_table",
    "second_axis",
    "shrinkage",
    "variance_decomposition",
    "with_second_axis",
    "with_slopes",
]
