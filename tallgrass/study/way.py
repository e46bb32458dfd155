"""The one way of a run, for every wing.

prepare -> open the MLflow run: params, tags, dataset, spec -> sample (status, live metrics, draws
on disk) -> save the trace -> diagnostics -> Analysis -> record -> report -> FINISHED. Chains may
sample before the run is opened, as that takes a second. A wing says what is sampled, what the
draws say and what the page shows: a :class:`tallgrass.study.study.Study`.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from tallgrass.errors import TrackingError
from tallgrass.inference.draws import Interrupted, Sampled
from tallgrass.inference.progress import ChainProgress
from tallgrass.machine import Finding
from tallgrass.settings import Settings
from tallgrass.study.analysis import Analysis
from tallgrass.study.clock import Clock
from tallgrass.study.meanwhile import meanwhile
from tallgrass.study.recorder import Recorder
from tallgrass.study.study import Context, Sampling, Study
from tallgrass.study.surroundings import close_orphans, open_run, others, place, sampling, show
from tallgrass.tracking import pages, store
from tallgrass.tracking.lifecycle import Life, asked_to_stop
from tallgrass.tracking.progress import display, steps
from tallgrass.tracking.writing import PARENT_TAG, ActiveRun, outer_run

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Outcome[A: Analysis]:
    """What one run gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url, results_url : str
        Where it is in MLflow, and where the table of all runs is.
    analysis : Analysis
        What the draws say.
    metrics, timings : dict of str to float
        Every figure under its metric name, and seconds by step.
    report_path : str
        Where the HTML report was stored.
    """

    run_id: str
    experiment_id: str
    ui_url: str
    results_url: str
    analysis: A
    metrics: dict[str, float]
    timings: dict[str, float]
    report_path: str


def _nothing(_: Path) -> AbstractContextManager[None]:
    return nullcontext()


def carry_out[A: Analysis](
    prepare: Callable[[tuple[Finding, ...], Path], Study[A]],
    settings: Settings,
    clock: Clock,
    context: Context,
    limited: bool = True,
    ahead: Callable[[Path], AbstractContextManager[None]] = _nothing,
) -> Outcome[A]:
    """Carry out one run, from its preparation to a finished MLflow run.

    Parameters
    ----------
    prepare : callable
        (other runs on this machine, folder where draws are kept) -> Study. The store is connected
        when it is called; what it raises leaves no MLflow run behind.
    settings : Settings
        Paths, addresses and thresholds.
    clock : Clock
        Began with the run.
    context : Context
        What the run is part of.
    limited : bool
        Whether the run counts among those that the settings limit on this machine.
    ahead : callable
        (folder where draws are kept) -> what is under way from when the run has its place on this
        machine, before the store is connected: to connect takes a second, in which chains can
        sample. Nothing of it is left where the run does not begin.

    Raises
    ------
    TallgrassError
        When the data, the parameters or the store cannot be used.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.
    """
    with place(settings, limited) as where, ahead(where.state):
        with clock.timed("connect_s"):
            store.connect(settings.tracking_uri)
            close_orphans(where.state)
            settings, context = _inside_the_users_run(settings, context)
        study = prepare(others(where), where.state)
        name = context.name or study.name
        with open_run(
            where, settings, study.title, name, context.tags, study.repeatable, context.last
        ) as (run, life):
            recorder = Recorder(run, settings.trace_precision)
            with clock.timed("log_s"):
                recorder.declare(study.declaration())
                show(study.findings, run)
                run.spool_to(life.spool_folder, settings.deliver_seconds)
            with _store_that_stays(life):
                sampled = _sample_and_save(study, settings, recorder, clock, context, life)
                while (refined := study.refined(sampled)) is not None:
                    study = refined
                    sampled = _sample_and_save(study, settings, recorder, clock, context, life)
                life.phase("reporting")
                return conclude(study, sampled, recorder, settings, clock)


@contextmanager
def _store_that_stays(life: Life) -> Iterator[None]:
    """Keep the draws on this machine where the store that took them is no longer there."""
    try:
        yield
    finally:
        if store.is_gone():
            life.kept_in_mlflow = False
            run_id = life.status.run_id[:8]
            raise TrackingError(
                "the database of the MLflow store was deleted or replaced while the run was under "
                "way; its draws are kept on this machine",
                store.masked(store.absolute_uri()),
                f"put it back and: tallgrass recover {run_id}; or keep the draws as a new run: "
                f"tallgrass recover {run_id} --as-new",
            )


def _inside_the_users_run(settings: Settings, context: Context) -> tuple[Settings, Context]:
    """Settings and context of a child run, where the user's code has a run open in MLflow."""
    outer = outer_run()
    if outer is None or PARENT_TAG in context.tags:
        return settings, context
    tags = {**context.tags, PARENT_TAG: outer.run_id}
    child = settings.model_copy(update={"experiment": outer.experiment})
    return child, replace(context, tags=tags)


def conclude[A: Analysis](
    study: Study[A], sampled: Sampled | None, recorder: Recorder, settings: Settings, clock: Clock
) -> Outcome[A]:
    """Diagnostics, verdict, tables and report of draws that are saved."""
    run = recorder.run
    analysis = study.analysed(sampled, run.run_id, settings.thresholds, clock)
    with clock.timed("report_s"):
        report_path = recorder.conclude(study, analysis)
    publication = study.published(analysis, clock)
    if publication is not None:
        recorder.publication(publication)
    timings = clock.total()
    recorder.timings(timings)
    return Outcome(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        ui_url=run.ui_url,
        results_url=pages.results_page(run.experiment_id),
        analysis=analysis,
        metrics=recorder.metrics,
        timings=timings,
        report_path=report_path,
    )


def resume[A: Analysis](
    study: Study[A],
    trace: xr.DataTree | None,
    run: ActiveRun,
    settings: Settings,
    elapsed_s: float,
) -> Outcome[A]:
    """Finish a run whose process is gone, with the draws it left.

    Parameters
    ----------
    study : Study
        The run's study, prepared again from its spec.
    trace : DataTree or None
        The draws; None for a study that is computed again.
    run : ActiveRun
        The MLflow run, opened again.
    elapsed_s : float
        Seconds that the run had taken when it ended.
    """
    recorder = Recorder(run, settings.trace_precision)
    recorder.settings(study.declaration())  # logged at the end, which the run did not reach
    clock = Clock(time.perf_counter() - elapsed_s, steps(settings.progress))
    if trace is None:
        again = Sampling(_attributes(study, run.run_id), thresholds=settings.thresholds)
        sampled = study.draw(again)
        while (refined := study.refined(sampled)) is not None:
            study = refined
            sampled = study.draw(again)
    else:
        sampled = Sampled(trace, 0.0, float(trace.attrs["sampling_s"]), True)
    if sampled is not None:
        clock.add("sampling_s", sampled.sampling_s)
        sampled = replace(sampled, trace=recorder.trace(sampled.trace))
    return conclude(study, sampled, recorder, settings, clock)


def _sample_and_save[A: Analysis](
    study: Study[A],
    settings: Settings,
    recorder: Recorder,
    clock: Clock,
    context: Context,
    life: Life,
) -> Sampled | None:
    """Sample; the draws are stored before anything else happens, interrupted or not."""
    life.kept_in_mlflow = False
    try:
        shown = (
            display(settings.progress)
            if context.observer is None
            else nullcontext(context.observer)
        )
        with (
            shown as progress,
            sampling(life, study.chains, progress, settings.thresholds) as (observer, files),
            meanwhile(study.made_ready()) as begin_to_make_ready,
        ):

            def observe(chains: Sequence[ChainProgress], /) -> None:
                begin_to_make_ready()
                observer(chains)

            sampled = study.draw(
                Sampling(
                    _attributes(study, recorder.run.run_id),
                    observe,
                    files,
                    lambda: context.stopped() or asked_to_stop(),
                    settings.thresholds,
                )
            )
    except Interrupted as interruption:
        if interruption.sampled is not None:
            life.phase("saving", "interrupted")
            recorder.trace(interruption.sampled.trace)
            life.kept_in_mlflow = True
        raise
    life.phase("saving")
    if sampled is not None:
        clock.add("compile_s", sampled.compile_s)
        clock.add("sampling_s", sampled.sampling_s)
        if sampled.ahead_s:
            clock.add("ahead_s", sampled.ahead_s)
        with clock.timed("save_trace_s"):
            # What follows is computed from the draws as they are stored, and agrees with them.
            sampled = replace(sampled, trace=recorder.trace(sampled.trace))
    life.kept_in_mlflow = True
    return sampled


def _attributes[A: Analysis](study: Study[A], run_id: str) -> dict[str, str]:
    return {"run_id": run_id, **study.attributes()}
