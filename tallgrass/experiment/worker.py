"""Make runs on a Dask worker, one per order. The model is built here and never sent."""

import gc
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dask
from distributed import get_worker
from threadpoolctl import threadpool_limits

from tallgrass.errors import TallgrassError
from tallgrass.escaping import masked
from tallgrass.machine import CORES_VARIABLE, release_memory, usable_cores
from tallgrass.rollcalls.spec import RunSpec, changed_spec
from tallgrass.settings import Settings

if TYPE_CHECKING:
    from tallgrass.inference.progress import ChainProgress

TOPIC = "tallgrass-progress"
KEY_TAG = "experiment.spec_sha256"
PARENT_TAG = "mlflow.parentRunId"
DRAWS_TAG = "recovered.draws"
_EVERY_SECONDS = 1.0
_SELDOM = (1_000_000, 20, 100)  # as a command looks for garbage
# A run sets the store and the thread limits of its whole process.
_one_at_a_time = threading.Lock()
_stopped: set[str] = set()  # attempts whose runs must end
_STOPPED = "the experiment was stopped before this run was finished"


@dataclass(frozen=True)
class Order:
    """A run to make: a spec and its context, as plain values.

    Parameters
    ----------
    key : str
        Hash of the declared spec.
    label : str
        Name of the run.
    spec : str
        The RunSpec as JSON; its session is read on the worker.
    settings : mapping
        Some fields of Settings; the worker's environment sets the others.
    parent : str
        Id of the parent run.
    attempt : str
        Id of this attempt at the experiment; one that is resumed is another.
    tallgrass : str
        Version of tallgrass that gives the order; a worker with another version refuses it.
    neighbours : mapping of str to int
        Number of workers per host, which share its cores.
    """

    key: str
    label: str
    spec: str
    settings: Mapping[str, Any]
    parent: str
    attempt: str
    tallgrass: str
    neighbours: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The outcome of an order: the run id, or the reason in ``error``."""

    key: str
    run_id: str | None = None
    error: str | None = None


def dask_setup(_worker: object) -> None:
    """Ignore Ctrl-C, which a terminal also sends to workers, because the experiment handles it.

    Dask calls this when a local worker starts.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def carry_out(order: Order, baseline: Outcome | None = None) -> Outcome:
    """Make the run of an order; it never raises, so that Dask repeats only runs of lost workers.

    If a lost worker already FINISHED a run of this order, that run is used. If it left a run
    RUNNING and is seen to be dead, that run is closed as FAILED with the reason.
    """
    with _one_at_a_time:
        if order.attempt in _stopped:
            return Outcome(order.key, error=_STOPPED)
        try:
            return _carry_out(order, baseline)
        except KeyboardInterrupt:
            return Outcome(order.key, error=_STOPPED)
        except TallgrassError as error:
            return Outcome(order.key, error=masked(str(error)))
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            location = f"{Path(frame.filename).name}:{frame.lineno}"
            reason = f"{type(error).__name__}: {error} ({location})"
            return Outcome(order.key, error=masked(reason))


def stop_runs(attempt: str) -> None:
    """End the runs of an attempt on this worker; a running one keeps its draws."""
    _stopped.add(attempt)


def is_complete(status: str, tags: Mapping[str, str], draws: int) -> bool:
    """Whether a run is done: FINISHED, and not recovered with fewer draws than were ordered."""
    if status != "FINISHED":
        return False
    kept = tags.get(DRAWS_TAG, "")
    return min((int(n) for n in kept.split(", ") if n.isdecimal()), default=draws) >= draws


def refused_version(required: str, installed: str) -> str:
    """The reason to refuse a worker with another version."""
    return (
        f"a worker has tallgrass {installed} and this experiment is of {required}: "
        "install the same version on every worker"
    )


def unseen_store(uri: str, parent: str) -> str | None:
    """Why this process cannot use the store, or None if it finds the parent run there."""
    from tallgrass.tracking import reading, store

    parts = urlsplit(uri)
    if parts.scheme.startswith("sqlite") and not Path(parts.path[1:]).is_file():
        return f"it does not see the file {parts.path[1:]}"
    try:
        store.connect(uri)
        reading.find_run(parent)
    except TallgrassError as error:
        return str(error)
    return None


def _carry_out(order: Order, baseline: Outcome | None) -> Outcome:
    if order.attempt in _stopped:
        return Outcome(order.key, error=_STOPPED)
    installed = version("tallgrass")
    if installed != order.tallgrass:
        return Outcome(order.key, error=refused_version(order.tallgrass, installed))
    # PyMC starts a process per chain, which Python forbids in daemons, such as Dask's workers.
    multiprocessing.current_process().daemon = False
    from tallgrass.fitting import fit
    from tallgrass.study.study import Context
    from tallgrass.tracking import store, writing

    settings = Settings(**order.settings)
    spec = RunSpec.from_json(order.spec)
    store.connect(settings.tracking_uri)
    attempts = writing.children(order.parent, {KEY_TAG: order.key})
    done = (one.run_id for one in attempts if is_complete(one.status, one.tags, spec.least_draws))
    finished = next(done, None)
    if finished is not None:
        return Outcome(order.key, finished)
    for attempt in attempts:
        if attempt.status == "RUNNING" and _dead(attempt.tags):
            writing.close_dead(
                attempt.run_id, "FAILED", "its worker was lost; the run was repeated"
            )
    if baseline is not None and baseline.run_id is not None:
        spec = changed_spec(spec, {"baseline": baseline.run_id})
    context = Context(
        name=order.label,
        tags={PARENT_TAG: order.parent, KEY_TAG: order.key},
        observer=_reporter(order.key),
        stopped=lambda: order.attempt in _stopped,
        last=True,  # its memory is returned here, with that of its result
    )
    cores = _fair_share(order.neighbours)
    os.environ[CORES_VARIABLE] = str(cores)
    # Else xarray would lock files across the cluster, which fails for data in memory.
    threads = dask.config.set(scheduler="threads")
    with threadpool_limits(limits=cores, user_api="blas"), threads, _little_garbage():
        run_id = fit(spec, settings, context).run_id
    return Outcome(order.key, run_id)


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Garbage is looked for once, after a run, and only in what is left of it.

    What is alive between two runs stays, so that the collector need not look through it. Draws and
    figures refer to each other in circles: those that are left when the next run begins would stay
    as well.
    """
    often = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*often)
        release_memory()


def _dead(tags: Mapping[str, str]) -> bool:
    from tallgrass.tracking.lifecycle import Fate, fate_of_tags

    return fate_of_tags(tags)[0] is Fate.DEAD


def _fair_share(neighbours: Mapping[str, int]) -> int:
    """Cores for a run on this worker: its limit, or its share of the host."""
    if CORES_VARIABLE in os.environ:
        return usable_cores()
    host = urlsplit(get_worker().address).hostname or ""
    return max(1, usable_cores() // max(1, neighbours.get(host, 1)))


def _reporter(key: str) -> Callable[[Sequence["ChainProgress"]], None]:
    """An observer that sends the progress to the scheduler, about once a second."""
    worker = get_worker()
    last_s = 0.0

    def report(chains: Sequence["ChainProgress"]) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        all_done = all(chain.finished >= chain.total for chain in chains)
        if now_s - last_s < _EVERY_SECONDS and not all_done:
            return
        last_s = now_s
        worker.log_event(
            TOPIC,
            {
                "key": key,
                "finished": sum(chain.finished for chain in chains),
                "total": sum(chain.total for chain in chains),
                "divergences": sum(chain.divergences for chain in chains),
            },
        )

    return report
