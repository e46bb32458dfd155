"""Dask schedulers and workers as separate processes, for tests."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import fault_tools
from forked import Forked

QUICK = {"session": "simulated", "draws": 30, "tune": 40, "chains": 2, "fit_checks": False}


def environment(**more: str) -> dict[str, str]:
    given = fault_tools.environment()
    return {**{k: v for k, v in given.items() if not k.startswith("MLFLOW_")}, **more}


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """The address of a scheduler."""
    file = folder / "scheduler.json"
    command = ["-m", "distributed.cli.dask_scheduler", "--port", "0"]
    command += ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    with _process(command, folder):
        yield str(_address(file))


@contextmanager
def worker(
    address: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    threads: int = 1,
    nanny: bool = False,
) -> Iterator[Forked | subprocess.Popen]:
    """A worker without a nanny: when it is killed it is gone; or the nanny that starts a worker."""
    folder.mkdir(exist_ok=True)
    command = ["-m", "distributed.cli.dask_worker", address]
    command += ["--nanny" if nanny else "--no-nanny", "--nthreads", str(threads)]
    command += ["--no-dashboard", "--host", "127.0.0.1"]
    with _process(command, folder, variables) as process:
        yield process


def wait_for_workers(address: str, n: int) -> None:
    """Wait until the scheduler has so many: one that comes late may find all runs taken."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(n, timeout=120)


@contextmanager
def _process(
    command: list[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Forked | subprocess.Popen]:
    with (folder / "log.txt").open("ab") as log:
        process = fault_tools.forkery().popen(
            command, cwd=folder, env=environment(**(variables or {})), stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(file: Path) -> str:
    import json

    for _ in range(300):
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):
            time.sleep(0.1)
    raise TimeoutError("the scheduler did not start")
