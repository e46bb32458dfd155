"""The kernel of two and three dimensions equals its reference, and in one the other kernel."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.gradient import verify_grad
from scipy.special import log_expit

from tallgrass.inference.kernel import dense, several
from tallgrass.inference.pointwise import pointwise_loglik_of_plane

ROUNDING = 3e-16  # of a vote's term


def problem(dims, n, m, seed=0, missing=0.2, scale=1.0):
    generator = np.random.default_rng(seed)
    cells = generator.choice([-1, 1], size=(n, m)).astype(np.int8)
    cells[generator.random((n, m)) < missing] = 0
    sizes = (dims, n), (m,), (dims, m)
    return cells, *(scale * generator.normal(size=size) for size in sizes)


def evaluate(votes, v, a, b):
    gradients = [np.full(x.shape, np.nan) for x in (v, a, b)]
    return several.loglik_and_gradients(votes, v, a, b, *gradients), *gradients


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 3), st.integers(1, 9), st.integers(1, 40), st.floats(0, 1), st.floats(0.01, 40)
)
def test_value_and_gradients_equal_the_reference(dims, n, m, missing, scale):
    votes, v, a, b = problem(dims, n, m, seed=n * m, missing=missing, scale=scale)
    value, *gradients = evaluate(votes, v, a, b)
    expected, *others = several.reference(votes, v, a, b)
    assert value == pytest.approx(expected, rel=1e-12, abs=ROUNDING * votes.size)
    observed = np.abs(votes).astype(float)
    sizes = np.abs(b) @ observed.T, observed.sum(axis=0), np.abs(v) @ observed
    for gradient, other, size in zip(gradients, others, sizes, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-10, atol=1e-15 * size.max(initial=0))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_more_roll_calls_than_a_block_are_summed_whole(dims):
    votes, v, a, b = problem(dims, 3, 1300, seed=5)
    value, *gradients = evaluate(votes, v, a, b)
    expected, *others = several.reference(votes, v, a, b)
    assert value == pytest.approx(expected, rel=1e-12)
    for gradient, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-10, atol=1e-12)


def test_the_reference_is_the_logistic_likelihood_of_scipy():
    votes, v, a, b = problem(2, 6, 9, seed=1)
    logits = np.outer(v[0], b[0]) + np.outer(v[1], b[1]) - a
    expected = log_expit(votes * logits)[votes != 0].sum()
    assert several.reference(votes, v, a, b)[0] == pytest.approx(expected, rel=1e-13)


def test_in_one_dimension_it_is_the_kernel_of_one_dimension():
    votes, v, a, b = problem(1, 20, 70, seed=2)
    expected = [np.empty_like(x) for x in (v[0], a, b[0])]
    value = dense.loglik_and_gradient(votes, v[0], a, b[0], *expected)
    ours, *gradients = evaluate(votes, v, a, b)
    assert ours == pytest.approx(value, rel=1e-13)
    for gradient, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient.ravel(), other, rtol=1e-12, atol=1e-13)


def test_a_second_axis_of_zeros_changes_nothing():
    votes, v, a, b = problem(2, 8, 30, seed=3)
    v[1] = 0.0
    expected = dense.reference(votes, v[0], a, b[0])[0]
    assert evaluate(votes, v, a, b)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_position_that_is_not_finite_never_gives_a_finite_value(bad, axis):
    votes, v, a, b = problem(2, 4, 6, seed=4, missing=0.0)
    v[axis, 1] = bad
    assert not np.isfinite(evaluate(votes, v, a, b)[0])


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA"])
@pytest.mark.parametrize("dims", [2, 3])
def test_the_gradient_of_the_op_is_that_of_numeric_differences(dims, mode):
    votes, v, a, b = problem(dims, 4, 6, seed=6)
    cells = pytensor.shared(votes)

    def loglik(a, *axes):
        return several.several_vote_loglik(cells, axes[:dims], a, axes[dims:])

    verify_grad(loglik, [a, *v, *b], rng=np.random.default_rng(0), mode=mode, abs_tol=1e-5)


def test_axes_that_do_not_go_together_are_refused():
    x = pt.dvector()
    votes = pytensor.shared(np.ones((2, 2), np.int8))
    with pytest.raises(ValueError, match="two or three axes"):
        several.several_vote_loglik(votes, [x], x, [x])
    with pytest.raises(ValueError, match="two or three axes"):
        several.several_vote_loglik(votes, [x, x], x, [x])


def test_votes_that_are_not_int8_are_refused():
    x = pt.dvector()
    with pytest.raises(TypeError, match="int8 matrix"):
        several.several_vote_loglik(pt.dmatrix(), [x, x], x, [x, x])


def test_single_votes_in_two_dimensions_equal_the_formula_in_numpy():
    generator = np.random.default_rng(7)
    votes = generator.choice(np.array([-1, 1], np.int8), 30)
    v, a, b = (3 * generator.normal(size=s) for s in ((2, 50), (30, 50), (2, 30, 50)))
    columns = generator.permutation(30)
    z = votes[:, None] * (v[0] * b[0] + v[1] * b[1] - a)[columns]
    out = np.empty_like(z)
    pointwise_loglik_of_plane(votes, columns, (v[0], v[1]), a, (b[0], b[1]), out)
    np.testing.assert_allclose(out, -np.logaddexp(0, -z), rtol=1e-12)
