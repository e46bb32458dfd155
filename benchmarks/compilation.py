"""First compilation of each model, from loops and by PyTensor's own compiler, in turn.

Run: python benchmarks/compilation.py 2. The number is that of rounds. Every compilation is a
process of its own whose caches are empty; the seconds are of one processor, without imports, and
the figures of a model are medians. Evaluations are timed in the same processes, gradient included,
on simulated votes (House of the session ``simulated``; the joint model: of both chambers).
"""

import json
import os
import subprocess
import sys
import tempfile
from statistics import median

MODELS: dict[str, dict[str, object]] = {
    "flat": {"model": "flat"},
    "flat, textbook": {"model": "flat", "coordinates": "textbook"},
    "hierarchical": {"model": "hierarchical"},
    "hierarchical, textbook": {"model": "hierarchical", "coordinates": "textbook"},
    "flat, two dimensions": {"model": "flat", "dims": 2},
    "hierarchical, two dimensions": {"model": "hierarchical", "dims": 2},
    "joint": {"model": "joint"},
}
ONE = """
import ctypes, gc, json, sys, time
import numpy as np
import pytensor
from numba.core.event import install_recorder
from tallgrass.inference import compiled
from tallgrass.rollcalls.chambers import join_chambers, joint_start
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.sources.simulated import simulate
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start

gc.disable()  # as the commands do
spec, as_loops = ModelSpec(**json.loads(sys.argv[1])), sys.argv[2] == "loops"
read = (simulate().chamber(name).votes for name in ("house", "senate"))
house, senate = (filter_votes(votes, 0.025, 20, parties_only=True)[0] for votes in read)
if spec.model == "joint":
    joint = join_chambers(house, senate)
    model = build_model(joint, spec, joint_start(joint, "pca"))
else:
    model = build_model(house, spec, make_start(house, "pca"))
with pytensor.config.change_flags(**compiled._FLAGS), install_recorder("numba:compile") as events:
    began = time.process_time()
    code = compiled._compile_model(model, as_loops).model
    compile_s = time.process_time() - began
x = code.initial_point_func(0)
doubles = ctypes.POINTER(ctypes.c_double)
value, gradient = np.empty(1), np.empty(len(x))
arguments = [len(x), *(a.ctypes.data_as(doubles) for a in (x, gradient, value))]
arguments.append(ctypes.c_void_p(code.user_data.ctypes.data))
times = []
for _ in range(9):
    began = time.perf_counter()
    for _ in range(200):
        code.compiled_logp_func.ctypes(*arguments)
    times.append((time.perf_counter() - began) / 200)
print(json.dumps([compile_s, len(events.buffer) // 2, min(times), value[0], abs(gradient).sum()]))
"""


def measured(form: dict[str, object], way: str) -> list[float]:
    """Seconds of compiling, functions compiled, seconds of one evaluation, density, gradient."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PYTENSOR_FLAGS": f"base_compiledir={folder}",
            "OPENBLAS_NUM_THREADS": "1",
        }
        words = [sys.executable, "-c", ONE, json.dumps(form), way]
        done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """One line a model: both ways, and their ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(f"{'':28s} loops      PyTensor   ratio  functions   evaluation  same")
    for name, form in MODELS.items():
        pairs = [[measured(form, way) for way in ("loops", "pytensor")] for _ in range(rounds)]
        loops, other = (
            [median(x) for x in zip(*found, strict=True)] for found in zip(*pairs, strict=True)
        )
        same = max(abs(loops[i] / other[i] - 1) for i in (3, 4))
        print(
            f"{name:28s} {loops[0]:5.1f} s   {other[0]:6.1f} s   {loops[0] / other[0]:.2f}"
            f"   {loops[1]:3.0f} : {other[1]:3.0f}   {loops[2] / other[2]:.2f}        {same:.0e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
