"""Log-likelihood and gradient of the item model in one pass over a long list of responses.

    z = s (a[j] theta[i] - c[j]),  s = +1 correct, -1 not,  c = a b
    log L = sum of  min(z, 0) - log(1 + exp(-|z|)),      r = s (1 - P(the observed answer))
    d/dtheta = sum r a,   d/da = sum r theta,   d/dc = -sum r

The responses are sorted by item and split by answer, so a run of them shares a, c and s: a run is
gathered, evaluated and scattered in loops that count from 0 over slices, which LLVM vectorises.
One exponential serves value and gradient, and one logarithm a product of 512 factors in (1, 2].
``reference`` states the same in plain NumPy; the tests hold the two together.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel import dense
from tallgrass.inference.kernel.dense import _FASTMATH, residuals

Floats = NDArray[np.float64]

# Responses a block: its buffers (64 KiB) stay in the second-level cache between the phases.
_BLOCK = 4096
_PRODUCT = 512  # factors in (1, 2] whose product is finite


class SortedResponses(NamedTuple):
    """Responses sorted by item and, within it, correct ones first.

    Parameters
    ----------
    user : ndarray of int32, shape (n_responses,)
        User of each.
    bounds : ndarray of int64, shape (2 n_items + 1,)
        ``bounds[2 j]`` where item j begins, ``bounds[2 j + 1]`` where its wrong answers begin.
    order : ndarray of int64, shape (n_responses,)
        Row of each in the original responses.
    """

    user: NDArray[np.int32]
    bounds: NDArray[np.int64]
    order: NDArray[np.int64]


@stored_njit(fastmath=_FASTMATH)
def _gather(user, theta, at, z, slope, intercept):  # type: ignore[no-untyped-def]
    for k in range(len(user)):
        value = theta[user[k]]
        at[k] = value
        z[k] = slope * value - intercept


@stored_njit(fastmath=_FASTMATH)
def _scatter(user, at, residual, grad_theta, slope):  # type: ignore[no-untyped-def]
    """Sums of r theta and r over a run; each user's gradient grows by r a."""
    weighted, total = 0.0, 0.0
    for k in range(len(at)):
        weighted += residual[k] * at[k]
        total += residual[k]
    for k in range(len(user)):
        grad_theta[user[k]] += residual[k] * slope
    return weighted, total


@stored_njit()
def sparse_loglik_and_gradient(  # type: ignore[no-untyped-def]
    user, bounds, theta, a, c, grad_theta, grad_a, grad_c
):
    """Log-likelihood; the gradients are written into the last three arguments.

    Parameters
    ----------
    user, bounds : ndarray
        From :func:`layout`.
    theta : ndarray, shape (n_users,)
        Abilities.
    a, c : ndarray, shape (n_items,)
        Slopes and intercepts (a b) on the logit scale.
    grad_theta, grad_a, grad_c : ndarray
        Overwritten; shapes of theta, a and c.
    """
    grad_theta[:] = 0.0
    grad_a[:] = 0.0
    grad_c[:] = 0.0
    total = 0.0
    n = len(user)
    # A signed index might count from the end, and that is asked at every access.
    user = user.view(np.uint32)
    at, z = np.empty(_BLOCK), np.empty(_BLOCK)
    first = 0  # run that holds the block's first response
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        while bounds[first + 1] <= start:
            first += 1
        run, low = first, start
        while low < stop:
            high = min(bounds[run + 1], stop)
            j, sign = run // 2, 1.0 - 2.0 * (run % 2)
            part = slice(low - start, high - start)
            _gather(user[low:high], theta, at[part], z[part], sign * a[j], sign * c[j])
            low = high
            run += 1
        for k in range(0, stop - start, _PRODUCT):
            total += residuals(z[k : min(k + _PRODUCT, stop - start)])
        run, low = first, start
        while low < stop:
            high = min(bounds[run + 1], stop)
            j, sign = run // 2, 1.0 - 2.0 * (run % 2)
            part = slice(low - start, high - start)
            weighted, plain = _scatter(user[low:high], at[part], z[part], grad_theta, sign * a[j])
            grad_a[j] += sign * weighted
            grad_c[j] -= sign * plain
            low = high
            run += 1
    return total


def reference(
    user: NDArray[np.int32], bounds: NDArray[np.int64], theta: Floats, a: Floats, c: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """The log-likelihood and its gradients for theta, a and c, in plain NumPy."""
    run = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    item, sign = run // 2, 1.0 - 2.0 * (run % 2)
    z = sign * (a[item] * theta[user] - c[item])
    residual = sign * np.where(z > 0, np.exp(-np.abs(z)), 1.0) / (1.0 + np.exp(-np.abs(z)))
    value = np.sum(np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z))))
    return (
        float(value),
        np.bincount(user, residual * a[item], len(theta)),
        np.bincount(item, residual * theta[user], len(a)),
        -np.bincount(item, residual, len(c)),
    )


class ResponseLogLikelihood(Op):  # type: ignore[misc]
    """PyTensor Op: (user, bounds, theta, a, c) -> log-likelihood and gradients for the last three.

    As :class:`tallgrass.inference.kernel.dense.VoteLogLikelihood`, for responses in
    :class:`SortedResponses`.
    """

    __props__ = ()

    def make_node(self, user: Any, bounds: Any, theta: Any, a: Any, c: Any) -> Apply:
        """Check the types: int32 users, int64 bounds, three vectors of doubles."""
        data = [pt.as_tensor_variable(x) for x in (user, bounds)]
        for variable, dtype in zip(data, ("int32", "int64"), strict=True):
            if variable.type.ndim != 1 or variable.type.dtype != dtype:
                raise TypeError(f"expected a vector of {dtype}, received {variable.type}")
        vectors = [pt.as_tensor_variable(x).astype("float64") for x in (theta, a, c)]
        return Apply(self, [*data, *vectors], [pt.dscalar(), *(x.type() for x in vectors)])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        gradients = [np.empty_like(x) for x in inputs[2:]]
        value = sparse_loglik_and_gradient(*inputs, *gradients)
        for storage, result in zip(outputs, [np.asarray(value), *gradients], strict=True):
            storage[0] = result

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """The value is a scalar; each gradient has the shape of its vector."""
        return [(), *shapes[2:]]

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """Gradients times the cotangent of the value."""
        data = [disconnected_type(), disconnected_type()]
        return [*data, *(cotangents[0] * gradient for gradient in outputs[1:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Users and bounds are data."""
        return [[False] * 4, [False] * 4, *([[True, False, False, False]] * 3)]


# Both sources, because this kernel calls a function of the other one.
_SOURCE = Path(__file__).read_bytes() + str(dense.SOURCE_KEY).encode()
SOURCE_KEY = int(hashlib.sha256(_SOURCE).hexdigest()[:12], 16)


@register_funcify_default_op_cache_key(ResponseLogLikelihood)  # type: ignore[untyped-decorator]
def _numba_response_loglik(op: ResponseLogLikelihood, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def response_loglik(user, bounds, theta, a, c):  # type: ignore[no-untyped-def]
        grad_theta, grad_a, grad_c = np.empty_like(theta), np.empty_like(a), np.empty_like(c)
        value = sparse_loglik_and_gradient(user, bounds, theta, a, c, grad_theta, grad_a, grad_c)
        return np.asarray(value), grad_theta, grad_a, grad_c

    return response_loglik, SOURCE_KEY


_response_loglik = ResponseLogLikelihood()


def response_loglik(user: Any, bounds: Any, theta: Any, a: Any, c: Any) -> Any:
    """The log-likelihood as a PyTensor scalar."""
    return _response_loglik(user, bounds, theta, a, c)[0]
