"""A compiled gradient that is wrong is seen before anything is sampled with it."""

from types import SimpleNamespace

import numba as nb
import numpy as np
import pytest
from plane_recovery import simulated

from tallgrass.errors import SamplingError
from tallgrass.inference import compiled
from tallgrass.inference.gradient_check import gradient_agrees
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start

DOUBLES = nb.types.CPointer(nb.types.double)


def code(slope=1.0, power=2.0, n=5):
    """What nutpie takes, of the density -sum |x|^power, with a gradient of ``slope`` times it."""

    @nb.cfunc(nb.types.int64(nb.types.uint64, DOUBLES, DOUBLES, DOUBLES, nb.types.voidptr))
    def logp(dim, x_, gradient_, value_, data):
        x, gradient = nb.carray(x_, (dim,)), nb.carray(gradient_, (dim,))
        value = nb.carray(value_, (1,))
        value[0] = 0.0
        for i in range(dim):
            value[0] -= abs(x[i]) ** power
            gradient[i] = -power * abs(x[i]) ** (power - 1) * np.sign(x[i])
        gradient[0] *= slope
        return 0 if np.isfinite(value[0]) else 4

    return SimpleNamespace(
        compiled_logp_func=logp,
        user_data=np.zeros(1),
        initial_point_func=lambda seed: np.random.default_rng(seed).normal(size=n),
    )


@pytest.mark.parametrize("power", [1.0, 2.0, 3.5])
def test_a_gradient_that_is_right_agrees_with_differences(power):
    one = code(power=power)
    assert all(gradient_agrees(one, seed) for seed in range(40))


@pytest.mark.parametrize("slope", [0.5, -1.0, 2.0, np.nan])
def test_a_gradient_that_is_wrong_in_one_entry_does_not(slope):
    one = code(slope)
    agree = [gradient_agrees(one, seed) for seed in range(40)]
    assert agree.count(False) >= 38  # a start may have that entry at 0


def test_of_a_density_that_is_not_finite_nothing_is_said():
    broken = code(slope=-1.0)
    broken.initial_point_func = lambda _: np.full(5, np.inf)
    assert gradient_agrees(broken)


def test_a_gradient_that_is_wrong_both_ways_is_one_clear_error(monkeypatch):
    votes, _ = simulated(3, sizes=(8, 9), rollcalls=40)
    model = build_model(votes, ModelSpec(model="flat"), make_start(votes, "pca"))
    wrong = SimpleNamespace(model=code(slope=2.0))
    monkeypatch.setattr(compiled, "_compile_model", lambda *_: wrong)

    with pytest.raises(SamplingError, match="gradient"):
        compiled.compile_model(model)
