"""The way of a run, step by step."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version

from setproctitle import getproctitle, setproctitle

from tallgrass import store, summaries, tracking
from tallgrass.compare import Comparison, compare_estimates
from tallgrass.diagnostics import diagnose, judge
from tallgrass.fit_checks import FitChecks, fit_checks
from tallgrass.pipeline import Context, FitResult
from tallgrass.pipeline.link import linked_beside
from tallgrass.pipeline.prepare import Baseline, Prepared, prepare, read
from tallgrass.pipeline.record import Recorder
from tallgrass.progress import Display, display
from tallgrass.report import ReportInput
from tallgrass.sampling import Interrupted, Sampled, sample
from tallgrass.settings import Settings
from tallgrass.specs import RunSpec


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the step ``name``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + elapsed


def run_steps(spec: RunSpec, settings: Settings, began: float, context: Context) -> FitResult:
    """Carry out one run; see :func:`tallgrass.pipeline.fit`."""
    clock = Clock()
    clock.seconds["import_s"] = time.perf_counter() - began
    # The votes come first: where they cannot be used, not even an empty database is made.
    with clock.timed("prepare_s"):
        data = read(spec, settings)
    with clock.timed("connect_s"):
        store.connect(settings.tracking_uri)
    with clock.timed("prepare_s"):
        ready = prepare(spec, data)
    made = f"{spec.chamber} {spec.model} {spec.sampler} {spec.init.partition(':')[0]}"
    name = context.name or made
    with tracking.start_run(settings.experiment, name, context.tags) as run, process_title(name):
        recorder = Recorder(run, ready, settings)
        with clock.timed("log_s"):
            recorder.before_sampling()
        sampled = _sample_and_save(ready, settings, recorder, clock, context.observer)
        with clock.timed("diagnostics_s"):
            joint = ready.data.joint
            chambers = None if joint is None else joint.chamber_index
            own = ready.own_fits
            scores = ready.start.pca if own is None else own.scores
            diagnostics = diagnose(sampled.trace, scores, chambers)
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
    watching: Display | None,
) -> Sampled:
    """Sample; the draws are stored before anything else happens, interrupted or not."""
    attributes = {
        "run_id": recorder.run.run_id,
        "spec": ready.spec.to_json(),
        "model": ready.spec.model,
        "data_sha256": ready.data.fingerprint,
    }
    try:
        shown = nullcontext(watching) if watching else display(settings.progress)
        with shown as observer:
            sampled = sample(
                ready.model,
                ready.data.votes,
                ready.spec.sampler_spec,
                ready.start.scores,
                attributes,
                observer,
            )
    except Interrupted as interruption:
        if interruption.sampled is not None:
            recorder.trace(interruption.sampled.trace)
        raise
    clock.seconds["compile_s"] = sampled.compile_s
    clock.seconds["sampling_s"] = sampled.sampling_s
    with clock.timed("save_trace_s"):
        recorder.trace(sampled.trace)
    return sampled


def _compare(ready: Prepared, sampled: Sampled, baseline: Baseline) -> Comparison:
    means = summaries.ideal_points(sampled.trace, ready.data.votes).set_index("slug")["mean"]
    return compare_estimates(means, baseline.positions)


def _no_baseline(spec: RunSpec) -> str:
    if spec.baseline == "none":
        return ""
    return "no baseline: no earlier run on these votes was promoted, or passed with another method"


@contextmanager
def process_title(name: str) -> Iterator[None]:
    """Say in ``ps`` what this process does."""
    before = getproctitle()
    setproctitle(f"tallgrass: {name}")
    try:
        yield
    finally:
        setproctitle(before)
