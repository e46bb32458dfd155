"""Tables of a dynamic run: careers, changes, parties and their gap over time, and what made it.

All are on the scale of the reference session, whose party means are at -1 and +1.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.labels import metric_name
from tallgrass.inference.summary import draws_of, names_of
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.summaries.decomposition import gap_decomposition
from tallgrass.rollcalls.summaries.left_out import left_out
from tallgrass.rollcalls.summaries.legislators import ideal_points
from tallgrass.rollcalls.summaries.persons import changes, members, seats_of
from tallgrass.rollcalls.summaries.sessions import (
    gap_table,
    median_table,
    overlap_table,
    party_table,
    session_table,
)
from tallgrass.rollcalls.votes import VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, eq=False)
class CareerTables:
    """Tables of a dynamic run; intervals are 95 % HDI unless a docstring says otherwise.

    Parameters
    ----------
    sessions : DataFrame
        One row a sitting: session, chamber, time (bienniums), n_legislators, n_rollcalls, n_votes,
        n_returning, n_new, is_reference; delta and k as mean, sd, hdi_low, hdi_high.
    parties : DataFrame
        One row a party and sitting: the mean of its members (mean, sd, hdi_low, hdi_high), their
        spread (spread, spread_low, spread_high) and n_legislators.
    gap : DataFrame
        One row a sitting: the distance between the parties' means (mean, sd, hdi_low, hdi_high),
        share_of_reference, p_wider (probability that it is wider than in the chamber's sitting
        before).
    medians : DataFrame
        One row a sitting and body (all members, each party): position of the median member (mean,
        hdi_low, hdi_high), the likeliest one and the probability.
    decomposition : DataFrame
        See :func:`tallgrass.rollcalls.summaries.decomposition.gap_decomposition`.
    changes, members : DataFrame
        See :mod:`tallgrass.rollcalls.summaries.persons`.
    overlap : DataFrame
        One row a pair of sittings: n_common persons, share of the smaller sitting, n_links (careers
        that go from one to the other without a seat between).
    left_out : DataFrame
        See :func:`tallgrass.rollcalls.summaries.left_out.left_out`.
    metrics : dict
        Headline figures by metric name.
    chains, single : DataFrame
        See :func:`tallgrass.rollcalls.career_analysis.chains_by_session` and
        :func:`tallgrass.rollcalls.career_analysis.single_sessions`; empty until they are made.
    fit : DataFrame or None
        The fit of every session; None without fit checks.
    """

    sessions: pd.DataFrame
    parties: pd.DataFrame
    gap: pd.DataFrame
    medians: pd.DataFrame
    decomposition: pd.DataFrame
    changes: pd.DataFrame
    members: pd.DataFrame
    overlap: pd.DataFrame
    left_out: pd.DataFrame
    metrics: dict[str, float]
    chains: pd.DataFrame = field(default_factory=pd.DataFrame)
    single: pd.DataFrame = field(default_factory=pd.DataFrame)
    fit: pd.DataFrame | None = None

    @property
    def recorded(self) -> dict[str, pd.DataFrame]:
        """By artifact path without its ending."""
        optional = {
            "tables/left_out": self.left_out,
            "tables/chains": self.chains,
            "tables/single_sessions": self.single,
            "tables/session_fit": pd.DataFrame() if self.fit is None else self.fit,
        }
        return {
            "tables/sessions": self.sessions,
            "tables/parties_over_time": self.parties,
            "tables/gap_over_time": self.gap,
            "tables/medians_over_time": self.medians,
            "tables/gap_decomposition": self.decomposition,
            "tables/changes": self.changes,
            "tables/members": self.members,
            "tables/session_overlap": self.overlap,
            **{path: table for path, table in optional.items() if len(table)},
        }


def part_of(trace: "DataTree", block: VoteMatrix) -> "DataTree":
    """The draws of one sitting alone, as a trace of its votes."""
    import xarray as xr

    posterior = trace["posterior"].to_dataset()[["xi", "alpha", "beta"]]
    people, calls = list(block.slugs), list(block.vote_ids)
    constant = trace["constant_data"].to_dataset().sel(legislator=people)
    groups = {
        "posterior": posterior.sel(legislator=people, rollcall=calls),
        "constant_data": constant,
    }
    return xr.DataTree.from_dict(groups)


def member_sessions(trace: "DataTree", careers: Careers) -> pd.DataFrame:
    """One row a member-session, in the order of the trace.

    Columns of :func:`tallgrass.rollcalls.summaries.legislators.ideal_points`, ranks and p_median
    among the members of the sitting, then person, session, chamber and new (no earlier seat).
    """
    tables = []
    for block in careers.blocks:
        table = ideal_points(part_of(trace, block), block)
        tables.append(table.assign(session=block.session, chamber=block.chamber))
    persons = careers.in_combined_order(np.array(careers.persons.of_seat, object))
    is_new = np.zeros(len(persons), bool)
    is_new[careers.rows[careers.links.new]] = True
    about = pd.DataFrame({"slug": careers.combined.slugs, "person": persons, "new": is_new})
    table = pd.concat(tables, ignore_index=True).merge(about, on="slug")
    return table.set_index("slug").loc[names_of(trace, "legislator")].reset_index()


def career_tables(trace: "DataTree", careers: Careers, spec: ModelSpec) -> CareerTables:
    """Compute the tables of a dynamic run."""
    row = {slug: i for i, slug in enumerate(names_of(trace, "legislator"))}
    order = [row[slug] for slug in careers.combined.slugs]
    xi = draws_of(trace, "xi")[order][careers.rows]  # sitting after sitting
    sessions, gap = session_table(trace, careers), gap_table(trace, careers)
    decomposition = gap_decomposition(xi, careers)
    seats = seats_of(careers)
    changed = changes(xi, careers, seats)
    tau = draws_of(trace, "tau")[0]
    metrics = {
        "dynamic/tau": float(tau.mean()),
        "dynamic/tau_sd": float(tau.std(ddof=1)),
        "dynamic/n_sessions": float(len(careers.sessions)),
        "dynamic/n_persons": float(len(seats)),
        "dynamic/n_links": float(len(careers.links.gap)),
        "dynamic/n_matched": float(len(careers.bridges.house)),
    }
    for name, mean in zip(careers.names, gap["mean"], strict=True):
        metrics[f"dynamic/gap_{metric_name(name)}"] = float(mean)
    whole = decomposition[(decomposition["span"] == "whole") & (decomposition["of"] == "gap")]
    for _, part in whole.iterrows():
        suffix = f"_{part['chamber']}" if careers.both else ""
        for name in ("change", "movement", "replacement"):
            metrics[f"dynamic/gap_{name}{suffix}"] = float(part[name])
    return CareerTables(
        sessions,
        party_table(trace, xi, careers),
        gap,
        median_table(xi, careers),
        decomposition,
        changed,
        members(careers, seats, changed),
        overlap_table(careers, seats),
        left_out(trace, careers, spec.priors, spec.walk == "normal"),
        {name: value for name, value in metrics.items() if np.isfinite(value)},
    )
