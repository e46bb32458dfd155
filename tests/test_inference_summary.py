"""Quantiles of draws."""

import numpy as np
import pytest

from tallgrass.inference.summary import quantiles


@pytest.mark.parametrize("n_draws", [1, 2, 3, 40, 401, 2000])
def test_quantiles_are_those_of_numpy_to_the_last_bit(n_draws):
    draws = np.random.default_rng(n_draws).normal(size=(50, n_draws))
    draws[::2] = np.round(20 * draws[::2]) / 60  # shares, of which many are equal
    for tails in ((0.025, 0.975), (0.25, 0.75), (0, 0.5, 1)):
        expected = np.quantile(draws, tails, axis=1)
        np.testing.assert_array_equal(quantiles(draws, tails), expected)
