"""How well an experiment uses a second worker: the same runs with one worker, then with two.

Every worker has one core, so the efficiency is ``seconds(1) / (2 * seconds(2))``: 1 if two workers
are twice as fast as one. A small first round compiles the code. Run on a quiet machine::

    python benchmarks/parallel_efficiency.py
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["TALLGRASS_CORES"] = "1"

from tallgrass.experiment import Experiment, Options, run_experiment
from tallgrass.settings import load_settings

RUNS = 8


def experiment(n_runs: int, draws: int) -> Experiment:
    """Runs of the embedded Senate that differ only in their seeds."""
    shared = {"session": "sample", "draws": draws, "tune": draws, "baseline": "none"}
    return Experiment("efficiency", "?", hold=shared, vary={"seed": list(range(n_runs))})


def seconds(declared: Experiment, n_workers: int) -> float:
    """Time of an experiment from its start to its comparison."""
    began = time.perf_counter()
    run_experiment(declared, load_settings({"progress": "none"}), Options(workers=n_workers))
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print both times and the efficiency."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(Path(folder))
        seconds(experiment(2, 50), 2)
        declared = experiment(RUNS, draws)
        one_s, two_s = seconds(declared, 1), seconds(declared, 2)
        os.chdir("/")
    print(f"{RUNS} runs: {one_s:.1f} s with one worker, {two_s:.1f} s with two")
    print(f"parallel efficiency {one_s / (2 * two_s):.2f}")


if __name__ == "__main__":
    main()
