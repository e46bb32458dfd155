"""What a dead run left on this machine: found, finished with the draws it has, or discarded."""

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tallgrass.errors import DataError, TrackingError
from tallgrass.inference import stream
from tallgrass.inference.diagnostics import diagnose, judge
from tallgrass.items.recovered import recovered_calibration
from tallgrass.machine import Finding
from tallgrass.own.recovered import recovered_model
from tallgrass.own.sample import exact
from tallgrass.own.study import KIND as OWN
from tallgrass.own.study import KIND_TAG
from tallgrass.rollcalls.recovered import recovered_link, recovered_run
from tallgrass.settings import Settings
from tallgrass.study.recorder import Recorder
from tallgrass.study.study import Study
from tallgrass.study.way import resume
from tallgrass.tracking import lifecycle, reading, store, writing
from tallgrass.tracking.lifecycle import DRAWS, SPOOL, Status
from tallgrass.tracking.reading.records import artifact
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

    @property
    def again(self) -> bool:
        """Whether the run is computed again: it kept nothing, and takes moments."""
        return not self.draws and self.status.repeatable and not self.status.ended


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


def remains(settings: Settings) -> list[Remains]:
    """The runs that ended on this machine with draws or writes that MLflow does not have."""
    entries = []
    for folder, status in lifecycle.all_statuses(lifecycle.state_dir(settings.state_dir)):
        if status.alive:
            continue
        draws: tuple[int, ...] = ()
        if stream.has_draws(folder / DRAWS):
            draws = stream.lengths(folder / DRAWS)
        entry = Remains(folder, status, draws, lifecycle.waiting(folder))
        if entry.draws or entry.waiting or entry.again:
            entries.append(entry)
    return entries


def find(settings: Settings, run_id: str) -> Remains:
    """The remains of one run, named by its id or the beginning of it.

    Raises
    ------
    DataError
        When no run, or more than one, is meant.
    """
    entries = [entry for entry in remains(settings) if entry.status.run_id.startswith(run_id)]
    if len(entries) != 1:
        what = "more than one run begins so" if entries else "no such run left anything to recover"
        raise DataError(what, run_id, "tallgrass recover lists them")
    return entries[0]


def discard(entry: Remains) -> None:
    """Remove what a run left; its MLflow run is closed first.

    Raises
    ------
    TrackingError
        When MLflow cannot be reached.
    """
    _close(entry.status.run_id, "its draws were discarded")
    shutil.rmtree(entry.folder)


def finish(entry: Remains, settings: Settings, draws_only: bool = False) -> Recovered:
    """Deliver what waits, and finish the run with the draws that it left.

    The run becomes what it would have been: trace, diagnostics, verdict, tables and report go into
    it, tagged ``recovered``, and it is FINISHED.

    Parameters
    ----------
    draws_only : bool
        Keep the draws with diagnostics and a verdict alone: for a run whose data are gone.

    Raises
    ------
    TallgrassError
        When MLflow cannot be reached, or the draws or the data of the run cannot be read; the
        draws stay where they are.
    """
    run_id = entry.status.run_id
    delivered = 0
    if entry.waiting:
        delivered = writing.deliver(run_id, entry.folder / SPOOL)
        shutil.rmtree(entry.folder / SPOOL, ignore_errors=True)
    result = Recovered(run_id, delivered, 0, 0, None)
    if entry.draws or entry.again:
        result = _finished(entry, settings, delivered, draws_only)
    elif not delivered:
        _close(run_id, "no draw was finished before it ended")
    shutil.rmtree(entry.folder)
    return result


def connect(entry: Remains, settings: Settings) -> None:
    """Choose the store that the run is in: the one it says, or where that holds a password, ours.

    Raises
    ------
    TrackingError
        When it cannot be reached or does not know the run.
    """
    uri = entry.status.tracking_uri
    store.connect(settings.tracking_uri or (uri if "***" not in uri else None))
    reading.find_run(entry.status.run_id)


def _finished(entry: Remains, settings: Settings, delivered: int, draws_only: bool) -> Recovered:
    status = entry.status
    run_id = status.run_id
    trace = stream.read_trace(entry.folder / DRAWS) if entry.draws else None
    if trace is not None and trace.attrs.get("kind") == OWN:
        settings = exact(settings)
    # The data are read before the run is opened: where that fails, all stays as it was.
    study = None if draws_only else _study(trace, status, settings)
    with writing.start_run(None, status.name, resume=run_id) as run:
        run.remove_tag("error")  # closed as the run of a dead process; it is no longer that
        run.set_tags({"recovered": True, "recovered.draws": ", ".join(map(str, entry.draws))})
        if trace is not None:
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


def _study(trace: xr.DataTree | None, status: Status, settings: Settings) -> Study[Any]:
    """The run's study, prepared again by the wing that it is of."""
    tags = reading.details(status.run_id)["tags"]
    model = "" if KIND_TAG in tags else tags.get("model", "")
    if model == "link":
        return recovered_link(status.run_id)
    working_dir, findings = Path(status.working_dir), _findings(status.run_id)
    if tags.get(KIND_TAG) == OWN:
        return recovered_model(trace, status.run_id, findings, tags.get("baseline.run_id"))
    if model == "items":
        sha256 = tags.get("data.sha256", "")
        return recovered_calibration(trace, status.run_id, settings, working_dir, findings, sha256)
    if trace is None or "spec" not in trace.attrs:
        raise DataError(
            "the draws do not say which run they are of",
            status.run_id,
            f"keep them alone with: tallgrass recover {status.run_id[:8]} --draws-only",
        )
    # A session that is given by its bare name is looked for where it was when the run was made.
    data_dir = Path(status.data_dir) if status.data_dir else settings.data_dir
    settings = settings.model_copy(update={"data_dir": data_dir})
    return recovered_run(trace, settings, working_dir, findings, tags.get("baseline.run_id"))


def _findings(run_id: str) -> tuple[Finding, ...]:
    """What was found about the machine when the run was made; nothing where that was not stored."""
    try:
        with artifact(run_id, "env/machine.json") as (_, path):
            return tuple(Finding(**record) for record in json.loads(path.read_text("utf-8")))
    except TrackingError:
        return ()


def _judged(run: ActiveRun, trace: xr.DataTree, settings: Settings) -> str:
    """The trace with its diagnostics and verdict, without the data of the run."""
    diagnostics = diagnose(Recorder(run, settings.trace_precision).trace(trace))
    verdict = judge(diagnostics, settings.thresholds)
    run.set_tags({"verdict": verdict.status, "verdict.reasons": "; ".join(verdict.reasons)})
    run.log_metrics(diagnostics.metrics(settings.thresholds.rhat))
    run.log_table(diagnostics.table, "tables/diagnostics")
    return verdict.status


def _close(run_id: str, reason: str) -> None:
    """Close a run where it is still RUNNING; one that MLflow no longer has needs no closing."""
    try:
        details = reading.details(run_id)
    except TrackingError:
        store.client().search_experiments(max_results=1)
        return
    if details["status"] == "RUNNING":
        writing.close_dead(run_id, "FAILED", reason)
