"""What a run on roll calls says: convergence, agreement with the baseline, fit, and every table."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.errors import DataError
from tallgrass.inference.convergence import convergence_table, worst_parameters
from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.fit_verdict import FitVerdict, fit_verdict
from tallgrass.inference.spec import AUTO
from tallgrass.inference.summary import posterior_summary
from tallgrass.inference.verdict import Verdict
from tallgrass.report.palette import showing
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.against_baseline import (
    baseline_metrics,
    baseline_tags,
    order_check,
    second_axis_metrics,
)
from tallgrass.rollcalls.anchors import anchors_of
from tallgrass.rollcalls.axis import Axis, axis_check, axis_metrics, describe_axes
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import JointVotes
from tallgrass.rollcalls.compare import Comparison
from tallgrass.rollcalls.elpd_difference import ElpdDifference
from tallgrass.rollcalls.external import External, compare_scores
from tallgrass.rollcalls.filters import FilterLog
from tallgrass.rollcalls.fit_checks import FitChecks
from tallgrass.rollcalls.fit_tables import FitTables, tables_of_fit
from tallgrass.rollcalls.linking import Linking
from tallgrass.rollcalls.prepare import OwnFits, Prepared
from tallgrass.rollcalls.run_tables import Tables, by_rank, run_tables
from tallgrass.rollcalls.signs import sign_check, sign_metrics, sign_probabilities
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import VoteMatrix
from tallgrass.study.analysis import Analysis

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
    session_fit : DataFrame or None
        The fit of every session of a dynamic run.
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
    session_fit: pd.DataFrame | None = None

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
    def careers(self) -> Careers | None:
        """Many sessions, in a dynamic run; ``votes`` holds their member-sessions together."""
        return self.prepared.data.careers

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
            self.session_fit,
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
        with showing(self.votes.groups):  # letters tell the groups apart
            return fit_verdict(
                (
                    axis_check(self.axes, self.names, self.spec.dims, self.votes.groups),
                    None if self.second_axis is None else self.second_axis.check(),
                    sign_check(self.signs),
                    order_check(self.comparison, self.elpd, self.names),
                    *self.fit_tables.fit_checks(
                        self.checks, self.ideal_points, self.spec.anchors, self._typical_anchors
                    ),
                )
            )

    @property
    def _typical_anchors(self) -> dict[str, float]:
        """Whom ``anchors=typical`` would hold where, beside ``auto`` whose anchors are off."""
        anchors = self.fit_tables.anchors
        if anchors is None or self.spec.anchors != "auto" or not anchors["off"].any():
            return {}
        try:
            found = anchors_of(
                self.votes, self.prepared.start.pca, "typical", self.spec.priors["beta"]
            )
        except DataError:  # votes without any
            return {}
        return found.named(self.votes)

    @cached_property
    def signs(self) -> dict[str, list[float]]:
        """Share of the draws with the sign asked for, by roll call and chain; empty without."""
        return sign_probabilities(self.trace, self.votes, self.spec.rollcall_signs)

    @cached_property
    def second_axis(self) -> summaries.SecondAxis | None:
        """What the second axis is and how well it is known; None in one dimension."""
        if not summaries.has_plane(self.trace):
            return None
        return summaries.second_axis(self.ideal_points, self.tables.rollcalls)

    @cached_property
    def external(self) -> External | None:
        """The ideal points beside published scores; None where the run has none."""
        scores = self.prepared.scores
        if scores is None:
            return None
        return compare_scores(self.ideal_points, scores.table, scores.name)

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """What the positions of each chamber say about their axis."""
        return describe_axes(self.trace, self.votes, self.joint, self.careers)

    @property
    def names(self) -> "pd.Series[str]":
        """Names of the legislators by slug."""
        return self.ideal_points.set_index("slug")["name"]

    def recorded_tags(self) -> dict[str, object]:
        """The verdict, the fit, and whether the scale runs the other way than the baseline's."""
        tags = super().recorded_tags() | self.fit_verdict.tags
        if self.second_axis is not None:
            tags["axis_2.direction"] = self.second_axis.direction
        if self.comparison is not None:
            tags |= baseline_tags(self.comparison, self.names)
        return tags

    def recorded_metrics(self) -> dict[str, float]:
        """Convergence, agreement with the baseline, fit, and what the joint model adds."""
        metrics = super().recorded_metrics()
        if self.spec.draws == AUTO:
            metrics["sampler/draws"] = self.trace["posterior"].sizes["draw"]
        if self.comparison is not None:
            metrics |= baseline_metrics(self.comparison, self.elpd, self.votes.groups)
            metrics |= second_axis_metrics(self.prepared.baseline, self.ideal_points)
        if self.external is not None:
            metrics |= self.external.metrics
        metrics |= axis_metrics(self.axes) | sign_metrics(self.signs)
        if self.second_axis is not None:
            metrics |= self.second_axis.metrics
        if self.tables.variance is not None:
            metrics["fit/icc"] = float(self.tables.variance.iloc[0]["share"])
        metrics |= (self.fit or {}) | self.fit_tables.metrics
        if self.tables.joint is not None:
            metrics |= self.tables.joint.metrics
        if self.tables.careers is not None:
            metrics |= self.tables.careers.metrics
        return metrics

    def recorded_tables(self) -> dict[str, pd.DataFrame]:
        """Ideal points, roll calls, those of the joint model, diagnostics and a summary."""
        recorded = {
            "tables/ideal_points": by_rank(self.tables.ideal_points),
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
        if self.tables.careers is not None:
            recorded |= self.tables.careers.recorded
        if self.external is not None:
            recorded["tables/external"] = self.external.table
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
