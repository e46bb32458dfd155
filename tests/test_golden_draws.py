"""Seeded draws of every model and engine are those that were kept (``golden/draws.txt``)."""

from collections.abc import Mapping

import numpy as np
import pytest
from golden_draws import MODELS, draws, kept

# Room for rounding, which differs by processor; another stream of random numbers has none.
RTOL = 1e-6
QUICK = ("map", "mml")


def differences(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> list[str]:
    """One line for each variable whose values are not those expected: how many, and the worst."""
    lines = [f"{name} is in one of the two only" for name in found.keys() ^ expected.keys()]
    for name in found.keys() & expected.keys():
        values, wanted = np.ravel(found[name]), expected[name]
        if values.shape != wanted.shape:
            lines.append(f"{name} has {values.size} values, not {wanted.size}")
            continue
        off = ~np.isclose(values, wanted, rtol=RTOL, atol=0)
        if off.any():
            worst = int(np.argmax(np.abs(values - wanted) / np.abs(wanted)))
            pair = f"{values[worst]:.17g}, not {wanted[worst]:.17g}"
            lines.append(f"{name}: {off.sum()} of {off.size} differ, most at {worst}: {pair}")
    return sorted(lines)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MODELS],
)
def test_draws_are_those_that_were_kept(name):
    expected = {variable: values for (model, variable), values in kept().items() if model == name}
    assert differences(draws(name), expected) == []


def test_every_model_has_draws_that_were_kept():
    assert {model for model, _ in kept()} == set(MODELS)


def test_a_difference_says_which_value_is_another_and_by_how_much():
    expected = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.0]), "c": np.array([0.5])}
    found = {"a": np.array([1.0, 2.1, 3.0]), "b": np.array([1.0, 2.0])}
    assert differences(found, expected) == [
        "a: 1 of 3 differ, most at 1: 2.1000000000000001, not 2",
        "b has 2 values, not 1",
        "c is in one of the two only",
    ]
