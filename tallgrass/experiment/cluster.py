"""The Dask workers of an experiment: a cluster on this machine, or one that runs elsewhere."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from urllib.parse import urlsplit

import dask
import psutil
from distributed import Client, LocalCluster, Security

from tallgrass.errors import SpecError
from tallgrass.experiment.worker import refused_version, unseen_store
from tallgrass.machine import CORES_VARIABLE, usable_cores
from tallgrass.tracking.store import masked

_REACH_SECONDS = 5
_WORKERS_SECONDS = 60
# Every worker samples on a core that it has for itself. What Dask does beside it, many times a
# second, would take some 7 % of that core, and none of it is looked at here.
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "10 s",
    "distributed.admin.tick.interval": "1 s",
    "distributed.admin.tick.cycle": "10 s",
    "distributed.admin.system-monitor.interval": "10 s",
}
_WORKER_BYTES = 1.5 * 1024**3  # imports, a large trace and its copies


@contextmanager
def workers(scheduler: str | None, asked: int | None, n_runs: int) -> Iterator[Client]:
    """A client of the workers, for as long as it is open.

    Parameters
    ----------
    scheduler : str or None
        Address of a running Dask scheduler; without it a cluster is started on this machine.
    asked : int or None
        Number of local workers; fitted to cores and memory without it.
    n_runs : int
        How many runs there are to be made.

    Raises
    ------
    SpecError
        When the scheduler cannot be reached, or has no worker after a minute.
    """
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if scheduler is not None:
        with _connected(scheduler) as client:
            yield client
        return
    count = asked or local_workers(n_runs)
    share = max(1, usable_cores() // count)
    # Set here too: a worker that is started again by its nanny takes them from this process.
    environment = {CORES_VARIABLE: str(share)}
    environment |= {f"{one}_NUM_THREADS": str(share) for one in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    with dask.config.set(_QUIET):
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # a trace that fits the machine is no reason to kill a worker
            dashboard_address="127.0.0.1:0",  # a port that is free
            # Keys for this cluster alone: whoever reaches a worker without any can have it run
            # code, and other users of this machine can reach its ports.
            security=Security.temporary(),
            preload=["tallgrass.experiment.worker"],
            silence_logs=logging.CRITICAL,
            env={**environment, "PYTHONWARNINGS": "ignore"},
        )
    with cluster, Client(cluster) as client:
        yield client


def local_workers(n_runs: int) -> int:
    """Workers for this machine: no more than runs, cores, or what its memory holds."""
    memory = int(psutil.virtual_memory().available // _WORKER_BYTES)
    return max(1, min(n_runs, usable_cores(), memory))


def inspect(client: Client, tracking_uri: str, parent: str) -> dict[str, int]:
    """Refuse workers that could not make a run, before any is asked to.

    Returns
    -------
    dict of str to int
        Number of workers on every host.

    Raises
    ------
    SpecError
        When a worker has another version of tallgrass, more than one thread, or no access to the
        store.
    """
    ours = version("tallgrass")
    for address, theirs in client.run(_probe()).items():
        if theirs != ours:
            raise SpecError(refused_version(ours, theirs), address)
    for address, reason in client.run(unseen_store, tracking_uri, parent).items():
        if reason is not None:
            raise SpecError(
                f"a worker cannot use the MLflow store {masked(tracking_uri)} ({reason})",
                address,
                "workers on other machines need an MLflow server or a database with a host",
            )
    hosts: dict[str, int] = {}
    for address, about in client.scheduler_info(n_workers=-1)["workers"].items():
        if about["nthreads"] != 1:
            raise SpecError(
                "a worker that would make several runs at once in one process",
                f"{address}: {about['nthreads']} threads",
                "start workers with --nthreads 1, as many as there are cores",
            )
        host = urlsplit(address).hostname or ""
        hosts[host] = hosts.get(host, 0) + 1
    return hosts


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    mend = "start one with: dask scheduler; and workers with: dask worker ADDRESS --nthreads 1"
    try:
        client = Client(scheduler, timeout=_REACH_SECONDS)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError(f"cannot reach the Dask scheduler ({reason})", scheduler, mend) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
        except TimeoutError:
            raise SpecError(
                f"no worker came to the Dask scheduler in {_WORKERS_SECONDS} s", scheduler, mend
            ) from None
        yield client


def _probe() -> Callable[[], str]:
    """A function that tells the version of tallgrass, on workers that have none too.

    Functions of a module are sent by name; one that is made in a function is sent whole.
    """

    def tell() -> str:
        import importlib.metadata

        try:
            return importlib.metadata.version("tallgrass")
        except importlib.metadata.PackageNotFoundError:
            return "(none)"

    return tell
