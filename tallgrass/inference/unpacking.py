"""The data of a model as three arguments of its compiled code, however many arrays they are.

Numba compiles no call with more than about thirty arguments, and every argument takes time to
compile. A model of two chambers has more index vectors, weights and parameters of priors than that.
Here all doubles are one vector and all integers another one; a third says where each array begins
and its shape. One PyTensor Op makes views of them. Data of other types, such as the votes, stay
arguments of their own. No size is part of the code.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

_DTYPES = ("float64", "int64")  # of the packed arrays, in the order of Packed

# Stored code must not outlive this file.
SOURCE_KEY = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


class Packed(NamedTuple):
    """Arrays of doubles and of integers, one after the other, and the layout of them.

    ``layout`` holds for every array, in the order in which they were given, the index of its first
    entry among those of its type, and its shape.
    """

    numbers: NDArray[np.float64]
    integers: NDArray[np.int64]
    layout: NDArray[np.int64]


def is_packed(variable: Any) -> bool:
    """Whether arrays of this variable's type are packed."""
    return variable.type.dtype in _DTYPES


def pack(arrays: Sequence[NDArray[Any]]) -> Packed:
    """Arrays of doubles and 64-bit integers as one vector of each, and their layout."""
    parts: dict[str, list[NDArray[Any]]] = {dtype: [] for dtype in _DTYPES}
    length = dict.fromkeys(_DTYPES, 0)
    layout: list[int] = []
    for array in arrays:
        dtype = str(array.dtype)
        layout += [length[dtype], *array.shape]
        length[dtype] += array.size
        parts[dtype].append(array.ravel())
    numbers, integers = (np.concatenate([np.zeros(0, d), *parts[d]]) for d in _DTYPES)
    return Packed(numbers, integers, np.array(layout, np.int64))


def unpacked(variables: Sequence[Any]) -> tuple[list[Any], dict[Any, Any]]:
    """Inputs for packed arrays, and what stands for each of the variables in their terms.

    Returns
    -------
    list of variables
        Vectors for the fields of :class:`Packed`.
    dict
        Variable -> output of :class:`Unpack`, of the same type.
    """
    inputs = [pt.vector(dtype=dtype) for dtype in (*_DTYPES, "int64")]
    if not variables:
        return inputs, {}
    kinds = tuple((x.type.dtype, x.type.ndim) for x in variables)
    outputs = Unpack(kinds)(*inputs, return_list=True)
    return inputs, dict(zip(variables, outputs, strict=True))


class Unpack(Op):  # type: ignore[misc]
    """PyTensor Op: the vectors of :class:`Packed` -> views of the arrays in them.

    Parameters
    ----------
    kinds : tuple of (str, int)
        Type of the entries and number of dimensions of each array.
    """

    __props__ = ("kinds",)

    def __init__(self, kinds: tuple[tuple[str, int], ...]) -> None:
        self.kinds = kinds
        # Else PyTensor could overwrite the data through a view.
        self.view_map = {i: [_DTYPES.index(dtype)] for i, (dtype, _) in enumerate(kinds)}

    def make_node(self, *packed: Any) -> Apply:
        """The node, with one output for each array."""
        outputs = [pt.tensor(dtype=dtype, shape=(None,) * ndim) for dtype, ndim in self.kinds]
        return Apply(self, list(packed), outputs)

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Evaluate outside numba."""
        layout, first = inputs[2], 0
        for output, (dtype, ndim) in zip(outputs, self.kinds, strict=True):
            start, shape = layout[first], layout[first + 1 : first + 1 + ndim]
            first += 1 + ndim
            flat = inputs[_DTYPES.index(dtype)]
            output[0] = flat[start : start + int(np.prod(shape))].reshape(tuple(shape))


def _view(dtype: str, ndim: int, first: int) -> str:
    """Source of the view of one array whose entries of the layout begin at ``first``."""
    start, flat = f"layout[{first}]", ("numbers", "integers")[_DTYPES.index(dtype)]
    if ndim == 0:
        return f"{flat}[{start}:{start} + 1].reshape(())"
    sizes = [f"layout[{first + 1 + axis}]" for axis in range(ndim)]
    view = f"{flat}[{start}:{start} + {' * '.join(sizes)}]"
    return view if ndim == 1 else f"{view}.reshape(({', '.join(sizes)}))"


@register_funcify_default_op_cache_key(Unpack)  # type: ignore[untyped-decorator]
def _numba_unpack(op: Unpack, **_: Any) -> tuple[Any, int]:
    views, first = [], 0
    for dtype, ndim in op.kinds:
        views.append(_view(dtype, ndim, first))
        first += 1 + ndim
    result = ", ".join(views)  # one result is no tuple
    source = f"def unpack(numbers, integers, layout):\n    return {result}\n"
    return numba_njit(compile_numba_function_src(source, "unpack", {}, {})), SOURCE_KEY
