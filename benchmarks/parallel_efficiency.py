"""How well an experiment uses a second worker: the same runs with one worker, then with two.

Both times every worker has one core, so that efficiency is ``seconds(1) / (2 * seconds(2))``: 1
when two workers are twice as fast as one. A first, small round leaves compiled code on disk.
Run on a quiet machine::

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
    """Runs of the embedded Senate that differ in their seeds only."""
    held = {"session": "sample", "draws": draws, "tune": draws, "baseline": "none"}
    return Experiment("efficiency", "?", hold=held, vary={"seed": list(range(n_runs))})


def seconds(asked: Experiment, n_workers: int) -> float:
    """Time of an experiment from its start to its comparison."""
    began = time.perf_counter()
    run_experiment(asked, load_settings({"progress": "none"}), Options(workers=n_workers))
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print both times and the efficiency."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(Path(folder))
        seconds(experiment(2, 50), 2)
        asked = experiment(RUNS, draws)
        one, two = seconds(asked, 1), seconds(asked, 2)
        os.chdir("/")
    print(f"{RUNS} runs: {one:.1f} s with one worker, {two:.1f} s with two")
    print(f"parallel efficiency {one / (2 * two):.2f}")


if __name__ == "__main__":
    main()
