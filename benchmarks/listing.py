"""Seconds of ``tallgrass runs``, ``show`` and ``compare`` on a store of ten thousand runs.

    python benchmarks/listing.py [--runs 10000] [--repeats 5] [--keep FOLDER]

Two small runs are sampled, and the rest copied from them by SQL, with their params, tags and
metrics. Printed are the seconds of the whole process, the least and the median of the repeats,
those of processors, and how many times as many these are as of a Python that does nothing.
``--keep`` makes the store in a folder that stays, or uses the one that is there.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

SIZES = {"draws": 200, "tune": 200, "chains": 2, "min_votes": 5}
TABLES = ("runs", "params", "tags", "latest_metrics")


def fill(folder: Path, n_runs: int) -> None:
    """A store with two runs that were sampled and copies of them: MLflow would take an hour."""
    settings = Settings(
        progress="none", tracking_uri=f"sqlite:///{folder}/mlflow.db", state_dir=folder / "state"
    )
    for seed in (1, 2):
        fit(RunSpec(session="simulated", seed=seed, baseline="none", **SIZES), settings)
    with sqlite3.connect(folder / "mlflow.db") as database:
        ids = [row[0] for row in database.execute("SELECT run_uuid FROM runs")]
        for table in TABLES:
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            at, marks = names.index("run_uuid"), ",".join("?" * len(names))
            originals = [
                database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", [run]).fetchall()
                for run in ids
            ]
            copies = (
                (*row[:at], f"{number:032x}", *row[at + 1 :])
                for number in range(n_runs - len(ids))
                for row in originals[number % len(ids)]
            )
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", copies)


def seconds(words: Sequence[str], folder: Path, repeats: int) -> tuple[list[float], float]:
    """Seconds of a process, each time, and the mean of its processor seconds."""
    taken, before = [], os.times()
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    after = os.times()
    spent = after.children_user + after.children_system
    return taken, (spent - before.children_user - before.children_system) / repeats


def main() -> None:
    """Make the store, and print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (flags.keep or Path(name)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        here = Path.cwd()
        os.chdir(folder)
        if not (folder / "mlflow.db").exists():
            fill(folder, flags.runs)
        os.chdir(here)
        with sqlite3.connect(folder / "mlflow.db") as database:
            n_runs = database.execute("SELECT count(*) FROM runs").fetchone()[0]
            newest = database.execute("SELECT run_uuid FROM runs ORDER BY start_time DESC LIMIT 2")
            first, second = (row[0] for row in newest)
        tallgrass = [sys.executable, "-m", "tallgrass"]
        commands = {
            "runs": ["runs"],
            "runs of a verdict": ["runs", "--verdict=pass"],
            "show": ["show", first],
            "compare": ["compare", first, second],
        }
        _, bare = seconds([sys.executable, "-c", "pass"], folder, flags.repeats)
        print(f"{n_runs:,} runs; a Python that does nothing takes {bare:.3f} s of a processor")
        for label, words in commands.items():
            taken, spent = seconds([*tallgrass, *words], folder, flags.repeats)
            print(
                f"{label:<18} least {min(taken):.2f} s, median {median(taken):.2f} s; "
                f"processor {spent:.2f} s, {spent / bare:.0f} x"
            )


if __name__ == "__main__":
    main()
