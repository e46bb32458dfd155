import math

import numba as nb
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import get_mode
from pytensor.gradient import DisconnectedInputError, verify_grad
from scipy.special import log_expit

from tallgrass.inference.kernel import dense as kernel

# Every vote's term is rounded to within this, whatever its size: log(1 + e) of e < 1e-16 is 0.
ROUNDING = 3e-16


def evaluate(votes, v, a, b):
    """Value and gradients as the compiled loop gives them; the gradients start as garbage."""
    gradients = [np.full(len(x), np.nan) for x in (v, a, b)]
    return kernel.loglik_and_gradient(votes, v, a, b, *gradients), *gradients


@nb.njit
def exponentials(x):
    return np.array([kernel._exp_of_negative(value) for value in x])


def problem(n, m, seed=0, missing=0.2, scale=1.0):
    generator = np.random.default_rng(seed)
    cells = generator.choice([-1, 1], size=(n, m)).astype(np.int8)
    cells[generator.random((n, m)) < missing] = 0
    v, a, b = (scale * generator.normal(size=size) for size in (n, m, m))
    return cells, v, a, b


def assert_agrees(votes, v, a, b):
    """Value to 1e-12 and gradients to 1e-10, relative to the sizes of their terms."""
    value, *gradients = evaluate(votes, v, a, b)
    expected, *expected_gradients = kernel.reference(votes, v, a, b)
    n_votes = np.count_nonzero(votes)
    assert value == pytest.approx(expected, rel=1e-12, abs=ROUNDING * n_votes)
    # A sum of terms that cancel is as exact as its largest terms.
    observed = np.abs(votes).astype(float)
    sizes = observed @ np.abs(b), observed.sum(axis=0), np.abs(v) @ observed
    for gradient, other, size in zip(gradients, expected_gradients, sizes, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-10, atol=1e-15 * size.max(initial=0))


@pytest.mark.parametrize("seed", range(5))
def test_value_and_gradients_equal_the_reference_on_a_chamber(seed):
    votes, v, a, b = problem(125, 226, seed, scale=1.5)
    value, *gradients = evaluate(votes, v, a, b)
    expected, *expected_gradients = kernel.reference(votes, v, a, b)
    assert value == pytest.approx(expected, rel=1e-12, abs=0)
    for gradient, other in zip(gradients, expected_gradients, strict=True):
        assert np.abs(gradient - other).max() <= 1e-10 * np.abs(other).max()


@given(
    n=st.integers(1, 12),
    m=st.integers(1, 40) | st.sampled_from([511, 512, 513, 1023, 1024, 1025, 1600]),
    seed=st.integers(0, 2**32 - 1),
    missing=st.sampled_from([0.0, 0.2, 0.95, 1.0]),
    scale=st.sampled_from([0.0, 1e-8, 0.3, 1.0, 5.0, 40.0]),
)
@settings(max_examples=2 * settings().max_examples)
def test_value_and_gradients_equal_the_reference_for_any_shape_and_missingness(
    n, m, seed, missing, scale
):
    assert_agrees(*problem(n, m, seed, missing, scale))


def test_the_reference_is_the_logistic_likelihood_of_scipy():
    votes, v, a, b = problem(9, 14, seed=3)
    observed = votes != 0
    expected = log_expit(votes * (np.outer(v, b) - a))[observed].sum()
    assert kernel.reference(votes, v, a, b)[0] == pytest.approx(expected, rel=1e-14)


def test_one_vote():
    votes = np.array([[-1]], np.int8)
    v, a, b = np.array([0.7]), np.array([-0.4]), np.array([1.3])
    value, grad_v, grad_a, grad_b = evaluate(votes, v, a, b)
    z = 1.3 * 0.7 + 0.4
    p_yea = 1 / (1 + math.exp(-z))
    assert value == pytest.approx(math.log(1 - p_yea), rel=1e-14)
    assert grad_v == pytest.approx([-p_yea * 1.3], rel=1e-14)
    assert grad_a == pytest.approx([p_yea], rel=1e-14)
    assert grad_b == pytest.approx([-p_yea * 0.7], rel=1e-14)


@pytest.mark.parametrize("z", [0.0, 30.0, 36.8, 40.0, 700.0, 709.0, 745.0, 1e3, 1e4])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("vote", [1, -1])
def test_extreme_logits_are_finite_and_right(z, side, vote):
    # log P(vote) is log expit(vote * side * z): 0 for a sure vote that came, -z for one that did
    # not. 600 of them, so that a block's product is taken too.
    m = 600
    votes = np.full((1, m), vote, np.int8)
    one, a, b = np.ones(1), np.zeros(m), np.full(m, side * z)
    value, grad_v, grad_a, grad_b = evaluate(votes, one, a, b)
    surprise = 1 / (1 + math.exp(min(vote * side * z, 700.0)))
    assert value == pytest.approx(m * log_expit(vote * side * z), rel=1e-12, abs=ROUNDING * m)
    np.testing.assert_allclose(grad_a, -vote * surprise, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(grad_b, vote * surprise, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(grad_v, vote * surprise * m * side * z, rtol=1e-12, atol=1e-290)


def test_extreme_logits_beside_ordinary_ones_do_not_spoil_them():
    votes, v, a, b = problem(8, 700, seed=5)
    b[::7] *= 1e4
    a[3::11] -= 1e4
    assert np.abs(np.outer(v, b) - a).max() > 1e4
    assert_agrees(votes, v, a, b)


def test_a_legislator_without_votes_and_a_roll_call_without_votes_add_nothing():
    votes, v, a, b = problem(6, 9, seed=1, missing=0.0)
    votes[2], votes[:, 5] = 0, 0
    value, grad_v, grad_a, grad_b = evaluate(votes, v, a, b)
    rows, columns = np.delete(np.arange(6), 2), np.delete(np.arange(9), 5)
    part = np.ascontiguousarray(votes[np.ix_(rows, columns)])
    smaller = evaluate(part, v[rows], a[columns], b[columns])
    assert value == pytest.approx(smaller[0], rel=1e-14)
    assert (grad_v[2], grad_a[5], grad_b[5]) == (0, 0, 0)
    np.testing.assert_allclose(grad_v[rows], smaller[1], rtol=1e-13)


def test_a_roll_call_with_one_vote_has_the_gradient_of_that_vote():
    votes, v, a, b = problem(7, 3, seed=2)
    votes[:, 1] = 0
    votes[4, 1] = 1
    _, _, grad_a, grad_b = evaluate(votes, v, a, b)
    p_nay = 1 / (1 + math.exp(b[1] * v[4] - a[1]))
    assert grad_a[1] == pytest.approx(-p_nay, rel=1e-13)
    assert grad_b[1] == pytest.approx(v[4] * p_nay, rel=1e-13)


@pytest.mark.parametrize("shape", [(1, 1), (5, 8), (3, 1500)])
def test_a_matrix_without_votes_has_log_likelihood_zero(shape):
    value, *gradients = evaluate(*problem(*shape, missing=1.0))
    assert value == 0
    assert all(not gradient.any() for gradient in gradients)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["v", "a", "b"])
def test_an_input_that_is_not_finite_never_gives_a_finite_value(bad, which):
    votes, v, a, b = problem(5, 530, seed=4, missing=0.0)
    {"v": v, "a": a, "b": b}[which][-1] = bad
    value = evaluate(votes, v, a, b)[0]
    assert not math.isfinite(value)
    assert math.isnan(value) or not math.isnan(bad)


def test_the_arguments_are_not_changed_and_may_be_read_only():
    arguments = problem(4, 6)
    for x in arguments:
        x.flags.writeable = False
    before = [x.copy() for x in arguments]
    value, *_ = evaluate(*arguments)
    assert value == pytest.approx(kernel.reference(*arguments)[0], rel=1e-12)
    assert all(np.array_equal(x, y) for x, y in zip(arguments, before, strict=True))


def test_the_exponential_is_right_to_five_parts_in_1e16():
    x = -np.concatenate([np.linspace(0, 700, 100_001), np.geomspace(1e-300, 1, 2_000), [0.0]])
    computed = exponentials(x)
    expected = np.exp(x.astype(np.longdouble))
    # Where long double is no longer than double, the expected values are rounded too.
    rounding = 0 if np.finfo(np.longdouble).eps < np.finfo(float).eps else 1.2e-16
    relative = np.abs((computed - expected) / expected).astype(float)
    assert relative.max() < 5e-16 + rounding
    assert computed[-1] == 1.0


def test_the_exponential_below_minus_700_is_positive_and_negligible():
    small = exponentials(np.array([-700.1, -709.0, -745.0, -1e4, -np.inf]))
    assert np.all((small > 0) & (small <= 1.0001 * math.exp(-700)))


# The PyTensor Op.

votes_in, v_in, a_in, b_in = pt.lmatrix().astype("int8").type(), *pt.dvectors("v", "a", "b")
MODES = ["NUMBA", "FAST_RUN", "FAST_COMPILE"]


def shaped(scale=1.0):
    """A graph with the Op somewhere in it: a scalar with a non-linear way in and out."""
    value = kernel.vote_loglik(votes_in, pt.tanh(v_in), a_in + b_in, pt.exp(b_in))
    return scale * pt.log1p(value**2) + pt.sum(v_in**2)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pytensor_gives_the_value_and_gradients_of_the_reference(mode):
    value = kernel.vote_loglik(votes_in, v_in, a_in, b_in)
    outputs = [value, *pt.grad(value, [v_in, a_in, b_in])]
    function = pytensor.function([votes_in, v_in, a_in, b_in], outputs, mode=get_mode(mode))
    arguments = problem(13, 21, seed=6)
    for result, expected in zip(function(*arguments), kernel.reference(*arguments), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-13)


def test_the_modes_agree_on_the_gradient_through_a_larger_graph():
    outputs = [shaped(), *pt.grad(shaped(), [v_in, a_in, b_in])]
    arguments = problem(6, 8, seed=7)
    first, *others = (
        pytensor.function([votes_in, v_in, a_in, b_in], outputs, mode=get_mode(mode))(*arguments)
        for mode in MODES
    )
    for other in others:
        for x, y in zip(first, other, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12)


def test_the_gradient_through_a_larger_graph_is_that_of_numeric_differences():
    votes, *point = problem(5, 7, seed=8)
    data = pt.constant(votes)

    def graph(v, a, b):
        return pytensor.graph.replace.clone_replace(
            shaped(0.3), {votes_in: data, v_in: v, a_in: a, b_in: b}
        )

    verify_grad(graph, point, rng=np.random.default_rng(0), mode=get_mode("FAST_COMPILE"))


@pytest.mark.parametrize("shape", [(1, 1), (4, 6), (2, 520)])
def test_the_gradient_of_the_op_is_that_of_numeric_differences(shape):
    votes, *point = problem(*shape, seed=9)
    verify_grad(
        lambda v, a, b: kernel.vote_loglik(votes, v, a, b),
        point,
        rng=np.random.default_rng(1),
        mode=get_mode("FAST_COMPILE"),
    )


def test_second_derivatives_raise_and_are_not_silently_zero():
    value = kernel.vote_loglik(votes_in, v_in, a_in, b_in)
    gradient = pt.grad(value, v_in)
    with pytest.raises(DisconnectedInputError):
        pt.grad(gradient.sum(), v_in)


@pytest.mark.parametrize("dtype", ["int64", "float64", "uint8", "bool"])
def test_votes_that_are_not_int8_are_refused(dtype):
    votes, v, a, b = problem(3, 4)
    with pytest.raises(TypeError, match="int8 matrix"):
        kernel.vote_loglik(np.abs(votes).astype(dtype), v, a, b)


def test_votes_that_are_no_matrix_are_refused():
    votes, v, a, b = problem(3, 4)
    with pytest.raises(TypeError, match="int8 matrix"):
        kernel.vote_loglik(votes[0], v, a, b)


@pytest.mark.parametrize("mode", MODES)
def test_strided_and_read_only_arrays_give_the_same_value(mode):
    votes, v, a, b = problem(6, 10, seed=10)
    function = pytensor.function(
        [votes_in, v_in, a_in, b_in],
        kernel.vote_loglik(votes_in, v_in, a_in, b_in),
        mode=get_mode(mode),
    )
    strided = [np.repeat(x, 2)[::2] for x in (v, a, b)]
    transposed = np.asfortranarray(votes)
    transposed.flags.writeable = False
    for x in strided:
        x.flags.writeable = False
    expected = kernel.reference(votes, v, a, b)[0]
    assert float(function(transposed, *strided)) == pytest.approx(expected, rel=1e-12)


def test_single_precision_parameters_are_raised_to_double():
    votes, *point = problem(3, 4, seed=11)
    single = [x.astype(np.float32) for x in point]
    value = kernel.vote_loglik(votes, *map(pt.constant, single))
    assert value.type.dtype == "float64"
    expected = kernel.reference(votes, *(x.astype(float) for x in single))[0]
    assert float(value.eval(mode="FAST_COMPILE")) == pytest.approx(expected, rel=1e-12)
