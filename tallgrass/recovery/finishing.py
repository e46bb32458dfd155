"""A dead run finished with the draws that it left."""

import shutil
from dataclasses import dataclass

import xarray as xr

from tallgrass.errors import SpecError
from tallgrass.inference import storage, stream
from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.verdict import judge
from tallgrass.own.sample import exact
from tallgrass.own.study import KIND as OWN
from tallgrass.recovery.dead_runs import Remains, close_run, owned
from tallgrass.recovery.studies import prepared_again
from tallgrass.settings import Settings
from tallgrass.study.recorder import Recorder
from tallgrass.study.way import resume
from tallgrass.tracking import lifecycle, reading, writing
from tallgrass.tracking.lifecycle import DRAWS, SPOOL
from tallgrass.tracking.reading.traces import THINNED
from tallgrass.tracking.writing import ActiveRun


@dataclass(frozen=True)
class Recovered:
    """What became of a run that was recovered.

    Parameters
    ----------
    run_id : str
        The run.
    delivered : int
        Writes that waited for MLflow and were delivered.
    n_chains, n_draws : int
        Chains of its trace, and draws of each.
    verdict : str or None
        Of a run that is judged.
    again : bool
        Whether it was computed again from its spec.
    """

    run_id: str
    delivered: int
    n_chains: int
    n_draws: int
    verdict: str | None
    again: bool = False


def finish(
    entry: Remains,
    settings: Settings,
    draws_only: bool = False,
    force: bool = False,
    as_new: bool = False,
    step: int = 1,
) -> Recovered:
    """Deliver what waits, and finish the run with the draws that it left.

    The run becomes what it would have been: trace, diagnostics, verdict, tables and report go into
    it, tagged ``recovered``, and it is FINISHED. Where this is killed, it is done again from the
    beginning: the folder of the run goes last, and in one step.

    Parameters
    ----------
    draws_only : bool
        Keep the draws with diagnostics and a verdict alone: for a run whose data are gone.
    force : bool
        Whether to do so where it cannot be known from here that its process is dead.
    as_new : bool
        Make a new run of its draws: for a run whose store is gone. Its tag ``recovered.from`` is
        the id that the run had.
    step : int
        Keep every ``step``-th draw: diagnostics and report of very many draws take as long as they
        are many. The tag ``trace.thinned`` says so.

    Raises
    ------
    SpecError
        When the run is under way, or may be, or left no draws to make a new one of.
    TallgrassError
        When MLflow cannot be reached, or the draws or the data of the run cannot be read; the
        draws stay where they are.
    """
    with owned(entry, force):
        run_id = entry.status.run_id
        delivered = 0
        if as_new and not entry.draws:
            raise SpecError("the run left no draws to make a new one of", run_id)
        if entry.waiting and not as_new:  # a new run is written as a whole
            delivered = writing.deliver(run_id, entry.folder / SPOOL)
            _remove_note(run_id)
            shutil.rmtree(entry.folder / SPOOL, ignore_errors=True)
        result = Recovered(run_id, delivered, 0, 0, None)
        if entry.draws or entry.again:
            result = _finished(entry, settings, delivered, draws_only, as_new, step)
        elif not delivered:
            close_run(run_id, "no draw was finished before it ended")
        lifecycle.remove(entry.folder)
    return result


def _remove_note(run_id: str) -> None:
    """Remove the note that the run ended without a word, where it turns out to have ended well."""
    details = reading.details(run_id)
    note = str(details["tags"].get("error", ""))
    if details["status"] == "FINISHED" and note.endswith(writing.WITHOUT_A_WORD):
        writing.joined(run_id).remove_tag("error")


def _finished(
    entry: Remains,
    settings: Settings,
    delivered: int,
    draws_only: bool,
    as_new: bool,
    step: int,
) -> Recovered:
    status = entry.status
    run_id = status.run_id
    trace = stream.read_trace(entry.folder / DRAWS) if entry.draws else None
    if trace is not None and step > 1:
        trace = storage.thinned(trace, step)
    if trace is not None and trace.attrs.get("kind") == OWN:
        settings = exact(settings)
    # The data are read before the run is opened: where that fails, all stays as it was.
    tags = {} if as_new else reading.details(run_id)["tags"]
    study = None if draws_only else prepared_again(trace, status, settings, tags)
    came_from = {"recovered.from": run_id} if as_new else {}
    resumed = None if as_new else run_id
    state = lifecycle.state_dir(settings.state_dir) if as_new else None
    with writing.start_run(
        settings.experiment if as_new else None,
        status.name,
        came_from,
        resume=resumed,
        state=state,
    ) as run:
        run_id = run.run_id
        if as_new and study is not None:
            Recorder(run, settings.trace_precision).declare(study.declaration())
        run.remove_tag("error")  # closed as the run of a dead process; it is no longer that
        run.set_tags({"recovered": True, "recovered.draws": ", ".join(map(str, entry.draws))})
        if trace is not None:
            if step > 1:
                run.set_tags({THINNED: trace.attrs[storage.THINNED]})
            trace.attrs |= {"recovered": "true", "run_id": run_id}
            trace.attrs.setdefault("sampling_s", status.elapsed_s)
        if study is None:
            verdict = None if trace is None else _judged(run, trace, settings)
        else:
            analysis = resume(study, trace, run, settings, status.elapsed_s).analysis
            verdict = None if analysis.verdict is None else analysis.verdict.status
    sizes = {} if trace is None else trace["posterior"].sizes
    return Recovered(
        run_id,
        delivered,
        int(sizes.get("chain", 0)),
        int(sizes.get("draw", 0)),
        verdict,
        entry.again,
    )


def _judged(run: ActiveRun, trace: xr.DataTree, settings: Settings) -> str:
    """The trace with its diagnostics and verdict, without the data of the run."""
    diagnostics = diagnose(Recorder(run, settings.trace_precision).trace(trace))
    verdict = judge(diagnostics, settings.thresholds)
    run.set_tags({"verdict": verdict.status, "verdict.reasons": "; ".join(verdict.reasons)})
    run.log_metrics(diagnostics.metrics(settings.thresholds.rhat))
    run.log_table(diagnostics.table, "tables/diagnostics")
    return verdict.status
