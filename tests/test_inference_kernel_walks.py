"""Scores of random walks over estimates: values, scales and gradients."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import multivariate_normal

from tallgrass.inference.kernel.walks import reference, walk_scores, walk_values, walks

# Two chains of three and two, a value alone, and one that two others follow.
BEFORE = np.array([-1, 0, 1, -1, 3, -1, -1, 6, 6])
TREE = np.stack([[3, 0, 1, 6, 8, 5, 4, 7, 2], BEFORE])


def example(seed=0):
    generator = np.random.default_rng(seed)
    n = len(BEFORE)
    information = generator.exponential(3.0, n)
    information[2] = 0.0  # not seen
    pull = information * generator.normal(size=n)
    z, m = generator.normal(size=(2, n))
    return information, pull, z, generator.normal(-1.0, 1.5, n), m


def test_values_and_jacobian_are_those_of_dense_matrices():
    information, pull, z, log_q, m = example()
    u, log_s = np.full((2, len(z)), np.nan)
    walk_values(TREE, information, pull, z, log_q, m, u, log_s)
    expected, expected_jacobian = reference(TREE, information, pull, z, log_q, m)
    np.testing.assert_allclose(u, expected, atol=1e-12)
    assert log_s.sum() == pytest.approx(expected_jacobian, rel=1e-12)


def test_scores_of_values_are_those_that_gave_them():
    information, pull, z, log_q, m = example(5)
    u, log_s = np.empty((2, len(z)))
    walk_values(TREE, information, pull, z, log_q, m, u, log_s)
    np.testing.assert_allclose(walk_scores(TREE, information, pull, u, log_q, m), z, atol=1e-12)


def test_scores_are_standard_normal_where_the_values_are_the_gaussian_of_walk_and_estimates():
    information, pull, z, log_q, m = example(1)
    information[2] = 0.4  # every value is seen, so that the estimates have a density

    def log_density_of_values(u):
        total = 0.0
        for j, k in enumerate(BEFORE):
            centre, spread = (m[j] if k < 0 else u[k]), np.exp(log_q[j] / 2)
            total += -(((u[j] - centre) / spread) ** 2) / 2
            total += -information[j] * (u[j] - pull[j] / information[j]) ** 2 / 2
        return total

    differences = []
    for seed in range(3):
        scores = np.random.default_rng(seed).normal(size=len(z))
        u, log_s = np.empty((2, len(z)))
        walk_values(TREE, information, pull, scores, log_q, m, u, log_s)
        normal = multivariate_normal(np.zeros(len(z))).logpdf(scores)
        differences.append(log_density_of_values(u) - normal)
    assert np.ptp(differences) < 1e-10


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA"])
def test_gradients_in_a_graph_are_those_of_differences(mode):
    values = example(2)
    weights = np.random.default_rng(3).normal(size=(2, len(BEFORE)))
    inputs = [pt.dvector() for _ in values]
    u, log_s = walks(pytensor.shared(TREE), *inputs)
    value = pt.sum(weights[0] * pt.sin(u)) + pt.sum(weights[1] * pt.cos(log_s))
    function = pytensor.function(inputs, [value, *pt.grad(value, inputs)], mode=mode)
    gradients = function(*values)[1:]
    for i, gradient in enumerate(gradients):
        for j in range(len(BEFORE)):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [x.copy() for x in values]
                moved[i][j] += step
                ends.append(function(*moved)[0])
            assert gradient[j] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


def test_the_gradient_needs_no_weight_of_the_scales():
    values = example(4)
    inputs = [pt.dvector() for _ in values]
    u, _ = walks(pytensor.shared(TREE), *inputs)
    of_means = pt.grad(pt.sum(u), inputs[4])
    function = pytensor.function(inputs, of_means, on_unused_input="ignore")
    assert (function(*values)[BEFORE >= 0] == 0).all()
