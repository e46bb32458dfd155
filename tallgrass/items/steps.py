"""Carry out one calibration: read, prepare, the way of a run, and what it gave."""

import time
from pathlib import Path

from tallgrass.inference.second_start import refuse_second_start
from tallgrass.items.prepare import other_methods, prepare, read
from tallgrass.items.result import CalibrationResult
from tallgrass.items.run import CalibrationStudy
from tallgrass.items.sources import LoadedResponses
from tallgrass.items.spec import CalibrationSpec
from tallgrass.machine import Finding
from tallgrass.settings import Settings
from tallgrass.study.clock import Clock
from tallgrass.study.study import Context
from tallgrass.study.way import carry_out
from tallgrass.tracking.progress import steps


def run_steps(
    spec: CalibrationSpec,
    settings: Settings,
    began: float,
    data: LoadedResponses | None = None,
    context: Context | None = None,
) -> CalibrationResult:
    """Carry out one calibration; see :func:`tallgrass.items.calibrate.calibrate`.

    ``data`` are responses that were read already, ``context`` says what the run is part of.
    """
    refuse_second_start()
    clock = Clock(began, steps(settings.progress))
    clock.add("import_s", time.perf_counter() - began)
    # The responses come first: where they cannot be used, not even an empty database is made.
    with clock.timed("read_s"):
        data = data or read(spec, settings)
        prepared = prepare(spec, data)

    def study(_others: tuple[Finding, ...], _state: Path) -> CalibrationStudy:
        with clock.timed("connect_s"):
            others = other_methods(spec, data.responses.items)
        return CalibrationStudy(prepared, prepared.anchors, others)

    outcome = carry_out(study, settings, clock, context or Context())
    analysis = outcome.analysis
    return CalibrationResult(
        run_id=outcome.run_id,
        experiment_id=outcome.experiment_id,
        ui_url=outcome.ui_url,
        verdict=analysis.verdict,
        items=analysis.calibrated.items,
        users=analysis.calibrated.users,
        diagnostics=analysis.diagnostics,
        trace=analysis.trace,
        drift=analysis.drift,
        agreement=analysis.agreement,
        purified=analysis.purified,
        published=int(outcome.metrics.get("items/published", 0)),
        metrics=outcome.metrics,
        timings=outcome.timings,
        report_path=outcome.report_path,
        analysis=analysis,
    )
