"""The Dask workers of an experiment: a cluster on this machine, or a running one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from urllib.parse import urlsplit

import dask
import psutil
from distributed import Client, LocalCluster, Security

from tallgrass.errors import SpecError, first_line
from tallgrass.experiment.worker import refused_version, unseen_store
from tallgrass.machine import CORES_VARIABLE, usable_cores
from tallgrass.tracking.store import masked

_REACH_SECONDS = 5
_WORKERS_SECONDS = 60
# Every worker samples on its own core. Dask's monitoring, many times a second, would take about 7 %
# of it, and its results are not used here.
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "10 s",
    "distributed.admin.tick.interval": "1 s",
    "distributed.admin.tick.cycle": "10 s",
    "distributed.admin.system-monitor.interval": "10 s",
}
_WORKER_BYTES = 1.5 * 1024**3  # for imports, a large trace and its copies


@contextmanager
def workers(scheduler: str | None, n_workers: int | None, n_runs: int) -> Iterator[Client]:
    """A client of the workers, which are available while it is open.

    Parameters
    ----------
    scheduler : str or None
        Address of a running Dask scheduler; by default a cluster is started on this machine.
    n_workers : int or None
        Number of local workers; by default it depends on cores and memory.
    n_runs : int
        Number of runs to make.

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
    count = n_workers or local_workers(n_runs)
    share = max(1, usable_cores() // count)
    # Also in this process, because a worker that its nanny restarts takes them from here.
    environment = {CORES_VARIABLE: str(share)}
    environment |= {
        f"{library}_NUM_THREADS": str(share) for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")
    }
    with dask.config.set(_QUIET):
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # do not kill a worker because of a large trace
            dashboard_address="127.0.0.1:0",  # any free port
            # Keys only for this cluster: without them, other users of this machine could reach the
            # ports of the workers and run code.
            security=Security.temporary(),
            preload=["tallgrass.experiment.worker"],
            silence_logs=logging.CRITICAL,
            env={**environment, "PYTHONWARNINGS": "ignore"},
        )
    with cluster, Client(cluster) as client:
        yield client


def local_workers(n_runs: int) -> int:
    """Number of workers for this machine: limited by runs, cores and memory."""
    memory = int(psutil.virtual_memory().available // _WORKER_BYTES)
    return max(1, min(n_runs, usable_cores(), memory))


def inspect(client: Client, tracking_uri: str, parent: str) -> dict[str, int]:
    """Refuse workers that cannot make a run, before any run starts.

    Returns
    -------
    dict of str to int
        Number of workers per host.

    Raises
    ------
    SpecError
        When a worker has another version of tallgrass, more than one thread, or no access to the
        store.
    """
    ours = version("tallgrass")
    for address, worker_version in client.run(_probe()).items():
        if worker_version != ours:
            raise SpecError(refused_version(ours, worker_version), address)
    for address, reason in client.run(unseen_store, tracking_uri, parent).items():
        if reason is not None:
            raise SpecError(
                f"a worker cannot use the MLflow store {masked(tracking_uri)} ({reason})",
                address,
                "workers on other machines need an MLflow server or a database with a host",
            )
    hosts: dict[str, int] = {}
    for address, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        if worker["nthreads"] != 1:
            raise SpecError(
                "a worker would make several runs at once in one process",
                f"{address}: {worker['nthreads']} threads",
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
        reason = first_line(error)
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
    """A function that returns the version of tallgrass, even on workers without tallgrass.

    Dask sends functions of a module by name, but the whole code of an inner function.
    """

    def installed_version() -> str:
        import importlib.metadata

        try:
            return importlib.metadata.version("tallgrass")
        except importlib.metadata.PackageNotFoundError:
            return "(none)"

    return installed_version
