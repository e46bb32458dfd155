"""Every table of one run on roll calls, made once for the record, the report and its figures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.career_analysis import completed
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.compare import Comparison
from tallgrass.rollcalls.prepare import Prepared
from tallgrass.rollcalls.reading import Read

if TYPE_CHECKING:
    from xarray import DataTree

_READ_FIRST = ("name", "party", "chamber", "mean", "hdi_low", "hdi_high", "rank", "district")
MIN_COMMON = 3  # a shrinkage picture of fewer legislators shows nothing


@dataclass(frozen=True, eq=False)
class Tables:
    """Tables of one run (:mod:`tallgrass.rollcalls.summaries`); what it does not have is None."""

    ideal_points: pd.DataFrame
    rollcalls: pd.DataFrame
    convergence: pd.DataFrame
    worst: pd.DataFrame
    party_parameters: pd.DataFrame | None
    variance: pd.DataFrame | None
    dispersion: pd.DataFrame | None
    shrinkage: pd.DataFrame | None
    joint: summaries.JointTables | None
    careers: summaries.CareerTables | None
    comparison: pd.DataFrame | None  # with name, party, district, and anchored in either run


def ideal_table(trace: "DataTree", data: Read) -> pd.DataFrame:
    """One row a legislator, or a member-session of a dynamic run, in the order of the trace."""
    if data.careers is not None:
        return summaries.member_sessions(trace, data.careers)
    joint = data.joint
    chambers = None if joint is None else [CHAMBERS[c] for c in joint.chamber_index]
    return summaries.ideal_points(trace, data.votes, chambers)


def by_rank(ideal: pd.DataFrame) -> pd.DataFrame:
    """The table of ideal points as people read it: who, where, how surely; farthest right first.

    A dynamic run has a row for each session, whose order says more, and stays as it is.
    """
    columns = [*(name for name in _READ_FIRST if name in ideal), *ideal]
    ordered = ideal[list(dict.fromkeys(columns))]
    if "session" in ideal:
        return ordered
    return ordered.sort_values("rank", kind="stable", ignore_index=True)


def run_tables(
    prepared: Prepared,
    trace: "DataTree",
    ideal: pd.DataFrame,
    convergence: pd.DataFrame,
    worst: pd.DataFrame,
    comparison: Comparison | None,
    session_fit: pd.DataFrame | None = None,
) -> Tables:
    """The tables of a run.

    Parameters
    ----------
    prepared : Prepared
        What was sampled.
    trace : DataTree
        The draws.
    ideal : DataFrame
        The table of ideal points.
    convergence, worst : DataFrame
        Diagnostics by variable, and the parameters with the worst values.
    comparison : Comparison or None
        Agreement with the baseline.
    session_fit : DataFrame, optional
        The fit of every session of a dynamic run.
    """
    parties = summaries.has_parties(trace)
    shrinkage = compared = None
    flat = prepared.flat_table
    if flat is not None:
        # Slugs that are numbers come back from a CSV file as numbers.
        flat = flat.assign(slug=flat["slug"].astype(str))
    if parties and flat is not None and ideal["slug"].isin(flat["slug"]).sum() >= MIN_COMMON:
        shrinkage = summaries.shrinkage(ideal, flat, summaries.party_means(trace))
    if comparison is not None:
        people = ideal[["slug", "name", "party", "district"]]
        compared = comparison.table.merge(people, on="slug", how="inner")
        compared = compared.rename(columns={"fixed": "anchored"})
    joint = None
    if prepared.data.joint is not None:
        scores = None if prepared.own_fits is None else prepared.own_fits.scores
        joint = summaries.joint_tables(trace, prepared.data.joint, scores)
    rollcalls = summaries.rollcalls_table(trace, prepared.data.votes)
    if summaries.has_plane(trace):
        rollcalls = summaries.with_slopes(rollcalls, trace)
    careers = None
    if (sessions := prepared.data.careers) is not None:
        careers = completed(
            summaries.career_tables(trace, sessions, prepared.spec),
            trace,
            sessions,
            ideal,
            prepared.start.pca,
            session_fit,
        )
    return Tables(
        ideal_points=ideal,
        rollcalls=rollcalls,
        convergence=convergence,
        worst=worst,
        party_parameters=summaries.party_parameters(trace) if parties else None,
        variance=summaries.variance_decomposition(trace) if parties else None,
        dispersion=summaries.dispersion(trace) if parties else None,
        shrinkage=shrinkage,
        joint=joint,
        careers=careers,
        comparison=compared,
    )
