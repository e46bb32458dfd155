"""What a dead run left on this machine: found, finished with the draws it has, or discarded."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.inference import storage, stream
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
from tallgrass.tracking.lifecycle import DRAWS, SPOOL, Fate, Status
from tallgrass.tracking.reading.records import artifact
from tallgrass.tracking.reading.traces import THINNED
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
    fate : Fate
        Whether its process is dead, or cannot be seen from here.
    """

    folder: Path
    status: Status
    draws: tuple[int, ...]
    waiting: int
    fate: Fate = Fate.DEAD

    @property
    def size(self) -> int:
        """Bytes of its draws on this machine."""
        return stream.size(self.folder / DRAWS)

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
    """The runs that left draws or writes on this machine that MLflow does not have.

    Those that are under way are not among them; those that cannot be seen from here are.
    """
    entries = []
    for folder, status in lifecycle.all_statuses(lifecycle.state_dir(settings.state_dir)):
        fate = lifecycle.fate_of(folder, status)
        if fate is Fate.ALIVE:
            continue
        draws: tuple[int, ...] = ()
        if stream.has_draws(folder / DRAWS):
            draws = stream.lengths(folder / DRAWS)
        entry = Remains(folder, status, draws, lifecycle.waiting(folder), fate)
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


def discard(entry: Remains, force: bool = False) -> None:
    """Remove what a run left; its MLflow run is closed first.

    Parameters
    ----------
    force : bool
        Whether to do so where it cannot be known from here that its process is dead.

    Raises
    ------
    SpecError
        When the run is under way, or may be.
    TrackingError
        When MLflow cannot be reached.
    """
    with _taken(entry, force):
        _close(entry.status.run_id, "its draws were discarded")
        lifecycle.remove(entry.folder)


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
    with _taken(entry, force):
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
            _close(run_id, "no draw was finished before it ended")
        lifecycle.remove(entry.folder)
    return result


@contextmanager
def _taken(entry: Remains, force: bool) -> Iterator[None]:
    """Own the run while it is worked on, if its process is dead."""
    run_id = entry.status.run_id
    fate, whose = lifecycle.fate_of(entry.folder, entry.status), entry.status.whose
    if entry.status.owner is None and not entry.status.ended and fate is Fate.DEAD:
        # Its version stated the host in the tags alone.
        fate, whose = lifecycle.fate_of_tags(reading.details(run_id)["tags"])
    if fate is Fate.ALIVE:
        raise SpecError(f"the run is under way ({whose})", run_id)
    if fate is Fate.UNKNOWN and not force:
        raise SpecError(
            f"the run belongs to {whose}, of which nothing can be seen from here",
            run_id,
            "recover it there, or with --force where you know that it has ended",
        )
    if not entry.folder.exists():
        raise _gone(run_id)
    with lifecycle.owned(entry.folder):
        if lifecycle.read_status(entry.folder) is None:
            raise _gone(run_id)
        yield


def _gone(run_id: str) -> DataError:
    return DataError("another process has recovered or discarded the run meanwhile", run_id)


def _remove_note(run_id: str) -> None:
    """Remove the note that the run ended without a word, where it turns out to have ended well."""
    details = reading.details(run_id)
    note = str(details["tags"].get("error", ""))
    if details["status"] == "FINISHED" and note.endswith(writing.WITHOUT_A_WORD):
        writing.joined(run_id).remove_tag("error")


def connect(entry: Remains, settings: Settings, as_new: bool = False) -> None:
    """Choose the store that the run is in: the one it says, or where that holds a password, ours.

    Parameters
    ----------
    as_new : bool
        Whether the run becomes a new one, so that the store need not know it.

    Raises
    ------
    TrackingError
        When it cannot be reached or does not know the run.
    """
    uri = entry.status.tracking_uri
    store.connect(settings.tracking_uri or (uri if "***" not in uri else None))
    if not as_new:
        reading.find_run(entry.status.run_id)


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
    study = None if draws_only else _study(trace, status, settings, tags)
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


def _study(
    trace: xr.DataTree | None, status: Status, settings: Settings, tags: Mapping[str, str]
) -> Study[Any]:
    """The run's study, prepared again by the wing that it is of."""
    if not tags and trace is not None:  # a store that is gone: the draws say what they are of
        about = {str(key): str(value) for key, value in trace.attrs.items()}
        tags = {KIND_TAG: OWN} if about.get("kind") == OWN else {"model": about.get("model", "")}
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
