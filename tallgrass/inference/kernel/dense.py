"""Log-likelihood and gradient of the two-parameter logistic model in one pass over the votes.

For votes ``S[i, j]`` in {+1, -1, 0}, positions ``v``, intercepts ``a`` and slopes ``b`` the model
is ``P(yea) = 1 / (1 + exp(-(b[j] v[i] - a[j])))`` and

    z = S (b v - a),   log L = sum over S != 0 of  min(z, 0) - log(1 + exp(-|z|)),
    r = S (1 - P(the observed vote)),   d/dv = r . b,   d/da = -sum r,   d/db = v . r.

One exponential a vote serves the value and the gradient. Each factor ``1 + exp(-|z|)`` lies in
(1, 2], so a product of up to 1000 of them is finite and one logarithm serves a whole block.
A vote that is not observed has a logit so high that its factor is exactly 1.
``reference`` states the same in plain NumPy; the tests hold the two together.
"""

import hashlib
import math
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import pytensor.tensor as pt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from tallgrass.inference.jit import stored_njit

Floats = NDArray[np.float64]

# Columns a block: the product of that many factors in (1, 2] stays below 2**512, and the block's
# logits, slopes, intercepts and gradient sums (20 KiB) stay in the first-level cache.
_BLOCK = 512

_CERTAIN = 750.0  # logit of a vote that is not observed: 1 + exp(-750) is 1
_LOG2E = 1.4426950408889634
# log(2) in two parts, the first with trailing zero bits, so that k * _LN2_HIGH is exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10

# Reassociation lets LLVM sum in vector lanes. No "nnan" and "ninf": a sampler may propose a point
# whose value is not finite, and has to see that.
_FASTMATH = {"reassoc", "contract", "nsz", "arcp"}


@intrinsic  # type: ignore[untyped-decorator]
def _round(typing_context: Any, x: Any) -> Any:
    """Nearest integer. A plain LLVM call: adding and removing 2**52 is undone by reassociation."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.rint", [ir.DoubleType()])
        return builder.call(function, arguments)

    return types.float64(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _times_power_of_two(typing_context: Any, x: Any, k: Any) -> Any:
    """``x * 2**k`` for an integral double k, by adding to the exponent bits of x.

    k goes through 32 bits because AVX2 converts doubles to 32-bit integers only.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        long = ir.IntType(64)
        k = builder.sext(builder.fptosi(arguments[1], ir.IntType(32)), long)
        bits = builder.bitcast(arguments[0], long)
        return builder.bitcast(builder.add(bits, builder.shl(k, long(52))), ir.DoubleType())

    return types.float64(types.float64, types.float64), generate


@nb.njit(inline="always", fastmath=_FASTMATH, error_model="numpy")
def _exp_of_negative(x):  # type: ignore[no-untyped-def]
    """exp(x) for x <= 0, relative error below 5e-16; exp(-700) stands for anything smaller.

    exp(x) = 2**k exp(r) with k = round(x / log 2) and the minimax polynomial 1 + r + ... of degree
    10 on |r| <= log(2) / 2 (Remez, relative error 2.9e-16). Two terms a step: each step waits for
    the one before it, and five such waits are shorter than ten.
    """
    x = x if x > -700.0 else -700.0
    k = _round(x * _LOG2E)
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    r2 = r * r
    p = 2.7476795340455025e-07 * r2 + (2.763499058438755e-06 * r + 2.480193172068256e-05)
    p = p * r2 + (0.00019841185236718533 * r + 0.0013888888516226975)
    p = p * r2 + (0.008333333370869715 * r + 0.041666666668136475)
    p = p * r2 + (0.16666666666611557 * r + 0.49999999999998324)
    p = p * r2 + (r + 1.0)
    return _times_power_of_two(p, k)


@stored_njit(fastmath=_FASTMATH)
def residuals(z):  # type: ignore[no-untyped-def]
    """Sum of log P over at most 1000 answers; z is overwritten with 1 - P."""
    negative, product = 0.0, 1.0
    for k in range(len(z)):
        x = z[k]
        e = _exp_of_negative(-abs(x))
        factor = 1.0 + e
        inverse = 1.0 / factor
        negative += min(x, 0.0)
        product *= factor  # NaN is handed on
        # One product, not two branches with one each: those LLVM does not vectorise.
        z[k] = (e if x > 0.0 else 1.0) * inverse
    return negative - math.log(product)


@stored_njit(fastmath=_FASTMATH)
def _logits(row, position, a, b, z):  # type: ignore[no-untyped-def]
    for j in range(len(z)):
        sign = float(row[j])
        logit = sign * (position * b[j] - a[j])
        z[j] = logit if sign != 0.0 else _CERTAIN


@stored_njit(fastmath=_FASTMATH)
def _add_gradients(row, position, b, residual, grad_a, grad_b):  # type: ignore[no-untyped-def]
    """Add a legislator's part to the roll calls' gradients; its own is returned."""
    grad = 0.0
    for j in range(len(residual)):
        signed = float(row[j]) * residual[j]
        grad += signed * b[j]
        grad_a[j] -= signed
        grad_b[j] += signed * position
    return grad


@stored_njit(fastmath=_FASTMATH)
def loglik_and_gradient(votes, v, a, b, grad_v, grad_a, grad_b):  # type: ignore[no-untyped-def]
    """Log-likelihood; the gradients are written into the last three arguments.

    Parameters
    ----------
    votes : ndarray of int8, shape (n_legislators, n_rollcalls)
        +1, -1 or 0 (not observed), C order.
    v : ndarray, shape (n_legislators,)
        Positions.
    a, b : ndarray, shape (n_rollcalls,)
        Intercepts and slopes, on the logit scale.
    grad_v, grad_a, grad_b : ndarray
        Overwritten; shapes of v, a and b.
    """
    n_legislators, n_rollcalls = votes.shape
    total = 0.0
    grad_v[:] = 0.0
    grad_a[:] = 0.0
    grad_b[:] = 0.0
    buffer = np.empty(_BLOCK)
    for start in range(0, n_rollcalls, _BLOCK):
        stop = min(start + _BLOCK, n_rollcalls)
        # Slices, not index ranges: LLVM vectorises the inner loop only when it counts from 0.
        a_block, b_block = a[start:stop], b[start:stop]
        grad_a_block, grad_b_block = grad_a[start:stop], grad_b[start:stop]
        z = buffer[: stop - start]
        # Three short loops, not one: what one needs at a time does not fit AVX2's 16 registers.
        for i in range(n_legislators):
            row, position = votes[i, start:stop], v[i]
            _logits(row, position, a_block, b_block, z)
            total += residuals(z)
            grad_v[i] += _add_gradients(row, position, b_block, z, grad_a_block, grad_b_block)
    return total


def reference(
    votes: NDArray[np.int8], v: Floats, a: Floats, b: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """The log-likelihood and its gradients for v, a and b, in plain NumPy.

    Shapes as in :func:`loglik_and_gradient`; for checking, and for backends other than numba.
    """
    z = votes * (np.outer(v, b) - a)
    e = np.exp(-np.abs(z))
    observed = votes != 0
    value = np.sum(np.minimum(z, 0.0) - np.log1p(e), where=observed)
    residual = votes * np.where(z > 0, e, 1.0) / (1.0 + e)
    return float(value), residual @ b, -residual.sum(axis=0), v @ residual


class VoteLogLikelihood(Op):  # type: ignore[misc]
    """PyTensor Op: (votes, v, a, b) -> log-likelihood and its gradients for v, a and b.

    The gradients are outputs of their own, so the reverse pass multiplies what the forward pass
    has already computed. Second derivatives are not defined.
    """

    __props__ = ()

    def make_node(self, votes: Any, v: Any, a: Any, b: Any) -> Apply:
        """Check the types: int8 votes matrix and three vectors of doubles."""
        votes = pt.as_tensor_variable(votes)
        if votes.type.ndim != 2 or votes.type.dtype != "int8":
            raise TypeError(f"votes must be an int8 matrix, received {votes.type}")
        vectors = [pt.as_tensor_variable(x).astype("float64") for x in (v, a, b)]
        gradients = [vector.type() for vector in vectors]
        return Apply(self, [votes, *vectors], [pt.dscalar(), *gradients])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        votes, v, a, b = inputs
        gradients = [np.empty_like(x) for x in (v, a, b)]
        value = loglik_and_gradient(votes, v, a, b, *gradients)
        for storage, result in zip(outputs, [np.asarray(value), *gradients], strict=True):
            storage[0] = result

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """The value is a scalar; each gradient has the shape of its vector."""
        return [(), *shapes[1:]]

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """Gradients times the cotangent of the value."""
        return [disconnected_type(), *(cotangents[0] * gradient for gradient in outputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The votes are data: nothing is differentiated with respect to them."""
        return [[False] * 4, *([[True, False, False, False]] * 3)]


# PyTensor keeps compiled functions on disk under a key; the source is part of it, so that a
# changed kernel is never served from an older cache.
SOURCE_KEY = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


@register_funcify_default_op_cache_key(VoteLogLikelihood)  # type: ignore[untyped-decorator]
def _numba_vote_loglik(op: VoteLogLikelihood, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def vote_loglik(votes, v, a, b):  # type: ignore[no-untyped-def]
        grad_v, grad_a, grad_b = np.empty_like(v), np.empty_like(a), np.empty_like(b)
        value = loglik_and_gradient(votes, v, a, b, grad_v, grad_a, grad_b)
        return np.asarray(value), grad_v, grad_a, grad_b

    return vote_loglik, SOURCE_KEY


_vote_loglik = VoteLogLikelihood()


def vote_loglik(votes: Any, v: Any, a: Any, b: Any) -> Any:
    """The log-likelihood as a PyTensor scalar; arguments as in :func:`loglik_and_gradient`."""
    return _vote_loglik(votes, v, a, b)[0]
