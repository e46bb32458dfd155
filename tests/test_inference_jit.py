"""Compiled functions that are stored for the user under a key of their sources."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

_CALLED = """
from tallgrass.inference.jit import stored_njit

@stored_njit()
def step(x):
    return {step}
"""
_CALLER = """
from {called} import step
from tallgrass.inference.jit import stored_njit

@stored_njit({options})
def twice(x):
    return step(step(x))
"""


class Checkout:
    """A folder with two modules, one of which calls a compiled function of the other one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, step: str = "x + 1", options: str = "") -> tuple[float, bool]:
        """The result in another process, and whether its code was stored already."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "called.py").write_text(_CALLED.format(step=step))
        (self.folder / "caller.py").write_text(_CALLER.format(called="called", options=options))
        code = "from caller import twice; print(twice(1.0), bool(twice.stats.cache_hits))"
        path = os.pathsep.join([str(self.folder), str(Path(__file__).parents[1])])
        flags = f"base_compiledir={self.folder.parent / 'cache'}"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": path, "PYTENSOR_FLAGS": flags},
            check=True,
            capture_output=True,
            text=True,
        )
        result, stored = done.stdout.split()
        return float(result), stored == "True"


@pytest.mark.slow
def test_another_checkout_of_the_same_source_finds_the_code(tmp_path):
    assert Checkout(tmp_path / "a").run() == (3.0, False)
    assert Checkout(tmp_path / "b").run() == (3.0, True)
    assert not list((tmp_path / "a").rglob("*.nbc"))


@pytest.mark.slow
def test_a_change_of_a_function_that_is_called_or_of_an_option_makes_new_code(tmp_path):
    checkout = Checkout(tmp_path / "a")
    assert checkout.run() == (3.0, False)
    assert checkout.run(step="x * 5") == (25.0, False)
    assert checkout.run(options="fastmath=True") == (3.0, False)
    assert checkout.run() == (3.0, True)


@pytest.mark.parametrize(
    "module",
    ["inference.kernel.dense", "inference.pointwise", "inference.ranks", "items.engines.sweeps"],
)
def test_no_compiled_function_of_ours_is_stored_beside_its_source(module):
    module = importlib.import_module(f"tallgrass.{module}")
    compiled = [x for x in vars(module).values() if hasattr(x, "py_func")]
    stored = [x.stats.cache_path for x in compiled]
    assert any(stored)
    assert not any("__pycache__" in str(path) for path in stored)
