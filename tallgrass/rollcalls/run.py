"""The way of a run, step by step."""

import platform
import time
from contextlib import nullcontext
from importlib.metadata import version

from tallgrass.inference.diagnostics import diagnose, judge
from tallgrass.inference.draws import Interrupted, Sampled
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.compare import Comparison, compare_estimates
from tallgrass.rollcalls.fit_checks import FitChecks, fit_checks
from tallgrass.rollcalls.link import linked_beside
from tallgrass.rollcalls.prepare import Baseline, Prepared, prepare, read
from tallgrass.rollcalls.record import Recorder
from tallgrass.rollcalls.report import ReportInput
from tallgrass.rollcalls.result import Context, FitResult
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES, sample
from tallgrass.settings import Settings
from tallgrass.tracking import store
from tallgrass.tracking.attended import close_orphans, open_run, others, place, sampling, show
from tallgrass.tracking.clock import Clock
from tallgrass.tracking.lifecycle import Life, asked_to_stop
from tallgrass.tracking.progress import display


def run_steps(spec: RunSpec, settings: Settings, began: float, context: Context) -> FitResult:
    """Carry out one run; see :func:`tallgrass.rollcalls.fit.fit`."""
    clock = Clock()
    clock.seconds["import_s"] = time.perf_counter() - began
    # The votes come first: where they cannot be used, not even an empty database is made.
    with clock.timed("prepare_s"):
        data = read(spec, settings)
    made = f"{spec.chamber} {spec.model} {spec.sampler} {spec.init.partition(':')[0]}"
    name = context.name or made
    title = f"{spec.chamber} {spec.model} {spec.sampler}"
    with place(settings) as where:
        with clock.timed("connect_s"):
            store.connect(settings.tracking_uri)
            close_orphans()
        with clock.timed("prepare_s"):
            ready = prepare(spec, data, others(where), where.state)
        with open_run(where, settings, title, name, context.tags) as (run, life):
            recorder = Recorder(run, ready, settings)
            with clock.timed("log_s"):
                recorder.before_sampling()
                show(ready.findings, run)
                run.spool_to(life.spool_folder, settings.deliver_seconds)
            sampled = _sample_and_save(ready, settings, recorder, clock, context, life)
            life.phase("reporting")
            return finish_run(ready, settings, recorder, clock, sampled, began)


def finish_run(
    ready: Prepared,
    settings: Settings,
    recorder: Recorder,
    clock: Clock,
    sampled: Sampled,
    began: float,
) -> FitResult:
    """Diagnostics, verdict, tables and report of draws that are saved."""
    run, spec = recorder.run, ready.spec
    with clock.timed("diagnostics_s"):
        joint = ready.data.joint
        chambers = None if joint is None else joint.chamber_index
        own = ready.own_fits
        scores = ready.start.pca if own is None else own.scores
        diagnostics = diagnose(sampled.trace, VARIABLES, audit(sampled.trace, scores, chambers))
    baseline = ready.baseline
    comparison = None if baseline is None else _compare(ready, sampled, baseline)
    verdict = judge(
        diagnostics,
        settings.thresholds,
        None if comparison is None else comparison.abs_r,
        None if baseline is None else settings.thresholds.abs_r(spec.model, baseline.model),
        _no_baseline(spec),
    )
    checks: FitChecks | None = None
    if spec.fit_checks:
        with clock.timed("fit_checks_s"):
            checks = fit_checks(sampled.trace, ready.data.votes, spec.seed)
    with clock.timed("report_s"):
        timings = clock.seconds | {"total_s": time.perf_counter() - began}
        report_path = recorder.after_sampling(
            ReportInput(
                trace=sampled.trace,
                votes=ready.data.votes,
                filter_log=ready.data.filter_log,
                spec=spec,
                diagnostics=diagnostics,
                verdict=verdict,
                run_id=run.run_id,
                comparison=comparison,
                baseline_run_id=None if baseline is None else baseline.run_id,
                flat_table=ready.flat_table,
                findings=ready.findings,
                fit=None if checks is None else checks.metrics,
                warnings=ready.model.warnings,
                environment={
                    "Python": platform.python_version(),
                    "tallgrass": version("tallgrass"),
                },
                timings=timings,
                predictive=None if checks is None else checks.predictive,
                thresholds=settings.thresholds,
                joint=joint,
                own_fits=None if own is None else (own.run_ids, own.scores),
                beside=None if own is None else linked_beside(own.run_ids),
            )
        )
    timings = clock.seconds | {"total_s": time.perf_counter() - began}
    recorder.timings(timings)
    return FitResult(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        ui_url=run.ui_url,
        results_url=store.results_page(run.experiment_id),
        verdict=verdict,
        diagnostics=diagnostics,
        trace=sampled.trace,
        comparison=comparison,
        timings=timings,
        report_path=report_path,
    )


def _sample_and_save(
    ready: Prepared,
    settings: Settings,
    recorder: Recorder,
    clock: Clock,
    context: Context,
    life: Life,
) -> Sampled:
    """Sample; the draws are stored before anything else happens, interrupted or not."""
    attributes = {
        "run_id": recorder.run.run_id,
        "spec": ready.spec.to_json(),
        "model": ready.spec.model,
        "data_sha256": ready.data.fingerprint,
    }
    try:
        watching = context.observer
        shown = nullcontext(watching) if watching else display(settings.progress)
        with (
            shown as progress,
            sampling(life, ready.spec.chains, progress) as (observer, files),
        ):
            sampled = sample(
                ready.model,
                ready.data.votes,
                ready.spec.sampler_spec,
                ready.start.scores,
                attributes,
                observer,
                files,
                lambda: context.stopped() or asked_to_stop(),
            )
    except Interrupted as interruption:
        if interruption.sampled is not None:
            life.phase("saving", "interrupted")
            recorder.trace(interruption.sampled.trace)
            life.kept_in_mlflow = True
        raise
    life.phase("saving")
    clock.seconds["compile_s"] = sampled.compile_s
    clock.seconds["sampling_s"] = sampled.sampling_s
    with clock.timed("save_trace_s"):
        recorder.trace(sampled.trace)
        life.kept_in_mlflow = True
    return sampled


def _compare(ready: Prepared, sampled: Sampled, baseline: Baseline) -> Comparison:
    means = summaries.ideal_points(sampled.trace, ready.data.votes).set_index("slug")["mean"]
    return compare_estimates(means, baseline.positions)


def _no_baseline(spec: RunSpec) -> str:
    if spec.baseline == "none":
        return ""
    return "no baseline: no earlier run on these votes was promoted, or passed with another method"
