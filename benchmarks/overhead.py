"""The cost of keeping draws, status and live metrics: the same chains with and without them.

Both variants sample the same posterior with the same seed, in turn, in one process; MLflow is a
real SQLite store. Printed are the ratios of processor time and of time on the clock, from the sums
of rounds and as the median of rounds. Only sampling is timed, not the opening and closing of a run
in MLflow. On a busy machine processor time is more reliable. Run on a quiet machine::

    python benchmarks/overhead.py [--rounds 4] [--draws 4000] [--session FOLDER --chamber house]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tallgrass.machine import usable_cores
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample
from tallgrass.settings import load_settings
from tallgrass.study.surroundings import sampling
from tallgrass.tracking import lifecycle, store, writing


def main() -> None:
    """Measure, and print each round and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--session", default="sample")
    parser.add_argument("--chamber", default="senate")
    flags = parser.parse_args()
    spec = RunSpec(
        session=flags.session, chamber=flags.chamber, draws=flags.draws, tune=1000,
        chains=usable_cores(), baseline="none",
    )  # fmt: skip
    data = read(spec, load_settings())
    model = build_model(data.votes, spec, make_start(data.votes, spec.init, None))
    arguments = (model, data.votes, spec.sampler_spec)

    def plainly() -> tuple[float, float]:
        return clocked(lambda: sample(*arguments, observer=lambda progress: None))

    def kept(folder: Path) -> tuple[float, float]:
        with (
            lifecycle.alive(lifecycle.state_dir(folder), "x", "sqlite", folder) as life,
            writing.start_run("overhead", "x") as run,
        ):
            life.begin(run.run_id, run.log_live)
            with sampling(life, spec.chains, lambda progress: None) as (observer, files):
                spent = clocked(lambda: sample(*arguments, observer=observer, sink=files))
                life.kept_in_mlflow = True
        return spent

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store.connect(f"sqlite:///{folder}/mlflow.db")
        plainly()  # compiles
        ways = {"plain": plainly, "kept": lambda: kept(folder / "state")}
        spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for number in range(flags.rounds):
            for way in sorted(ways, reverse=number % 2 == 0):
                spent[way].append(ways[way]())
                print("{:<6} {:7.2f} s of processors, {:7.2f} s".format(way, *spent[way][-1]))
    for i, clock in enumerate(("processor time", "time")):
        kept_s, plain_s = ([pair[i] for pair in spent[way]] for way in ("kept", "plain"))
        pairs = [a / b for a, b in zip(kept_s, plain_s, strict=True)]
        print(f"{clock}: {sum(kept_s) / sum(plain_s):.3f}, median of rounds {median(pairs):.3f}")


def clocked(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processors and on the clock that an action takes."""
    cpu, clock = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - clock


if __name__ == "__main__":
    main()
