"""The dense kernel over many matrices of votes in one call: sessions, each with its own roll calls.

The matrices stand one after the other in one vector of bytes, so that the compiled code does not
depend on how many there are, and time and memory are linear in their cells. Every block is one call
of :func:`tallgrass.inference.kernel.dense.loglik_and_gradient`; the blocks share no variable.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel.dense import SOURCE_KEY as DENSE_KEY
from tallgrass.inference.kernel.dense import loglik_and_gradient


def packed(matrices: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Matrices of votes as one vector, and their shapes, shape (n_blocks, 2).

    Examples
    --------
    >>> cells, shapes = packed([np.array([[1, -1]], np.int8), np.array([[0], [1]], np.int8)])
    >>> cells.tolist(), shapes.tolist()
    ([1, -1, 0, 1], [[1, 2], [2, 1]])
    """
    cells = np.concatenate([np.ascontiguousarray(matrix).ravel() for matrix in matrices])
    return cells.astype(np.int8), np.array([matrix.shape for matrix in matrices], np.int64)


@stored_njit()
def blocks_loglik_and_gradient(  # type: ignore[no-untyped-def]
    cells, shapes, v, a, b, grad_v, grad_a, grad_b
):
    """Log-likelihood of all blocks; the gradients are written into the last three arguments.

    Parameters
    ----------
    cells : ndarray of int8
        Matrices of votes (+1, -1, 0 for not observed), one after the other, each in C order.
    shapes : ndarray of int64, shape (n_blocks, 2)
        Rows and columns of every matrix.
    v : ndarray
        Positions, block after block.
    a, b : ndarray
        Intercepts and slopes on the logit scale, block after block.
    grad_v, grad_a, grad_b : ndarray
        Overwritten; shapes of v, a and b.
    """
    total = 0.0
    cell, row, column = 0, 0, 0
    for block in range(len(shapes)):
        n, m = shapes[block, 0], shapes[block, 1]
        total += loglik_and_gradient(
            cells[cell : cell + n * m].reshape((n, m)),
            v[row : row + n],
            a[column : column + m],
            b[column : column + m],
            grad_v[row : row + n],
            grad_a[column : column + m],
            grad_b[column : column + m],
        )
        cell += n * m
        row += n
        column += m
    return total


class BlocksLogLikelihood(Op):  # type: ignore[misc]
    """PyTensor Op: (cells, shapes, v, a, b) -> log-likelihood and its gradients for v, a and b.

    Second derivatives are not defined.
    """

    __props__ = ()

    def make_node(self, cells: Any, shapes: Any, v: Any, a: Any, b: Any) -> Apply:
        """Check the types: int8 vector, matrix of 64-bit integers, three vectors of doubles."""
        cells, shapes = pt.as_tensor_variable(cells), pt.as_tensor_variable(shapes)
        if cells.type.ndim != 1 or cells.type.dtype != "int8":
            raise TypeError(f"cells must be an int8 vector, received {cells.type}")
        if shapes.type.ndim != 2 or shapes.type.dtype != "int64":
            raise TypeError(f"shapes must be an int64 matrix, received {shapes.type}")
        vectors = [pt.as_tensor_variable(x).astype("float64") for x in (v, a, b)]
        gradients = [vector.type() for vector in vectors]
        return Apply(self, [cells, shapes, *vectors], [pt.dscalar(), *gradients])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        cells, shapes, v, a, b = inputs
        gradients = [np.empty_like(x) for x in (v, a, b)]
        value = blocks_loglik_and_gradient(cells, shapes, v, a, b, *gradients)
        for storage, result in zip(outputs, [np.asarray(value), *gradients], strict=True):
            storage[0] = result

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """The value is a scalar; each gradient has the shape of its vector."""
        return [(), *shapes[2:]]

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """Gradients times the cotangent of the value."""
        known = [disconnected_type(), disconnected_type()]
        return [*known, *(cotangents[0] * gradient for gradient in outputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The votes are data: nothing is differentiated with respect to them."""
        return [*([[False] * 4] * 2), *([[True, False, False, False]] * 3)]


# As in the dense kernel: a changed source is never served from an older cache.
SOURCE_KEY = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16) ^ DENSE_KEY


@register_funcify_default_op_cache_key(BlocksLogLikelihood)  # type: ignore[untyped-decorator]
def _numba_blocks_loglik(op: BlocksLogLikelihood, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def blocks_loglik(cells, shapes, v, a, b):  # type: ignore[no-untyped-def]
        grad_v, grad_a, grad_b = np.empty_like(v), np.empty_like(a), np.empty_like(b)
        value = blocks_loglik_and_gradient(cells, shapes, v, a, b, grad_v, grad_a, grad_b)
        return np.asarray(value), grad_v, grad_a, grad_b

    return blocks_loglik, SOURCE_KEY


_blocks_loglik = BlocksLogLikelihood()


def blocks_loglik(cells: Any, shapes: Any, v: Any, a: Any, b: Any) -> Any:
    """The log-likelihood as a PyTensor scalar; see :func:`blocks_loglik_and_gradient`."""
    return _blocks_loglik(cells, shapes, v, a, b)[0]
