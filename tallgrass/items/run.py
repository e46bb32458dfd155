"""The way of a calibration, step by step."""

import logging
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version

import pandas as pd
import xarray as xr

from tallgrass.inference.diagnostics import Diagnostics, Thresholds, Verdict, diagnose, judge
from tallgrass.inference.draws import Interrupted, Sampled
from tallgrass.items import engines, tables
from tallgrass.items.agreement import agreement
from tallgrass.items.drift import drift_table, drifted_anchors, undrifted
from tallgrass.items.engines import ItemEstimates
from tallgrass.items.prepare import ReadyCalibration, other_methods, prepare, read
from tallgrass.items.priors import item_priors
from tallgrass.items.publication import publish
from tallgrass.items.record import CalibrationRecorder
from tallgrass.items.report import CalibrationInput
from tallgrass.items.responses import Anchors
from tallgrass.items.result import CalibrationResult
from tallgrass.items.sources import LoadedResponses
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.tables import Calibrated
from tallgrass.items.verdict import judge_estimates, with_abilities
from tallgrass.settings import Settings
from tallgrass.tracking import store
from tallgrass.tracking.attended import close_orphans, open_run, place, sampling, show
from tallgrass.tracking.clock import Clock
from tallgrass.tracking.lifecycle import Life
from tallgrass.tracking.progress import display

logger = logging.getLogger(__name__)


def run_steps(
    spec: CalibrationSpec,
    settings: Settings,
    began: float,
    data: LoadedResponses | None = None,
    parent: str | None = None,
) -> CalibrationResult:
    """Carry out one calibration; see :func:`tallgrass.items.result`.

    ``data`` are responses that were read already, ``parent`` the run that this one is under.
    """
    clock = Clock()
    clock.seconds["import_s"] = time.perf_counter() - began
    # The responses come first: where they cannot be used, not even an empty database is made.
    with clock.timed("read_s"):
        data = data or read(spec, settings)
        ready = prepare(spec, data)
    name = f"calibrate {spec.engine}"
    tags = {} if parent is None else {"mlflow.parentRunId": parent}
    with place(settings) as where:
        with clock.timed("connect_s"):
            store.connect(settings.tracking_uri)
            close_orphans()
            others = other_methods(spec, data.responses.items)
        with open_run(where, settings, name, name, tags) as (run, life):
            recorder = CalibrationRecorder(run, ready, settings)
            with clock.timed("log_s"):
                recorder.before_estimation()
                show(ready.findings, run)
                run.spool_to(life.spool_folder, settings.deliver_seconds)
            return _carry_out(ready, settings, recorder, clock, life, others, began)


def _carry_out(
    ready: ReadyCalibration,
    settings: Settings,
    recorder: CalibrationRecorder,
    clock: Clock,
    life: Life,
    others: Mapping[str, pd.DataFrame],
    began: float,
) -> CalibrationResult:
    """Estimate, judge, report and publish."""
    run, spec, data = recorder.run, ready.spec, ready.data
    estimated = _Estimated(ready, ready.anchors, settings, recorder, clock, life)
    purified: tuple[str, ...] = ()
    if ready.anchors is not None and spec.purify:
        drift = _drift(ready, estimated.found)
        purified = drifted_anchors(drift)
        if purified:
            logger.warning("anchors dropped because they drifted: %s", ", ".join(purified))
            kept = undrifted(ready.anchors, purified)
            estimated = _Estimated(ready, kept, settings, recorder, clock, life)
    found, drift_now = estimated.found, None
    if ready.anchors is not None:
        drift_now = _after_purification(ready, found, purified)
    compared = None
    if others:
        limit = spec.agreement
        compared = agreement({spec.engine: found.items, **others}, limit)
    with clock.timed("report_s"):
        timings = clock.seconds | {"total_s": time.perf_counter() - began}
        finished = CalibrationInput(
            spec=spec,
            responses=data.responses,
            log=data.log,
            location=data.location,
            found=found,
            trace=estimated.trace,
            diagnostics=estimated.diagnostics,
            verdict=estimated.verdict,
            run_id=run.run_id,
            anchors=ready.anchors,
            purified=purified,
            drift=drift_now,
            agreement=compared,
            notes=(*_thin(ready), *estimated.notes),
            findings=ready.findings,
            thresholds=settings.thresholds,
            timings=timings,
            environment={
                "Python": platform.python_version(),
                "tallgrass": version("tallgrass"),
            },
        )
        report_path = recorder.after_estimation(finished)
    published = 0
    if spec.publish:
        with clock.timed("publish_s"):
            published = _publish(spec, finished)
            recorder.published(published)
    timings = clock.seconds | {"total_s": time.perf_counter() - began}
    recorder.timings(timings)
    return CalibrationResult(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        ui_url=run.ui_url,
        verdict=estimated.verdict,
        items=found.items,
        users=found.users,
        diagnostics=estimated.diagnostics,
        trace=estimated.trace,
        drift=drift_now,
        agreement=compared,
        purified=purified,
        published=published,
        metrics=recorder.metrics,
        timings=timings,
        report_path=report_path,
    )


class _Estimated:
    """One fit with some anchors: its draws or estimates (saved first), tables and verdict."""

    def __init__(
        self,
        ready: ReadyCalibration,
        anchors: Anchors | None,
        settings: Settings,
        recorder: CalibrationRecorder,
        clock: Clock,
        life: Life,
    ) -> None:
        spec, responses = ready.spec, ready.data.responses
        priors = item_priors(responses, anchors)
        self.diagnostics: Diagnostics | None = None
        self.notes: tuple[str, ...] = ()
        if spec.bayesian:
            sampled = _sample(ready, anchors, settings, recorder, clock, life)
            self.trace = sampled.trace
            with clock.timed("diagnostics_s"):
                self.diagnostics = diagnose(sampled.trace)
            self.verdict = _judge(self.diagnostics, sampled.trace, settings.thresholds)
            self.found = tables.of_trace(sampled.trace, responses, priors)
            return
        with clock.timed("sampling_s"):
            estimates = _estimate(spec, ready, anchors)
        self.trace = tables.trace_of_estimates(estimates, responses, priors, recorder.attributes())
        with clock.timed("save_trace_s"):
            recorder.trace(self.trace)
        self.notes = estimates.notes
        self.verdict = judge_estimates(estimates)
        self.found = tables.of_estimates(estimates, responses, priors)


def _sample(
    ready: ReadyCalibration,
    anchors: Anchors | None,
    settings: Settings,
    recorder: CalibrationRecorder,
    clock: Clock,
    life: Life,
) -> Sampled:
    """Sample; the draws are stored before anything else happens, interrupted or not."""
    spec = ready.spec
    responses, sampler = ready.data.responses, spec.sampler_spec
    life.kept_in_mlflow = False
    try:
        with (
            display(settings.progress) as progress,
            sampling(life, spec.chains, progress) as (observer, files),
        ):
            draw = engines.calibrate_nuts if spec.engine == "nuts" else engines.calibrate_gibbs
            sampled = draw(responses, anchors, sampler, observer, sink=files)
    except Interrupted as interruption:
        if interruption.sampled is not None:
            life.phase("saving", "interrupted")
            recorder.trace(_labelled(interruption.sampled.trace, recorder))
            life.kept_in_mlflow = True
        raise
    life.phase("saving")
    for step, seconds in (("compile_s", sampled.compile_s), ("sampling_s", sampled.sampling_s)):
        clock.seconds[step] = clock.seconds.get(step, 0.0) + seconds
    _labelled(sampled.trace, recorder)
    with clock.timed("save_trace_s"):
        recorder.trace(sampled.trace)
        life.kept_in_mlflow = True
    life.phase("reporting")
    return sampled


def _labelled(trace: xr.DataTree, recorder: CalibrationRecorder) -> xr.DataTree:
    trace.attrs |= recorder.attributes()
    return trace


def _estimate(
    spec: CalibrationSpec, ready: ReadyCalibration, anchors: Anchors | None
) -> ItemEstimates:
    if spec.engine == "mml":
        return engines.calibrate_mml(ready.data.responses)
    return engines.calibrate_map(ready.data.responses, anchors)


def _judge(diagnostics: Diagnostics, trace: xr.DataTree, thresholds: Thresholds) -> Verdict:
    verdict = judge(diagnostics, thresholds)
    if "theta_summary" in trace.children:
        rhat = float(trace["theta_summary"]["rhat"].max())
        return with_abilities(verdict, rhat, thresholds.rhat)
    return verdict


def _thin(ready: ReadyCalibration) -> tuple[str, ...]:
    names = ready.thin_anchors
    if not names:
        return ()
    few = f"fewer than {ready.spec.min_responses} responses"
    return (f"{len(names)} anchors left out, {few}: {', '.join(names[:10])}",)


def _drift(ready: ReadyCalibration, found: Calibrated) -> pd.DataFrame:
    spec, anchors = ready.spec, ready.anchors
    assert anchors is not None  # of those who call this
    held = spec.engine != "mml"
    return drift_table(found, ready.data.responses, anchors, spec.drift_a, spec.drift_b, held)


def _after_purification(
    ready: ReadyCalibration, found: Calibrated, purified: tuple[str, ...]
) -> pd.DataFrame:
    """The drift by the last fit; anchors that were dropped stay flagged."""
    drift = _drift(ready, found)
    drift["purified"] = drift["item"].isin(purified)
    drift["suspect"] |= drift["purified"]
    return drift


def _publish(spec: CalibrationSpec, finished: CalibrationInput) -> int:
    """Write the items that did not drift; refuses after a failed verdict."""
    if finished.verdict.status == "fail":
        logger.warning("nothing was published: the verdict is fail")
        return 0
    left_out = set(drifted_anchors(finished.drift)) if finished.drift is not None else set()
    items = finished.found.items
    rows = items[~items["item"].isin(left_out)]
    about: Mapping[str, str] = {
        "engine": spec.engine,
        "window": spec.window,
        "run_id": finished.run_id,
    }
    return publish(spec.responses, spec.publish_table, rows, dict(about))
