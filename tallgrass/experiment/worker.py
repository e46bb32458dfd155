"""What happens on a Dask worker: one order -> one run. Models are built here, never sent."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dask
from distributed import get_worker
from threadpoolctl import threadpool_limits

from tallgrass.errors import TallgrassError
from tallgrass.machine import CORES_VARIABLE, usable_cores
from tallgrass.rollcalls.spec import RunSpec, changed_spec
from tallgrass.settings import Settings

if TYPE_CHECKING:
    from tallgrass.inference.progress import ChainProgress

TOPIC = "tallgrass-progress"
KEY_TAG = "experiment.spec_sha256"
PARENT_TAG = "mlflow.parentRunId"
_EVERY_SECONDS = 1.0
# A run chooses the store and the thread limits of its whole process.
_one_at_a_time = threading.Lock()
_stopped: set[str] = set()  # parent runs whose runs are to end
_STOPPED = "the experiment was stopped before it was done"


@dataclass(frozen=True)
class Order:
    """A run to be made: a spec, and what surrounds it, as plain values.

    Parameters
    ----------
    key : str
        Hash of the spec as declared.
    label : str
        Name of the run.
    spec : str
        The RunSpec as JSON; its session is read from the worker's own folder or disk.
    settings : mapping
        Fields of Settings that are given; the worker's environment says the rest.
    parent : str
        Id of the parent run.
    tallgrass : str
        Version of whoever orders; a worker of another one refuses.
    neighbours : mapping of str to int
        Workers on every host, which share its cores.
    """

    key: str
    label: str
    spec: str
    settings: Mapping[str, Any]
    parent: str
    tallgrass: str
    neighbours: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of an order; without a run id it says why in ``error``."""

    key: str
    run_id: str | None = None
    error: str | None = None


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the experiment: a terminal sends it to its workers as well.

    Dask calls this when a local worker starts.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def carry_out(order: Order, baseline: Outcome | None = None) -> Outcome:
    """Make the run of an order; never raises, so that Dask repeats only what a worker lost.

    A run of this order that was FINISHED by a worker which was lost before it could say so is
    taken as it is; one that was left RUNNING is closed as FAILED with the reason.
    """
    with _one_at_a_time:
        if order.parent in _stopped:
            return Outcome(order.key, error=_STOPPED)
        try:
            return _carry_out(order, baseline)
        except KeyboardInterrupt:
            return Outcome(order.key, error=_STOPPED)
        except TallgrassError as error:
            return Outcome(order.key, error=str(error))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            return Outcome(order.key, error=f"{type(error).__name__}: {error} ({where})")


def stop_runs(parent: str) -> None:
    """Have the runs of a parent end on this worker: the one under way keeps its draws."""
    _stopped.add(parent)


def refused_version(theirs: str, ours: str) -> str:
    """The words with which another version is refused."""
    return (
        f"a worker has tallgrass {ours} and this experiment is of {theirs}: "
        "install the same version on every worker"
    )


def unseen_store(uri: str, parent: str) -> str | None:
    """Why this process cannot write to the store, or None when it sees the parent run there."""
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
    if order.parent in _stopped:
        return Outcome(order.key, error=_STOPPED)
    ours = version("tallgrass")
    if ours != order.tallgrass:
        return Outcome(order.key, error=refused_version(order.tallgrass, ours))
    # PyMC starts a process a chain, which Python forbids to the daemons that Dask's workers are.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    from tallgrass.rollcalls.fit import fit
    from tallgrass.study.study import Context
    from tallgrass.tracking import store, writing

    settings = Settings(**order.settings)
    store.connect(settings.tracking_uri)
    earlier = writing.children(order.parent, {KEY_TAG: order.key})
    finished = next((one.run_id for one in earlier if one.status == "FINISHED"), None)
    if finished is not None:
        return Outcome(order.key, finished)
    for one in earlier:
        if one.status == "RUNNING":
            writing.close_dead(one.run_id, "FAILED", "its worker was lost; the run was repeated")
    spec = RunSpec.from_json(order.spec)
    if baseline is not None and baseline.run_id is not None:
        spec = changed_spec(spec, {"baseline": baseline.run_id})
    context = Context(
        name=order.label,
        tags={PARENT_TAG: order.parent, KEY_TAG: order.key},
        observer=_reporter(order.key),
        stopped=lambda: order.parent in _stopped,
    )
    cores = _fair_share(order.neighbours)
    os.environ[CORES_VARIABLE] = str(cores)
    # xarray locks the files it writes across the cluster, and has no name for what is in memory.
    local = dask.config.set(scheduler="threads")
    with threadpool_limits(limits=cores, user_api="blas"), local:
        result = fit(spec, settings, context)
    return Outcome(order.key, result.run_id)


def _fair_share(neighbours: Mapping[str, int]) -> int:
    """Cores for a run on this worker: its own limit, or its part of the host."""
    if CORES_VARIABLE in os.environ:
        return usable_cores()
    host = urlsplit(get_worker().address).hostname or ""
    return max(1, usable_cores() // max(1, neighbours.get(host, 1)))


def _reporter(key: str) -> Callable[[Sequence["ChainProgress"]], None]:
    """An observer that tells whoever watches the scheduler, about once a second."""
    worker = get_worker()
    last = 0.0

    def report(chains: Sequence["ChainProgress"]) -> None:
        nonlocal last
        now = time.monotonic()
        done = all(chain.finished >= chain.total for chain in chains)
        if now - last < _EVERY_SECONDS and not done:
            return
        last = now
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
