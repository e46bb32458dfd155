"""Coordinates of random walks over noisy estimates, standard normal whatever the size of a step.

A tree of values u: a first one is N(m, q), every other one N(the one before, q). Each value is seen
through an estimate e with information I, or not at all (I = 0). Given the q, m and estimates all u
of a tree are Gaussian, and their standard scores z, from the first value on, are

    u_j = a_j b_j + s_j^2 H_j + s_j z_j,   a_j = 1 / (1 + q_j P_j),   s_j^2 = q_j a_j
    P_j = I_j + sum over the next ones of a P,   H_j = I_j e_j + sum over the next ones of a H

with b the value before, or m. P and H are what a value's own estimate and those after it say of
it: the backward information filter (Kalman filter in information form; Fraser and Potter 1969).
Where estimates say little, z is a step in units of sqrt(q); where they say much, the value itself:
neither the funnel at q -> 0 nor the ridge of steps that votes determine. Any P and H give a valid
map, whose log-Jacobian is ``sum log s``; the estimates decide only how round it is.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from tallgrass.inference.jit import stored_njit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@stored_njit()
def _filtered(tree, information, pull, q, a, p, h):  # type: ignore[no-untyped-def]
    """Fill a, P and H, the last values of the trees first."""
    order, before = tree
    p[:] = information
    h[:] = pull
    for i in range(len(order) - 1, -1, -1):
        j = order[i]
        a[j] = 1.0 / (1.0 + q[j] * p[j])
        if before[j] >= 0:
            p[before[j]] += a[j] * p[j]
            h[before[j]] += a[j] * h[j]


@stored_njit()
def walk_values(tree, information, pull, z, log_q, m, u, log_s):  # type: ignore[no-untyped-def]
    """Write the values into u, and the logs of their scales s, given the one before, into log_s.

    Parameters
    ----------
    tree : ndarray of int64, shape (2, n)
        Indices of the values, each after the one before it in its tree; and by value the index of
        the one before, or -1 for a first one.
    information, pull : ndarray, shape (n,)
        I, and ``I e``.
    z, log_q, m : ndarray, shape (n,)
        Standard scores, logs of the variances, and means of first values (others are not read).
    u, log_s : ndarray, shape (n,)
        Overwritten.
    """
    n = len(z)
    q, a, p, h = np.exp(log_q), np.empty(n), np.empty(n), np.empty(n)
    _filtered(tree, information, pull, q, a, p, h)
    order, before = tree
    for i in range(n):
        j = order[i]
        base = u[before[j]] if before[j] >= 0 else m[j]
        variance = q[j] * a[j]
        u[j] = a[j] * base + variance * h[j] + np.sqrt(variance) * z[j]
        log_s[j] = 0.5 * np.log(variance)


def walk_scores(
    tree: Integers, information: Floats, pull: Floats, u: Floats, log_q: Floats, m: Floats
) -> Floats:
    """The standard scores z that give these values u; the inverse of :func:`walk_values`."""
    q, (a, p, h) = np.exp(log_q), np.empty((3, len(u)))
    _filtered(tree, information, pull, q, a, p, h)
    base = np.where(tree[1] < 0, m, u[tree[1]])
    return np.asarray((u - a * base - q * a * h) / np.sqrt(q * a))


@stored_njit()
def walk_gradients(  # type: ignore[no-untyped-def] # noqa: PLR0913, PLR0917 - numba takes no records
    tree, information, pull, z, log_q, m, u, weights, gradients
):
    """Write the gradients of a weighted sum of the values and the logs of scales.

    Parameters
    ----------
    tree, information, pull, z, log_q, m, u : ndarray
        As in :func:`walk_values`, with its values u.
    weights : ndarray, shape (2, n)
        Of the values, and of the logs of their scales.
    gradients : ndarray, shape (5, n)
        Overwritten: for information, pull, z, log_q and m.
    """
    n = len(z)
    q, a, p, h = np.exp(log_q), np.empty(n), np.empty(n), np.empty(n)
    _filtered(tree, information, pull, q, a, p, h)
    order, before = tree
    by_p, by_h, grad_z, grad_q, grad_m = gradients
    total = weights[0].copy()  # with what comes through the values after
    by_a = np.empty(n)
    for i in range(n - 1, -1, -1):
        j = order[i]
        base = u[before[j]] if before[j] >= 0 else m[j]
        scale = np.sqrt(q[j] * a[j])
        of_scale = 0.5 * total[j] * z[j] * scale + 0.5 * weights[1, j]
        by_a[j] = total[j] * (base + q[j] * h[j]) + of_scale / a[j]
        grad_q[j] = total[j] * a[j] * h[j] + of_scale / q[j]
        by_h[j] = total[j] * q[j] * a[j]
        grad_z[j] = total[j] * scale
        grad_m[j] = 0.0
        if before[j] >= 0:
            total[before[j]] += total[j] * a[j]
        else:
            grad_m[j] = total[j] * a[j]
    for i in range(n):
        j = order[i]
        k = before[j]
        by_p[j] = 0.0
        if k >= 0:
            by_a[j] += by_p[k] * p[j] + by_h[k] * h[j]
            by_h[j] += by_h[k] * a[j]
            by_p[j] = by_p[k] * a[j]
        by_p[j] -= by_a[j] * q[j] * a[j] ** 2
        grad_q[j] -= by_a[j] * p[j] * a[j] ** 2
        grad_q[j] *= q[j]


def reference(
    tree: Integers, information: Floats, pull: Floats, z: Floats, log_q: Floats, m: Floats
) -> tuple[Floats, float]:
    """The values and the log-Jacobian by dense matrices: slow, and plain.

    The precision of all values is ``Q = I + sum of the walk's``; with its Cholesky factor in the
    order from last to first, ``Q = L L'``, the values are ``Q^-1 (I e + walk's) + L'^-1 z``.
    """
    n, before = len(z), tree[1]
    precision, linear = np.diag(information), pull.copy()
    for j in range(n):
        sharp = np.exp(-log_q[j])
        precision[j, j] += sharp
        if before[j] < 0:
            linear[j] += sharp * m[j]
        else:
            k = before[j]
            precision[k, k] += sharp
            precision[j, k] -= sharp
            precision[k, j] -= sharp
    depth = np.zeros(n, int)
    for j in range(n):
        k = before[j]
        while k >= 0:
            depth[j], k = depth[j] + 1, before[k]
    last_first = np.argsort(-depth, kind="stable")
    # Eliminating the last values first leaves no fill, and each one's score given the one before.
    factor = np.linalg.cholesky(precision[np.ix_(last_first, last_first)])
    u = np.empty(n)
    u[last_first] = np.linalg.solve(factor.T, z[last_first])
    return u + np.linalg.solve(precision, linear), -float(np.log(np.diag(factor)).sum())


class WalkValues(Op):  # type: ignore[misc]
    """PyTensor Op: (tree, information, pull, z, log_q, m) -> values, and logs of their scales."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Take a matrix of 64-bit integers and five vectors of doubles."""
        tree = pt.as_tensor_variable(inputs[0]).astype("int64")
        others = [pt.as_tensor_variable(x).astype("float64") for x in inputs[1:]]
        return Apply(self, [tree, *others], [pt.dvector(), pt.dvector()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        u, log_s = np.empty((2, len(inputs[1])))
        walk_values(*inputs, u, log_s)
        outputs[0][0], outputs[1][0] = u, log_s

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """A value and a scale for every score."""
        return [shapes[1], shapes[1]]

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        """Gradients for the estimates, the scores, the variances and the means of first values."""
        weights = (
            pt.zeros_like(output) if isinstance(cotangent.type, DisconnectedType) else cotangent
            for output, cotangent in zip(outputs, cotangents, strict=True)
        )
        gradients = _walk_gradients(*inputs, outputs[0], *weights)
        return [disconnected_type(), *gradients]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The trees are data; the scales depend on the information and the variances."""
        both, values = [True, True], [True, False]
        return [[False, False], both, values, values, both, values]


class WalkGradients(Op):  # type: ignore[misc]
    """PyTensor Op of :func:`walk_gradients`. Second derivatives are not defined."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Take the inputs and values of WalkValues, and the weights of its outputs."""
        variables = [pt.as_tensor_variable(x) for x in inputs]
        return Apply(self, variables, [pt.dvector() for _ in range(5)])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        gradients = np.empty((5, len(inputs[1])))
        walk_gradients(*inputs[:7], np.stack(inputs[7:]), gradients)
        for storage, gradient in zip(outputs, gradients, strict=True):
            storage[0] = gradient

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Five vectors as long as the scores."""
        return [shapes[1]] * 5


# As in the dense kernel: a changed source is never served from an older cache.
SOURCE_KEY = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


@register_funcify_default_op_cache_key(WalkValues)  # type: ignore[untyped-decorator]
def _numba_walk_values(op: WalkValues, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def values(tree, information, pull, z, log_q, m):  # type: ignore[no-untyped-def]
        u, log_s = np.empty_like(z), np.empty_like(z)
        walk_values(tree, information, pull, z, log_q, m, u, log_s)
        return u, log_s

    return values, SOURCE_KEY


@register_funcify_default_op_cache_key(WalkGradients)  # type: ignore[untyped-decorator]
def _numba_walk_gradients(op: WalkGradients, **_: Any) -> tuple[Any, int]:
    @numba_njit
    def gradients(  # type: ignore[no-untyped-def] # noqa: PLR0913, PLR0917 - the inputs of the Op
        tree, information, pull, z, log_q, m, u, by_u, by_s
    ):
        n = len(z)
        weights, result = np.empty((2, n)), np.empty((5, n))
        weights[0] = by_u
        weights[1] = by_s
        walk_gradients(tree, information, pull, z, log_q, m, u, weights, result)
        return result[0], result[1], result[2], result[3], result[4]

    return gradients, SOURCE_KEY


_walk_values = WalkValues()
_walk_gradients = WalkGradients()


def walks(tree: Any, information: Any, pull: Any, z: Any, log_q: Any, m: Any) -> tuple[Any, Any]:
    """The values and the logs of their scales as PyTensor variables; see :func:`walk_values`."""
    u, log_s = _walk_values(tree, information, pull, z, log_q, m)
    return u, log_s
