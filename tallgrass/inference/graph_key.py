"""The key under which the compiled code of a graph is stored."""

import hashlib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Constant
from pytensor.graph.op import Op
from pytensor.graph.traversal import graph_inputs, io_toposort

from tallgrass.inference.kernel import dense, several, sparse

_LIBRARIES = ("numba", "llvmlite", "numpy", "pytensor", "pymc", "nutpie")


def graph_key(outputs: Sequence[Any], values: Sequence[Any], *made_by: object) -> str:
    """SHA-256 of everything that the compiled code of a graph depends on.

    Parameters
    ----------
    outputs, values : sequence of PyTensor variables
        The results, and the free variables, in the order in which the code takes them.
    *made_by
        What else the code is made from, such as the source of what compiles it.

    Notes
    -----
    Every operation, type and constant of the graph counts. The content of shared variables and
    their sizes do not, as the code does not contain them.
    """
    digest = hashlib.sha256()

    def add(*parts: Any) -> None:
        digest.update("\x1f".join(str(part) for part in parts).encode() + b"\x1e")

    libraries = (version(library) for library in _LIBRARIES)
    add(*made_by, dense.SOURCE_KEY, several.SOURCE_KEY, sparse.SOURCE_KEY, *libraries)
    number: dict[Any, int] = {}

    def label(variable: Any) -> int:
        if variable not in number:
            number[variable] = len(number)
            if isinstance(variable, Constant):
                content = np.asarray(variable.data)
                add("constant", variable.type, content.shape, content.dtype)
                digest.update(content.tobytes())
            else:
                add("input", variable.type)
        return number[variable]

    for value in values:
        label(value)
    for node in io_toposort(list(graph_inputs(outputs)), outputs):
        operands = [label(x) for x in node.inputs]
        add(*_identity(node.op), operands, [x.type for x in node.outputs])
        for x in node.outputs:
            number[x] = len(number)
    add(*(label(x) for x in outputs))
    return digest.hexdigest()


def _identity(op: Any) -> Iterator[object]:
    """What an operation is: its class, its properties, and those of operations among them."""
    yield from (type(op).__module__, type(op).__qualname__, op)
    for name in getattr(op, "__props__", None) or ():
        value = getattr(op, name)
        yield name
        if isinstance(value, Op):
            yield from _identity(value)
        elif isinstance(value, np.ndarray):
            yield from (value.dtype, value.shape, value.tobytes().hex())
        else:
            yield value
    if isinstance(op, OpFromGraph):
        yield graph_key(op.inner_outputs, op.inner_inputs)
