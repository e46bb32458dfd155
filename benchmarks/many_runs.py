"""Many short runs in one process: memory and open files must not grow.

    python benchmarks/many_runs.py [--runs 200]

Prints the memory of this process (MiB) and its open files after every tenth of the runs, and what
lies in the folder of runs, among the temporary files and in the cache (files, kB); at the end the
growth since the first fifth, when everything has been loaded and compiled.
"""

import argparse
import ctypes
import os
import sys
import tempfile
from pathlib import Path

import psutil

# The store's pool opens up to five connections, each when it is first needed, which may be in the
# hundredth run. With only one connection, every additional open file is a leak.
os.environ["MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"] = "1"

from tallgrass.inference.cache import NUMBA_CACHE_PATH
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

_M_ARENA_MAX = -8  # of malloc.h


def with_one_arena() -> None:
    """Let all threads share one arena of memory, so that whatever is added to it is a leak.

    With arenas of their own, which fill up over dozens of runs and are used again, memory grows by
    1 to 2 MiB a run for the first 20 runs and then no more.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):  # glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def lying(folder: Path) -> tuple[int, int]:
    """Files in a folder, and their kB."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes) // 1000


def measured(n_runs: int, folder: Path, every: int) -> list[tuple[int, float, int]]:
    """(runs made, MiB of memory, open files) after every ``every`` runs."""
    temporary = folder / "temporary"
    temporary.mkdir()
    tempfile.tempdir = str(temporary)
    settings = Settings(
        progress="none", tracking_uri=f"sqlite:///{folder}/mlflow.db", state_dir=folder / "state"
    )
    process = psutil.Process()
    rows = []
    for number in range(1, n_runs + 1):
        spec = RunSpec(
            session="simulated", draws=30, tune=40, chains=2, seed=number, fit_checks=False,
            baseline="none",
        )  # fmt: skip
        fit(spec, settings)
        if number % every == 0:
            rows.append((number, process.memory_info().rss / 2**20, process.num_fds()))
            places = {"state": folder / "state", "temporary": temporary, "cache": NUMBA_CACHE_PATH}
            left = "  ".join("{} {} {} kB".format(k, *lying(p)) for k, p in places.items())
            print("{:5} runs  {:7.0f} MiB  {:4} files  {}".format(*rows[-1], left), flush=True)
    return rows


def main() -> None:
    """Make the runs, and print the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    with_one_arena()
    with tempfile.TemporaryDirectory() as name:
        start_folder = Path.cwd()
        os.chdir(name)
        rows = measured(arguments.runs, Path(name), max(1, arguments.runs // 10))
        os.chdir(start_folder)
    settled = next(row for row in rows if row[0] >= arguments.runs / 5)
    last = rows[-1]
    runs = last[0] - settled[0]
    print(f"from run {settled[0]} to {last[0]}: {(last[1] - settled[1]) / runs:+.3f} MiB a run, "
          f"{last[2] - settled[2]:+d} files")  # fmt: skip


if __name__ == "__main__":
    main()
