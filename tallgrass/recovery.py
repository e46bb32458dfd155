"""What a dead run left on this machine: found, finished with the draws it has, or discarded."""

import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from tallgrass.errors import DataError, TallgrassError, TrackingError
from tallgrass.inference import stream
from tallgrass.inference.diagnostics import diagnose, judge
from tallgrass.inference.draws import Sampled
from tallgrass.rollcalls.prepare import prepare, read
from tallgrass.rollcalls.record import Recorder
from tallgrass.rollcalls.run import finish_run
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.tracking import lifecycle, reading, store, writing
from tallgrass.tracking.clock import Clock
from tallgrass.tracking.lifecycle import DRAWS, SPOOL, Status
from tallgrass.tracking.record import save_trace
from tallgrass.tracking.writing import ActiveRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remains:
    """What one run left behind.

    Parameters
    ----------
    folder : Path
        Its folder on this machine.
    status : Status
        The last that it said about itself.
    draws : tuple of int
        Kept draws by chain, tuning draws not counted; empty where none were begun.
    waiting : int
        Writes that wait for MLflow.
    """

    folder: Path
    status: Status
    draws: tuple[int, ...]
    waiting: int


@dataclass(frozen=True)
class Recovered:
    """What became of a run that was recovered: its verdict, draws by chain kept in its trace."""

    run_id: str
    delivered: int
    n_chains: int
    n_draws: int
    verdict: str | None


def remains(settings: Settings) -> list[Remains]:
    """The runs that ended on this machine with draws or writes that MLflow does not have."""
    found = []
    for folder, status in lifecycle.all_statuses(lifecycle.state_dir(settings.state_dir)):
        if status.alive:
            continue
        draws: tuple[int, ...] = ()
        if stream.has_draws(folder / DRAWS):
            draws = stream.lengths(folder / DRAWS)
        waiting = lifecycle.waiting(folder)
        if draws or waiting:
            found.append(Remains(folder, status, draws, waiting))
    return found


def find(settings: Settings, run_id: str) -> Remains:
    """The remains of one run, named by its id or the beginning of it.

    Raises
    ------
    DataError
        When no run, or more than one, is meant.
    """
    found = [one for one in remains(settings) if one.status.run_id.startswith(run_id)]
    if len(found) != 1:
        what = "more than one run begins so" if found else "no such run left anything to recover"
        raise DataError(what, run_id, "tallgrass recover lists them")
    return found[0]


def discard(one: Remains) -> None:
    """Remove what a run left; its MLflow run is closed first.

    Raises
    ------
    TrackingError
        When MLflow cannot be reached.
    """
    _close(one.status.run_id, "its draws were discarded")
    shutil.rmtree(one.folder)


def finish(one: Remains, settings: Settings) -> Recovered:
    """Deliver what waits, and finish the run with the draws that it left.

    The trace, diagnostics, verdict and, where its votes are still the same, tables and report go
    into the run it was, tagged ``recovered``; the run becomes FINISHED.

    Raises
    ------
    TallgrassError
        When MLflow cannot be reached or the draws cannot be read; all stays as it was.
    """
    run_id = one.status.run_id
    delivered = 0
    if one.waiting:
        delivered = writing.deliver(run_id, one.folder / SPOOL)
        shutil.rmtree(one.folder / SPOOL, ignore_errors=True)
    result = Recovered(run_id, delivered, 0, 0, None)
    trace = stream.read_trace(one.folder / DRAWS) if one.draws else None
    if trace is not None:
        posterior = trace["posterior"].sizes
        trace.attrs |= {"recovered": "true", "run_id": run_id}
        trace.attrs.setdefault("sampling_s", one.status.elapsed_s)
        with writing.start_run(None, one.status.name, resume=run_id) as run:
            run.set_tags({"recovered": True, "recovered.draws": json_of(one.draws)})
            save_trace(run, trace)
            verdict = _finished(run, trace, one.status, settings)
        n_chains, n_draws = int(posterior["chain"]), int(posterior["draw"])
        result = Recovered(run_id, delivered, n_chains, n_draws, verdict)
    elif not delivered:
        _close(run_id, "no draw was finished before it ended")
    shutil.rmtree(one.folder)
    return result


def json_of(draws: tuple[int, ...]) -> str:
    """Draws by chain as text."""
    return ", ".join(map(str, draws))


def connect(one: Remains, settings: Settings) -> None:
    """Choose the store that the run is in: the one it says, or where that holds a password, ours.

    Raises
    ------
    TrackingError
        When it cannot be reached or does not know the run.
    """
    uri = one.status.tracking_uri
    store.connect(settings.tracking_uri or (uri if "***" not in uri else None))
    reading.find_run(one.status.run_id)


def _finished(run: ActiveRun, trace: xr.DataTree, status: Status, settings: Settings) -> str:
    """Diagnostics and verdict; the whole report of a run on votes that are still there."""
    if "spec" in trace.attrs and "votes" in trace["observed_data"].data_vars:
        try:
            return _with_report(run, trace, status, settings)
        except TallgrassError as error:
            logger.warning("the run has no report: %s", error)
    found = diagnose(trace)
    verdict = judge(found, settings.thresholds)
    run.set_tags({"verdict": verdict.status, "verdict.reasons": "; ".join(verdict.reasons)})
    run.log_metrics(found.metrics(settings.thresholds.rhat))
    run.log_table(found.table, "tables/diagnostics")
    return verdict.status


def _with_report(run: ActiveRun, trace: xr.DataTree, status: Status, settings: Settings) -> str:
    spec = RunSpec.from_json(trace.attrs["spec"])
    before = Path.cwd()
    # A session given by a path relative to where the run was made is read from there.
    data_dir = Path(status.data_dir) if status.data_dir else settings.data_dir
    try:
        os.chdir(status.working_dir)
        data = read(spec, settings.model_copy(update={"data_dir": data_dir}))
    except OSError as error:
        raise DataError(
            f"the folder of the run is not there ({error.strerror})", status.working_dir
        ) from None
    finally:
        os.chdir(before)
    if data.votes.fingerprint != trace.attrs.get("data_sha256"):
        raise DataError("the votes are no longer those of the run", data.location)
    ready = prepare(spec, data)
    sampled = Sampled(trace, 0.0, float(trace.attrs["sampling_s"]), True)
    clock = Clock()
    clock.seconds["sampling_s"] = sampled.sampling_s
    recorder = Recorder(run, ready, settings)
    began = time.perf_counter() - status.elapsed_s
    return finish_run(ready, settings, recorder, clock, sampled, began).verdict.status


def _close(run_id: str, reason: str) -> None:
    """Close a run where it is still RUNNING; one that MLflow no longer has needs no closing."""
    try:
        details = reading.details(run_id)
    except TrackingError:
        store.client().search_experiments(max_results=1)
        return
    if details["status"] == "RUNNING":
        writing.close_dead(run_id, "FAILED", reason)
