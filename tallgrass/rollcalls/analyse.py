"""From the draws of a prepared run to what they say."""

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.draws import Sampled
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import judge
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.against_baseline import compare_with, predicts_better
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.career_fit import career_fit_checks
from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.linking import Linking
from tallgrass.rollcalls.prepare import Baseline, Prepared
from tallgrass.rollcalls.run_tables import ideal_table
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES
from tallgrass.rollcalls.vote_draws import predictable
from tallgrass.study.clock import Clock
from tallgrass.study.model_file import short


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
        judged: tuple[str, ...] = VARIABLES
        if prepared.file is not None:
            # Its scale may run either way, and has variables of its own.
            scores = trace["posterior"]["xi"].to_numpy()[0].mean(axis=0)
            names = map(str, trace["posterior"].data_vars)
            judged += tuple(name for name in names if name not in VARIABLES)
        diagnostics = diagnose(trace, judged, audit(trace, scores, data.bodies))
        ideal_points = ideal_table(trace, data)
        if summaries.has_plane(trace):
            ideal_points = summaries.with_second_axis(ideal_points, trace)
    baseline, comparison, least_abs_r = prepared.baseline, None, None
    if baseline is not None:
        comparison = compare_with(baseline, ideal_points)
        if spec.dims == baseline.dims:
            least_abs_r = thresholds.abs_r(short(spec.model), short(baseline.model))
    checks = elpd = session_fit = None
    # No vote follows from a draw that is not finite; then the verdict fails, and names the entry.
    if spec.fit_checks and predictable(trace):
        with clock.timed("fit_checks_s"):
            if data.careers is None:
                checks = fit_checks(trace, data.votes, spec.seed)
            else:
                checks, session_fit = career_fit_checks(trace, data.careers, spec.seed)
            elpd = None if baseline is None else predicts_better(baseline.run_id, checks.votes)
    return RollCallAnalysis(
        run_id=run_id,
        diagnostics=diagnostics,
        verdict=judge(
            diagnostics,
            thresholds,
            None if comparison is None else comparison.abs_r,
            least_abs_r,
            _not_judged(spec, baseline),
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
        session_fit=session_fit,
    )


def _not_judged(spec: RunSpec, baseline: Baseline | None) -> str:
    """Why the agreement with a baseline is no row of the verdict; empty where none is wanted."""
    if baseline is not None:
        return (
            f"the baseline has {baseline.dims} and this run {spec.dims} dimensions: axis 1 need "
            "not be the same, so |r| is recorded and not judged"
        )
    if spec.baseline == "none":
        return ""
    return "no baseline: no earlier run on these votes was promoted, or passed with another method"
