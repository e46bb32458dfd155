"""Log-likelihood and gradient of votes in two or three dimensions, in one pass over the votes.

For positions ``v[k]`` and slopes ``b[k]`` of axis k = 1 .. K the model is
``P(yea) = 1 / (1 + exp(-(sum_k b[k, j] v[k, i] - a[j])))`` and, as in
:mod:`tallgrass.inference.kernel.dense`, whose exponential it uses,

    z = S (sum_k b_k v_k - a),   log L = sum over S != 0 of  min(z, 0) - log(1 + exp(-|z|)),
    r = S (1 - P(the observed vote)),   d/dv_k = r . b_k,   d/da = -sum r,   d/db_k = v_k . r.

An axis more costs one multiplication a vote for the logit and two for the gradient; the exponential
is shared. ``reference`` states the same in plain NumPy; the tests hold the two together, and this
kernel with one axis to the one-dimensional one.
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
from tallgrass.inference.kernel import dense
from tallgrass.inference.kernel.dense import _BLOCK, _CERTAIN, _FASTMATH, _logits, residuals

Floats = NDArray[np.float64]

MOST_DIMENSIONS = 3


@stored_njit(fastmath=_FASTMATH)
def _logits_2(row, x, y, a, b, c, z):  # type: ignore[no-untyped-def]
    for j in range(len(z)):
        sign = float(row[j])
        logit = sign * (x * b[j] + y * c[j] - a[j])
        z[j] = logit if sign != 0.0 else _CERTAIN


@stored_njit(fastmath=_FASTMATH)
def _logits_3(row, place, a, slopes, z):  # type: ignore[no-untyped-def]
    x, y, u = place
    b, c, d = slopes  # a tuple, because the rows of a slice of a matrix are not known to be dense
    for j in range(len(z)):
        sign = float(row[j])
        logit = sign * (x * b[j] + y * c[j] + u * d[j] - a[j])
        z[j] = logit if sign != 0.0 else _CERTAIN


@stored_njit(fastmath=_FASTMATH)
def _signed(row, residual, grad_a):  # type: ignore[no-untyped-def]
    """Give the residuals the sign of their vote, and subtract them from the gradient of a."""
    for j in range(len(residual)):
        residual[j] *= float(row[j])
        grad_a[j] -= residual[j]


@stored_njit(fastmath=_FASTMATH)
def _add_gradient(residual, position, b, grad_b):  # type: ignore[no-untyped-def]
    """Add a legislator's part to the slopes' gradients of one axis; its own is returned."""
    grad = 0.0
    for j in range(len(residual)):
        grad += residual[j] * b[j]
        grad_b[j] += residual[j] * position
    return grad


@stored_njit(fastmath=_FASTMATH)
def loglik_and_gradients(votes, v, a, b, grad_v, grad_a, grad_b):  # type: ignore[no-untyped-def]
    """Log-likelihood; the gradients are written into the last three arguments.

    Parameters
    ----------
    votes : ndarray of int8, shape (n_legislators, n_rollcalls)
        +1, -1 or 0 (not observed), C order.
    v : ndarray, shape (n_dimensions, n_legislators)
        Positions; one to three dimensions.
    a : ndarray, shape (n_rollcalls,)
        Intercepts, on the logit scale.
    b : ndarray, shape (n_dimensions, n_rollcalls)
        Slopes, in logits per unit of v.
    grad_v, grad_a, grad_b : ndarray
        Overwritten; shapes of v, a and b.
    """
    n_legislators, n_rollcalls = votes.shape
    dims = len(v)
    total = 0.0
    grad_v[:] = 0.0
    grad_a[:] = 0.0
    grad_b[:] = 0.0
    buffer = np.empty(_BLOCK)
    for start in range(0, n_rollcalls, _BLOCK):
        stop = min(start + _BLOCK, n_rollcalls)
        a_block, grad_a_block = a[start:stop], grad_a[start:stop]
        z = buffer[: stop - start]
        for i in range(n_legislators):
            row = votes[i, start:stop]
            if dims == 1:
                _logits(row, v[0, i], a_block, b[0, start:stop], z)
            elif dims == 2:
                _logits_2(row, v[0, i], v[1, i], a_block, b[0, start:stop], b[1, start:stop], z)
            else:
                place = (v[0, i], v[1, i], v[2, i])
                slopes = (b[0, start:stop], b[1, start:stop], b[2, start:stop])
                _logits_3(row, place, a_block, slopes, z)
            total += residuals(z)
            _signed(row, z, grad_a_block)
            for k in range(dims):
                part = _add_gradient(z, v[k, i], b[k, start:stop], grad_b[k, start:stop])
                grad_v[k, i] += part
    return total


def reference(
    votes: NDArray[np.int8], v: Floats, a: Floats, b: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """The log-likelihood and its gradients for v, a and b, in plain NumPy.

    Shapes as in :func:`loglik_and_gradients`, of any number of dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> votes = np.array([[1, -1]], np.int8)
    >>> reference(votes, np.zeros((2, 1)), np.zeros(2), np.ones((2, 2)))[0]
    -1.3862943611198906
    """
    z = votes * (v.T @ b - a)
    e = np.exp(-np.abs(z))
    value = np.sum(np.minimum(z, 0.0) - np.log1p(e), where=votes != 0)
    residual = votes * np.where(z > 0, e, 1.0) / (1.0 + e)
    return float(value), b @ residual.T, -residual.sum(axis=0), v @ residual


class SeveralVoteLogLikelihood(Op):  # type: ignore[misc]
    """PyTensor Op: (votes, a, v_1 .. v_K, b_1 .. b_K) -> log-likelihood and its gradients.

    The outputs are the value and the gradients of a, v_1 .. v_K, b_1 .. b_K. Every axis has vectors
    of its own, because PyTensor takes long to compile the gradient of a joined matrix. Second
    derivatives are not defined.

    Parameters
    ----------
    dims : int
        Number of axes K, 2 or 3.
    """

    __props__ = ("dims",)

    def __init__(self, dims: int) -> None:
        self.dims = dims

    def make_node(self, votes: Any, *vectors: Any) -> Apply:
        """Check the types: int8 votes matrix and ``2 K + 1`` vectors of doubles."""
        votes = pt.as_tensor_variable(votes)
        if votes.type.ndim != 2 or votes.type.dtype != "int8":
            raise TypeError(f"votes must be an int8 matrix, received {votes.type}")
        if len(vectors) != 2 * self.dims + 1:
            raise TypeError(f"{2 * self.dims + 1} vectors are needed, received {len(vectors)}")
        vectors = tuple(pt.as_tensor_variable(x).astype("float64") for x in vectors)
        return Apply(self, [votes, *vectors], [pt.dscalar(), *(x.type() for x in vectors)])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        votes, a, *axes = inputs
        v, b = np.stack(axes[: self.dims]), np.stack(axes[self.dims :])
        gradients = [np.empty_like(x) for x in (v, a, b)]
        value = loglik_and_gradients(votes, v, a, b, *gradients)
        results = [np.asarray(value), gradients[1], *gradients[0], *gradients[2]]
        for storage, result in zip(outputs, results, strict=True):
            storage[0] = result

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """The value is a scalar; each gradient has the shape of its vector."""
        return [(), *shapes[1:]]

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """Gradients times the cotangent of the value."""
        return [disconnected_type(), *(cotangents[0] * gradient for gradient in outputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The votes are data: nothing is differentiated with respect to them."""
        n = 2 * self.dims + 2
        return [[False] * n, *([[True, *([False] * (n - 1))]] * (n - 1))]


# Both sources, because this kernel calls functions of the other one.
_SOURCE = Path(__file__).read_bytes() + str(dense.SOURCE_KEY).encode()
SOURCE_KEY = int(hashlib.sha256(_SOURCE).hexdigest()[:12], 16)


@register_funcify_default_op_cache_key(SeveralVoteLogLikelihood)  # type: ignore[untyped-decorator]
def _numba_several(op: SeveralVoteLogLikelihood, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def two(votes, a, v_1, v_2, b_1, b_2):  # type: ignore[no-untyped-def]
        v, b = np.stack((v_1, v_2)), np.stack((b_1, b_2))
        grad_v, grad_a, grad_b = np.empty_like(v), np.empty_like(a), np.empty_like(b)
        value = loglik_and_gradients(votes, v, a, b, grad_v, grad_a, grad_b)
        return np.asarray(value), grad_a, grad_v[0], grad_v[1], grad_b[0], grad_b[1]

    @numba_njit
    def three(votes, a, v_1, v_2, v_3, b_1, b_2, b_3):  # type: ignore[no-untyped-def]
        v, b = np.stack((v_1, v_2, v_3)), np.stack((b_1, b_2, b_3))
        grad_v, grad_a, grad_b = np.empty_like(v), np.empty_like(a), np.empty_like(b)
        value = loglik_and_gradients(votes, v, a, b, grad_v, grad_a, grad_b)
        return (
            np.asarray(value),
            grad_a,
            *(grad_v[0], grad_v[1], grad_v[2]),
            *(grad_b[0], grad_b[1], grad_b[2]),
        )

    return (two if op.dims == 2 else three), SOURCE_KEY


def several_vote_loglik(votes: Any, v: Sequence[Any], a: Any, b: Sequence[Any]) -> Any:
    """The log-likelihood as a PyTensor scalar.

    Parameters
    ----------
    votes : int8 matrix, shape (n_legislators, n_rollcalls)
        +1, -1 or 0.
    v, b : sequence of vectors
        Positions and slopes of each axis, two or three.
    a : vector
        Intercepts.

    Raises
    ------
    ValueError
        When there are not two or three axes, or not as many slopes as positions.
    """
    if not 2 <= len(v) <= MOST_DIMENSIONS or len(v) != len(b):
        raise ValueError(f"two or three axes are needed, received {len(v)} and {len(b)}")
    return SeveralVoteLogLikelihood(len(v))(votes, a, *v, *b)[0]
