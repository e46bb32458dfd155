"""Ten models through ``tg.sample`` and ``tg.autolog``, beside plain sampling.

``compare.py [MODEL...]`` samples each model in processes of its own, one after the other: plain,
with autolog, and with ``tg.sample``, by the same sampler with the same settings. It prints a table
in markdown: the seconds of the sampling call and their ratios to plain sampling (of processor time
too, which other programs change less), the seconds of ours in the user's process ("ours", with
their share of the plain call), the seconds of the whole script without and with autolog,
and the largest relative difference of the run's R-hat, ESS and E-BFMI from ArviZ's of its draws.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SETTINGS = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 2, "random_seed": 1}
REPEATS = int(
    os.environ.get("REPEATS", "1")
)  # the quickest counts: other programs can only slow a machine down
MODES = ("plain", "autolog", "sample")
HEAD = ["model", "plain", "autolog", "ratio", "of CPU", "ours", "tg.sample", "ratio"]
HEAD += ["script", "verdict", "run", "from ArviZ"]
DISCRETE = ("mixture_with_discrete",)


def one(name: str, mode: str) -> None:
    """Sample one model, and print what it took as JSON."""
    began = time.perf_counter()
    answer: dict[str, Any] = {}
    if mode == "autolog":
        import tallgrass as tg

        tg.autolog()
        answer["ours_s"] = 0.0
        from tallgrass.own import autolog

        for part in ("_begin", "_hand_over"):  # all that runs in the user's process
            setattr(autolog, part, timed(getattr(autolog, part), answer))
    import pymc as pm
    from models import MODELS

    model = MODELS[name]()
    sampler = "pymc" if name in DISCRETE else "nutpie"
    start, cpu = time.perf_counter(), cpu_s()
    if mode == "sample":
        import tallgrass as tg

        seed = SETTINGS["random_seed"]
        given = {key: SETTINGS[key] for key in ("draws", "tune", "chains")}
        result = tg.sample(model, name=name, seed=seed, sampler=sampler, **given)
        answer["run_id"] = result.run_id
    else:
        with model:
            pm.sample(nuts_sampler=sampler, progressbar=False, quiet=True, **SETTINGS)
    answer |= {"call_s": time.perf_counter() - start, "cpu_s": cpu_s() - cpu}
    if mode == "autolog":
        (answer["run_id"],) = tg.finish_autolog()
    answer["script_s"] = time.perf_counter() - began
    sys.stdout.write(json.dumps(answer) + "\n")


def timed(function: Callable[..., Any], answer: dict[str, Any]) -> Callable[..., Any]:
    """The function, which adds its seconds to ``ours_s``."""

    def call(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            answer["ours_s"] += time.perf_counter() - began

    return call


def cpu_s() -> float:
    """Processor seconds of this process and of the chains that it has waited for."""
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system


def largest_differences(run_id: str) -> tuple[str, float]:
    """The run's verdict, and how far its diagnostics are from ArviZ's at most, relative."""
    import arviz as az

    import tallgrass as tg
    from tallgrass.inference.diagnostics import diagnose
    from tallgrass.tracking import reading
    from tallgrass.tracking.reading.records import stored_table

    trace, details = tg.load_trace(run_id), reading.details(run_id)
    table = stored_table(run_id, "tables/diagnostics.json")
    posterior = trace["posterior"].to_dataset()
    differences = [0.0]
    for column, method in (("rhat", "rank"), ("ess_bulk", "bulk"), ("ess_tail", "tail")):
        function = az.rhat if column == "rhat" else az.ess
        tails = {"prob": (0.05, 0.95)} if method == "tail" else {}
        expected = function(posterior, method=method, **tails)
        for variable, rows in table.groupby("variable", sort=False):
            theirs = expected[variable].to_numpy().ravel()
            ours = rows[column].to_numpy(float)
            # The run leaves out what is the same in every draw.
            theirs = theirs[posterior[variable].std(("chain", "draw")).to_numpy().ravel() > 0]
            if len(theirs) == len(ours):
                differences.append(float(np.max(np.abs(ours / theirs - 1), initial=0.0)))
            else:
                differences.append(np.inf)
    if "energy" in trace["sample_stats"]:
        expected = az.bfmi(trace)["energy"].to_numpy()
        given = diagnose(trace).ebfmi
        differences.append(float(np.max(np.abs(np.array(given) / expected - 1))))
    return details["tags"]["verdict"], max(differences)


def measured(name: str) -> dict[str, dict[str, Any]]:
    """What each mode took; the quickest of some repeats."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(REPEATS):
        for mode in MODES:
            command = [sys.executable, __file__, "--one", name, mode]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name}, {mode}: {done.stderr[-2000:]}")
            answer = json.loads(done.stdout.splitlines()[-1])
            if mode not in best or answer["call_s"] < best[mode]["call_s"]:
                best[mode] = answer
    return best


def main(names: list[str]) -> None:
    """Measure all models, or those named, in a store of their own."""
    from models import MODELS

    folder = tempfile.mkdtemp(prefix="tallgrass-any-model-")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    os.environ["TALLGRASS_STATE_DIR"] = f"{folder}/state"
    os.environ["TALLGRASS_PROGRESS"] = "none"
    os.chdir(folder)
    print(f"| {' | '.join(HEAD)} |")
    print("|" + "---|" * len(HEAD))
    for name in names or MODELS:
        took = measured(name)
        verdict, difference = largest_differences(str(took["sample"]["run_id"]))
        _, of_autolog = largest_differences(str(took["autolog"]["run_id"]))
        plain, autolog, sample = (took[mode] for mode in MODES)
        cells = [
            name,
            f"{plain['call_s']:.1f} s",
            f"{autolog['call_s']:.1f} s",
            f"{autolog['call_s'] / plain['call_s']:.2f}",
            f"{autolog['cpu_s'] / plain['cpu_s']:.2f}",
            f"{autolog['ours_s']:.2f} s, {100 * autolog['ours_s'] / plain['call_s']:.1f} %",
            f"{sample['call_s']:.1f} s",
            f"{sample['call_s'] / plain['call_s']:.2f}",
            f"{plain['script_s']:.0f} -> {autolog['script_s']:.0f} s",
            verdict,
            str(sample["run_id"])[:8],
            f"{max(difference, of_autolog):.0e}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nRuns: {Path(folder) / 'mlflow.db'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main(sys.argv[1:])
