"""Models of users: from stored code of loops, and as nutpie compiles them, in turn.

Run: python benchmarks/users_models.py. The models are those of tests/plain_pymc_models.py. Every
figure is of a process of its own: seconds of one processor, imports left out, when nothing is
stored, and then once more; and the time of an evaluation with its gradient.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ONE = """
import ctypes, gc, json, sys, time
from types import SimpleNamespace
import numpy as np
import nutpie
import plain_pymc_models as models
from tallgrass.inference import compiled  # its imports are not counted

gc.disable()  # as the commands do
graph = models.LOOPS[sys.argv[1]]()
names = tuple(x.name for x in graph.free_RVs + graph.deterministics)
shapes = {name: ((), tuple(graph[name].shape.eval())) for name in names}
model = SimpleNamespace(graph=graph, public=names, start=None, variables=shapes)
began = time.process_time()
if sys.argv[2] == "loops":
    code = compiled.compile_plain(model).model
else:
    code = nutpie.compile_pymc_model(graph, var_names=list(names))
seconds = time.process_time() - began
x = code.initial_point_func(1)
doubles = ctypes.POINTER(ctypes.c_double)
value, gradient = np.empty(1), np.empty(len(x))
arguments = [len(x), *(a.ctypes.data_as(doubles) for a in (x, gradient, value))]
arguments.append(ctypes.c_void_p(code.user_data.ctypes.data))
times = []
for _ in range(9):
    began = time.perf_counter()
    for _ in range(500):
        code.compiled_logp_func.ctypes(*arguments)
    times.append((time.perf_counter() - began) / 500)
print(json.dumps([seconds, min(times), value[0], abs(gradient).sum()]))
"""


def measured(name: str, way: str, folder: str) -> list[float]:
    """Seconds of compiling, seconds of one evaluation, density, sum of the gradient."""
    environment = os.environ | {
        "PYTENSOR_FLAGS": f"base_compiledir={folder}",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[1] / "tests"),
    }
    words = [sys.executable, "-W", "ignore", "-c", ONE, name, way]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """One line a model: first time and next time, both ways."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from plain_pymc_models import LOOPS

    print(f"{'':20s} first: loops, nutpie   next: loops, nutpie   evaluation   differ by")
    for name in LOOPS:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            ours = [measured(name, "loops", one) for _ in range(2)]
            its = [measured(name, "nutpie", other) for _ in range(2)]
        same = max(abs(ours[1][i] / its[1][i] - 1) for i in (2, 3))
        print(
            f"{name:20s}    {ours[0][0]:5.1f} s  {its[0][0]:5.1f} s      {ours[1][0]:5.2f} s "
            f" {its[1][0]:5.1f} s        {ours[1][1] / its[1][1]:.2f}       {same:.0e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
