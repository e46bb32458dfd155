"""Many matrices of votes in one call are the sum of the dense kernel over each."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from tallgrass.inference.kernel.blocks import blocks_loglik, blocks_loglik_and_gradient, packed
from tallgrass.inference.kernel.dense import reference

SHAPES = ((3, 5), (1, 700), (4, 2))


def example(seed=0):
    rng = np.random.default_rng(seed)
    matrices = [rng.integers(-1, 2, shape).astype(np.int8) for shape in SHAPES]
    n, m = np.sum(SHAPES, axis=0)
    return matrices, rng.normal(size=n), rng.normal(size=m), rng.normal(size=m)


def expected(matrices, v, a, b):
    total, parts, row, column = 0.0, [], 0, 0
    for matrix in matrices:
        n, m = matrix.shape
        rows, columns = slice(row, row + n), slice(column, column + m)
        value, *gradients = reference(matrix, v[rows], a[columns], b[columns])
        total += value
        parts.append(gradients)
        row, column = row + n, column + m
    return total, [np.concatenate(part) for part in zip(*parts, strict=True)]


def test_value_and_gradients_are_those_of_the_blocks():
    matrices, v, a, b = example()
    gradients = [np.full_like(x, np.nan) for x in (v, a, b)]
    value = blocks_loglik_and_gradient(*packed(matrices), v, a, b, *gradients)
    total, wanted = expected(matrices, v, a, b)
    assert value == pytest.approx(total, rel=1e-13)
    for found, right in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-12)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA"])
def test_the_op_gives_value_and_gradient_in_a_graph(mode):
    matrices, *values = example(1)
    cells, shapes = map(pytensor.shared, packed(matrices))
    inputs = [pt.dvector() for _ in values]
    loglik = blocks_loglik(cells, shapes, *inputs)
    function = pytensor.function(inputs, [loglik, *pt.grad(loglik, inputs)], mode=mode)
    value, *gradients = function(*values)
    total, wanted = expected(matrices, *values)
    assert float(value) == pytest.approx(total, rel=1e-13)
    for found, right in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-12)


def test_votes_of_another_type_are_refused():
    matrices, v, a, b = example()
    cells, shapes = packed(matrices)
    with pytest.raises(TypeError, match="int8 vector"):
        blocks_loglik(cells.astype(np.int64), shapes, v, a, b)
    with pytest.raises(TypeError, match="int64 matrix"):
        blocks_loglik(cells, shapes.astype(np.float64), v, a, b)
