"""The traces of a store: how large each is, and whether something stands on it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tallgrass.errors import TrackingError
from tallgrass.tracking import address
from tallgrass.tracking.reading.database import StoredRun, Wanted, database_uri, stored_runs
from tallgrass.tracking.reading.listing import milliseconds, stored_run
from tallgrass.tracking.reading.records import PRUNED, TRACE
from tallgrass.tracking.reading.searching import experiments, find_run, search

PINNED = "pinned"  # a tag that people set: the trace of this run is not pruned
THINNED = "trace.thinned"  # the tag that says of how many draws one was kept
_BASELINE = "baseline.run_id"
_TAGS = ("baseline", _BASELINE, PINNED, PRUNED, THINNED)
_ENDED = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True)
class Trace:
    """The trace of a run.

    Parameters
    ----------
    run_id, name : str
        The run.
    started : int or None
        Its start in milliseconds since 1970.
    path : Path or None
        The file; None where it is not on this machine.
    size : int
        Its bytes.
    thinned : int
        Of how many draws one was kept; 1 where all were.
    kept : str
        Why it must stay; empty where nothing stands on it.
    """

    run_id: str
    name: str
    started: int | None
    path: Path | None
    size: int
    thinned: int
    kept: str


def traces(
    run_ids: Iterable[str] = (), experiment: str | None = None, before: str | None = None
) -> list[Trace]:
    """The traces of our runs, newest first; runs without one are left out.

    Parameters
    ----------
    run_ids : iterable of str
        Ids or their beginnings; all runs without them.
    experiment : str, optional
        Name or id of an experiment.
    before : str, optional
        Only runs that started before this time (UTC).

    Raises
    ------
    TrackingError
        When a run or the experiment is unknown, or ``before`` is no time.
    """
    chosen = {find_run(run_id).info.run_id for run_id in run_ids}
    limit = milliseconds("before", before)
    runs = list(_runs())
    baselines = {baseline for run in runs if (baseline := run.tags.get(_BASELINE))}
    within = set(experiments(experiment))
    return [
        trace
        for run in runs
        if (not chosen or run.run_id in chosen)
        and run.experiment_id in within
        and (limit is None or (run.start_time or 0) < limit)
        and (trace := _trace(run, baselines)) is not None
    ]


def still_free(trace: Trace) -> bool:
    """Whether a run is still neither under way nor promoted nor pinned; others use the store."""
    try:
        run = find_run(trace.run_id)
    except TrackingError:
        return False
    return not _why_kept(run.info.status, run.data.tags, trace.path)


def _runs() -> Iterator[StoredRun]:
    uri = database_uri()
    if uri is None:
        return map(stored_run, search([]))
    keys: dict[str, Collection[str]] = {"params": [], "metrics": [], "tags": _TAGS}
    return stored_runs(uri, list(experiments()), keys, Wanted())


def _trace(run: StoredRun, baselines: Collection[str]) -> Trace | None:
    if PRUNED in run.tags:
        return None
    folder = address.local_path(run.artifact_uri)
    path = None if folder is None else folder / TRACE
    if path is not None and not path.is_file():
        return None
    kept = _why_kept(run.status, run.tags, path)
    if not kept and run.run_id in baselines:
        kept = "it is the baseline of another run"
    return Trace(
        run_id=run.run_id,
        name=run.name or "",
        started=run.start_time,
        path=path,
        size=0 if path is None else path.stat().st_size,
        thinned=int(run.tags.get(THINNED, 1)),
        kept=kept,
    )


def _why_kept(status: str, tags: Mapping[str, str], path: Path | None) -> str:
    """Why a trace must stay, by what its run says of itself; empty where nothing does."""
    reasons = {
        "its artifacts are not on this machine": path is None,
        "it is under way": status not in _ENDED,
        "it is promoted": tags.get("baseline") == "true",
        "it is pinned": tags.get(PINNED, "false").lower() not in ("false", ""),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
