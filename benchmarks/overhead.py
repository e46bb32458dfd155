"""What it costs to keep draws, status and live metrics: the same chains with and without.

Both ways sample the same posterior with the same seed, in turn, in one process; MLflow is a real
SQLite store. Given are the ratios of the processor time and of the time on the clock, of the sums
over rounds; on a machine that does other things the first one means more. Run on a quiet machine::

    python benchmarks/overhead.py [--rounds 4] [--draws 4000] [--session FOLDER --chamber house]
"""

import argparse
import tempfile
import time
from pathlib import Path

from tallgrass import lifecycle, store, tracking
from tallgrass.machine import usable_cores
from tallgrass.models import build_model
from tallgrass.pipeline.attended import sampling
from tallgrass.pipeline.prepare import read
from tallgrass.sampling import sample
from tallgrass.settings import load_settings
from tallgrass.specs import make_run_spec
from tallgrass.start import make_start


def main() -> None:
    """Measure, and print each round and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--session", default="sample")
    parser.add_argument("--chamber", default="senate")
    given = parser.parse_args()
    spec = make_run_spec(
        session=given.session, chamber=given.chamber, draws=given.draws, tune=1000,
        chains=usable_cores(), baseline="none",
    )  # fmt: skip
    data = read(spec, load_settings())
    model = build_model(data.votes, spec, make_start(data.votes, spec.init, None))
    arguments = (model, data.votes, spec.sampler_spec)

    def plainly() -> None:
        sample(*arguments, observer=lambda progress: None)

    def kept(folder: Path) -> None:
        with (
            lifecycle.alive(lifecycle.state_dir(folder), "x", "sqlite", folder) as life,
            tracking.start_run("overhead", "x") as run,
        ):
            life.begin(run.run_id, run.log_live)
            with sampling(life, spec.chains, lambda progress: None) as (observer, files):
                sample(*arguments, observer=observer, sink=files)
                life.kept_in_mlflow = True

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store.connect(f"sqlite:///{folder}/mlflow.db")
        plainly()  # compiles
        spent = {"plain": [0.0, 0.0], "kept": [0.0, 0.0]}
        for number in range(given.rounds):
            ways = [("plain", plainly), ("kept", lambda: kept(folder / "state"))]
            for way, action in ways if number % 2 else reversed(ways):
                cpu, clock = time.process_time(), time.perf_counter()
                action()
                took = time.process_time() - cpu, time.perf_counter() - clock
                spent[way] = [a + b for a, b in zip(spent[way], took, strict=True)]
                print(f"{way:<6} {took[0]:7.2f} s of processors, {took[1]:7.2f} s")
    for i, what in enumerate(("processor time", "time")):
        print(f"{what}: {spent['kept'][i] / spent['plain'][i]:.3f}")


if __name__ == "__main__":
    main()
