"""Many short runs in one process: memory and open files must not grow.

    python benchmarks/many_runs.py [--runs 200]

Prints the memory (of this process, MiB) and its open files every tenth of the way; at the end the
growth since the first fifth, when everything has been loaded and compiled.
"""

import argparse
import os
import tempfile
from pathlib import Path

import psutil

# The store's pool keeps up to five connections, each opened when it is first needed at the same
# time as another, be it in the hundredth run. With one kept, every file that stays is a leak.
os.environ["MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"] = "1"

from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import make_run_spec
from tallgrass.settings import Settings


def measured(n_runs: int, folder: Path, every: int) -> list[tuple[int, float, int]]:
    """(runs made, MiB of memory, open files) after every so many runs."""
    settings = Settings(
        progress="none", tracking_uri=f"sqlite:///{folder}/mlflow.db", state_dir=folder / "state"
    )
    process = psutil.Process()
    found = []
    for number in range(1, n_runs + 1):
        spec = make_run_spec(
            session="simulated", draws=30, tune=40, chains=2, seed=number, fit_checks=False,
            baseline="none",
        )  # fmt: skip
        fit(spec, settings)
        if number % every == 0:
            found.append((number, process.memory_info().rss / 2**20, process.num_fds()))
            print("{:5} runs  {:7.0f} MiB  {:4} files".format(*found[-1]), flush=True)
    return found


def main() -> None:
    """Make the runs, and print how much grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        before = Path.cwd()
        os.chdir(name)
        found = measured(given.runs, Path(name), max(1, given.runs // 10))
        os.chdir(before)
    settled = next(one for one in found if one[0] >= given.runs / 5)
    last = found[-1]
    runs = last[0] - settled[0]
    print(f"from run {settled[0]} to {last[0]}: {(last[1] - settled[1]) / runs:+.3f} MiB a run, "
          f"{last[2] - settled[2]:+d} files")  # fmt: skip


if __name__ == "__main__":
    main()
