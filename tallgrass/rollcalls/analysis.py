"""What a run on roll calls says: convergence, agreement with the baseline, fit, and every table."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.inference.convergence import convergence_table, worst_parameters
from tallgrass.inference.diagnostics import Diagnostics, Verdict, diagnose, judge
from tallgrass.inference.draws import Sampled
from tallgrass.inference.fit_verdict import FitVerdict, fit_verdict
from tallgrass.inference.summary import posterior_summary
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.against_baseline import (
    baseline_metrics,
    baseline_tags,
    compare_with,
    order_check,
    predicts_better,
)
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.axis import Axis, axis_check, axis_metrics, describe_axes
from tallgrass.rollcalls.chambers import CHAMBERS, JointVotes
from tallgrass.rollcalls.compare import Comparison
from tallgrass.rollcalls.elpd_difference import ElpdDifference
from tallgrass.rollcalls.filters import FilterLog
from tallgrass.rollcalls.fit_checks import FitChecks, fit_checks
from tallgrass.rollcalls.fit_tables import FitTables, tables_of_fit
from tallgrass.rollcalls.linking import Linking
from tallgrass.rollcalls.prepare import OwnFits, Prepared
from tallgrass.rollcalls.run_tables import Tables, run_tables
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES
from tallgrass.rollcalls.votes import VoteMatrix
from tallgrass.study.analysis import Analysis
from tallgrass.study.clock import Clock

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, eq=False, kw_only=True)
class RollCallAnalysis(Analysis):
    """What the draws of one run on roll calls say.

    Parameters
    ----------
    trace : DataTree
        The draws.
    prepared : Prepared
        What was sampled: votes, spec, model, start, baseline.
    ideal_points : DataFrame
        One row a legislator.
    comparison : Comparison or None
        Agreement with the baseline.
    checks : FitChecks or None
        Fit and posterior predictive checks.
    beside : Linking or None
        The chambers' own runs linked, beside a joint run.
    elpd : ElpdDifference or None
        How much better this run predicts the votes than the baseline; None where both are not of
        the same votes, or one has no log predictive densities.
    """

    diagnostics: Diagnostics
    verdict: Verdict
    trace: "DataTree"
    prepared: Prepared
    ideal_points: pd.DataFrame
    comparison: Comparison | None = None
    checks: FitChecks | None = None
    beside: Linking | None = None
    elpd: ElpdDifference | None = None

    @property
    def spec(self) -> RunSpec:
        """The run's parameters."""
        return self.prepared.spec

    @property
    def votes(self) -> VoteMatrix:
        """The votes as modelled, after the filters."""
        return self.prepared.data.votes

    @property
    def joint(self) -> JointVotes | None:
        """Both chambers, in a run of the joint model; ``votes`` holds them together."""
        return self.prepared.data.joint

    @property
    def filter_log(self) -> FilterLog:
        """What the filters dropped."""
        return self.prepared.data.filter_log

    @property
    def own_fits(self) -> OwnFits | None:
        """The chambers' own fits, beside a joint run."""
        return self.prepared.own_fits

    @property
    def flat_table(self) -> pd.DataFrame | None:
        """Ideal points of a flat run on the same votes."""
        return self.prepared.flat_table

    @property
    def baseline_run_id(self) -> str | None:
        """The run that this one is compared with."""
        baseline = self.prepared.baseline
        return None if baseline is None else baseline.run_id

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the model warns of."""
        return self.prepared.model.warnings

    @property
    def fit(self) -> dict[str, float] | None:
        """Fit measures under their metric names (``fit/accuracy``)."""
        return None if self.checks is None else dict(self.checks.metrics)

    @property
    def predictive(self) -> pd.DataFrame | None:
        """Posterior predictive checks: check, id, observed, mean, low, high."""
        return None if self.checks is None else self.checks.predictive

    @cached_property
    def tables(self) -> Tables:
        """Every table of the run, computed once for the record, the report and its figures."""
        return run_tables(
            self.prepared,
            self.trace,
            self.ideal_points,
            convergence_table(self.diagnostics, self.thresholds),
            worst_parameters(self.diagnostics),
            self.comparison,
        )

    @cached_property
    def fit_tables(self) -> FitTables:
        """What the run says of single legislators and votes."""
        return tables_of_fit(self.trace, self.votes, self.ideal_points, self.checks)

    @cached_property
    def right_of(self) -> pd.DataFrame:
        """The probability that the legislator of a row is to the right of that of a column."""
        return summaries.right_of(self.trace)

    @cached_property
    def fit_verdict(self) -> FitVerdict:
        """Whether one line fits the votes; it stands beside the verdict and does not change it."""
        return fit_verdict(
            (
                axis_check(self.axes, self.names),
                order_check(self.comparison, self.elpd, self.names),
                *self.fit_tables.fit_checks(self.checks, self.ideal_points, self.spec.anchors),
            )
        )

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """What the positions of each chamber say about their axis."""
        return describe_axes(self.trace, self.votes, self.joint)

    @property
    def names(self) -> "pd.Series[str]":
        """Names of the legislators by slug."""
        return self.ideal_points.set_index("slug")["name"]

    def recorded_tags(self) -> dict[str, object]:
        """The verdict, the fit, and whether the scale runs the other way than the baseline's."""
        tags = super().recorded_tags() | self.fit_verdict.tags
        if self.comparison is not None:
            tags |= baseline_tags(self.comparison, self.names)
        return tags

    def recorded_metrics(self) -> dict[str, float]:
        """Convergence, agreement with the baseline, fit, and what the joint model adds."""
        metrics = super().recorded_metrics()
        if self.comparison is not None:
            metrics |= baseline_metrics(self.comparison, self.elpd)
        metrics |= axis_metrics(self.axes)
        if self.tables.variance is not None:
            metrics["fit/icc"] = float(self.tables.variance.iloc[0]["share"])
        metrics |= (self.fit or {}) | self.fit_tables.metrics
        if self.tables.joint is not None:
            metrics |= self.tables.joint.metrics
        return metrics

    def recorded_tables(self) -> dict[str, pd.DataFrame]:
        """Ideal points, roll calls, those of the joint model, diagnostics and a summary."""
        recorded = {
            "tables/ideal_points": self.tables.ideal_points,
            "tables/rollcalls": self.tables.rollcalls,
        }
        if (joint := self.tables.joint) is not None:
            recorded |= {
                "tables/joint_scale": joint.scale,
                "tables/joint_groups": joint.groups,
                "tables/joint_overlap": joint.overlap,
                "tables/right_of": joint.right_of,
                "tables/dif": joint.dif,
                "tables/chains": joint.chains,
            }
            if self.beside is not None:
                recorded["tables/linked_beside"] = self.beside.coefficients
        recorded |= self.fit_tables.recorded | super().recorded_tables()
        return recorded | {"tables/summary": posterior_summary(self.trace)}

    def recorded_long_tables(self) -> dict[str, pd.DataFrame]:
        """Every single vote with its probability, and the predictive checks with every pair."""
        if (checks := self.checks) is None:
            return {}
        return {
            "tables/votes": checks.votes,
            "tables/predictive": checks.predictive,
            "tables/pairs": checks.pairs,
        }


def analyse(
    prepared: Prepared,
    sampled: Sampled,
    run_id: str,
    thresholds: Thresholds,
    clock: Clock,
    beside: Linking | None = None,
) -> RollCallAnalysis:
    """What the draws of a prepared run say.

    Parameters
    ----------
    sampled : Sampled
        The draws.
    run_id : str
        MLflow id of the run.
    thresholds : Thresholds
        What the verdict is judged by.
    clock : Clock
        Told how long the diagnostics and the fit checks took.
    beside : Linking, optional
        The chambers' own runs linked, beside a joint run.
    """
    spec, data, trace = prepared.spec, prepared.data, sampled.trace
    with clock.timed("diagnostics_s"):
        own = prepared.own_fits
        scores = prepared.start.pca if own is None else own.scores
        chambers = None if data.joint is None else data.joint.chamber_index
        diagnostics = diagnose(trace, VARIABLES, audit(trace, scores, chambers))
        ideal_points = summaries.ideal_points(trace, data.votes, _chambers(data.joint))
    baseline, comparison, least_abs_r = prepared.baseline, None, None
    if baseline is not None:
        comparison = compare_with(baseline, ideal_points)
        least_abs_r = thresholds.abs_r(spec.model, baseline.model)
    checks = elpd = None
    if spec.fit_checks:
        with clock.timed("fit_checks_s"):
            checks = fit_checks(trace, data.votes, spec.seed)
            elpd = None if baseline is None else predicts_better(baseline.run_id, checks.votes)
    return RollCallAnalysis(
        run_id=run_id,
        diagnostics=diagnostics,
        verdict=judge(
            diagnostics,
            thresholds,
            None if comparison is None else comparison.abs_r,
            least_abs_r,
            _no_baseline(spec),
        ),
        thresholds=thresholds,
        findings=prepared.findings,
        timings=clock.total(),
        trace=trace,
        prepared=prepared,
        ideal_points=ideal_points,
        comparison=comparison,
        checks=checks,
        beside=beside,
        elpd=elpd,
    )


def _chambers(joint: JointVotes | None) -> list[str] | None:
    """The chamber of every row of the votes, if there are two."""
    return None if joint is None else [CHAMBERS[c] for c in joint.chamber_index]


def _no_baseline(spec: RunSpec) -> str:
    if spec.baseline == "none":
        return ""
    return "no baseline: no earlier run on these votes was promoted, or passed with another method"
