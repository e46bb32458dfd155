"""What a report is made from, and the tables that it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.inference.convergence import convergence_table, worst_parameters
from tallgrass.inference.diagnostics import Diagnostics, Floats, Thresholds, Verdict
from tallgrass.machine import Finding
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.chambers import JointVotes
from tallgrass.rollcalls.compare import Comparison
from tallgrass.rollcalls.linking import Linking
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import FilterLog, VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

MIN_COMMON = 3  # a shrinkage picture of fewer legislators shows nothing


@dataclass(frozen=True, eq=False)
class ReportInput:
    """One run, as the report needs it.

    Parameters
    ----------
    trace : DataTree
        Draws of the run.
    votes : VoteMatrix
        The votes as modelled, after the filters.
    filter_log : FilterLog
        What the filters dropped.
    spec : RunSpec
        The run's parameters.
    diagnostics : Diagnostics
        Convergence diagnostics of the draws.
    verdict : Verdict
        The verdict with its checks.
    run_id : str
        MLflow id of the run.
    comparison : Comparison, optional
        Agreement with the baseline.
    baseline_run_id : str, optional
        Id of the baseline.
    flat_table : DataFrame, optional
        Ideal points of a flat run on the same votes.
    findings : sequence of Finding
        What was found about the machine.
    fit : mapping of str to float, optional
        Fit measures under their metric names (``fit/accuracy``).
    warnings : sequence of str
        What the model and the pipeline warned of.
    environment : mapping of str to str
        Versions and settings worth knowing.
    timings : mapping of str to float
        Seconds by step.
    predictive : DataFrame, optional
        Posterior predictive checks: check, id, observed, mean, low, high.
    thresholds : Thresholds
        What the verdict was judged by.
    joint : JointVotes, optional
        Both chambers, in a run of the joint model; ``votes`` holds them together.
    own_fits : (mapping of str to str, ndarray), optional
        By chamber the run that fitted it alone (empty where PCA scores stand in), and the
        positions that these fits give all members of a joint run.
    beside : Linking, optional
        The chambers' own runs linked, beside a joint run.
    """

    trace: "DataTree"
    votes: VoteMatrix
    filter_log: FilterLog
    spec: RunSpec
    diagnostics: Diagnostics
    verdict: Verdict
    run_id: str
    comparison: Comparison | None = None
    baseline_run_id: str | None = None
    flat_table: pd.DataFrame | None = None
    findings: Sequence[Finding] = ()
    fit: Mapping[str, float] | None = None
    warnings: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    predictive: pd.DataFrame | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    joint: JointVotes | None = None
    own_fits: tuple[Mapping[str, str], Floats] | None = None
    beside: Linking | None = None

    @cached_property
    def tables(self) -> "Tables":
        """Every table of the run, computed once for the report, its figures and the artifacts."""
        return make_tables(self)


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
    comparison: pd.DataFrame | None  # with name, party, district, and anchored in either run


def _joint_tables(run: ReportInput) -> summaries.JointTables | None:
    if run.joint is None:
        return None
    scores = None if run.own_fits is None else run.own_fits[1]
    return summaries.joint_tables(run.trace, run.joint, scores)


def make_tables(run: ReportInput) -> Tables:
    """Compute the tables of a run."""
    trace = run.trace
    ideal = summaries.ideal_points(trace, run.votes)
    parties = summaries.has_parties(trace)
    shrinkage = comparison = None
    flat = run.flat_table
    if flat is not None:
        # Slugs that are numbers come back from a CSV file as numbers.
        flat = flat.assign(slug=flat["slug"].astype(str))
    if parties and flat is not None and ideal["slug"].isin(flat["slug"]).sum() >= MIN_COMMON:
        shrinkage = summaries.shrinkage(ideal, flat, summaries.party_means(trace))
    if run.comparison is not None:
        people = ideal[["slug", "name", "party", "district", "anchor"]]
        comparison = run.comparison.table.merge(people, on="slug", how="inner")
        held = (comparison["anchor"] != 0) | _held_in_reference(flat, comparison)
        comparison = comparison.drop(columns="anchor").assign(anchored=held)
    return Tables(
        ideal_points=ideal,
        rollcalls=summaries.rollcalls_table(trace, run.votes),
        convergence=convergence_table(run.diagnostics, run.thresholds),
        worst=worst_parameters(run.diagnostics),
        party_parameters=summaries.party_parameters(trace) if parties else None,
        variance=summaries.variance_decomposition(trace) if parties else None,
        dispersion=summaries.dispersion(trace) if parties else None,
        shrinkage=shrinkage,
        joint=_joint_tables(run),
        comparison=comparison,
    )


def _held_in_reference(flat: pd.DataFrame | None, comparison: pd.DataFrame) -> "pd.Series[bool]":
    """Which legislators the baseline holds fixed.

    A baseline is known by its positions only. The anchors of a flat run follow from the votes, so
    a baseline that has them at the values of the flat run on the same votes is a flat run too.
    """
    none = pd.Series(False, index=comparison.index)
    if flat is None:
        return none
    anchors = flat[flat["anchor"] != 0].set_index("slug")["mean"]
    fixed = comparison["slug"].map(anchors.to_dict()).astype(float)
    same = fixed == comparison["reference_raw"]
    return same if same.sum() == len(anchors) else none
