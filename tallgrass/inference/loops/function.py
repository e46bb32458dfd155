"""A graph of PyTensor -> a numba function."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import get_mode
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.graph.traversal import graph_inputs, io_toposort
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch import numba_funcify
from pytensor.scalar.basic import ScalarType
from pytensor.tensor.math import Dot

from tallgrass.inference.loops import elementwise, indexing, shaping
from tallgrass.inference.loops.program import NotLoopsError, Program
from tallgrass.inference.loops.scalars import SCOPE
from tallgrass.inference.loops.values import Values, has_axes, write

# They say how operations are written.
_WRITERS = (elementwise, indexing, shaping)
_ARRAYS = {"empty": np.empty, "asarray": np.asarray, "bool_": np.bool_}

# Numbers that are not finite stay what they are: a density of zero is the logarithm -inf.
_ANY_ORDER = {"arcp", "contract", "afn", "reassoc", "nsz"}

# Rewrites that prepare a graph for PyTensor's own loops.
_LEFT_OUT = ("inplace", "fuse_indexed_into_elemwise")


def compiled_loops(inputs: Sequence[Any], outputs: Sequence[Any], as_written: bool = True) -> Any:
    """The outputs of a graph as a numba function of its inputs; it returns a tuple.

    Parameters
    ----------
    inputs, outputs : sequence of PyTensor variables
        Tensors; inputs without shared variables among them.
    as_written : bool
        Whether sums are made in the order in which they are written. Else they are made several
        entries at a time; the code is then always a part of what calls it, so that there is one
        copy of it, with one order.

    Raises
    ------
    NotLoopsError
        When the graph has a part, such as a scan, that only PyTensor compiles.
    """
    graph = FunctionGraph(list(inputs), list(outputs), clone=True)
    get_mode("NUMBA").excluding(*_LEFT_OUT).optimizer.rewrite(graph)
    program = Program()
    values = Values(graph, program)
    names = [f"input{i}" for i in range(len(graph.inputs))]
    for variable, name in zip(graph.inputs, names, strict=True):
        if has_axes(variable):
            values.new(variable, name)
        else:
            values.put(variable, program.assign("v", f"{name}[()]"))
    for node in graph.toposort():
        if node.outputs[0] in values:  # a sum that was made with what it adds
            continue
        try:
            with values.attempt():
                write(node.op, node, values)
        except NotLoopsError:
            _call(node, values)
    results = ", ".join(values.array(x) for x in graph.outputs)
    lines = [f"def loops({', '.join(names)}):", *program.lines, f"    return ({results},)"]
    scope = SCOPE | _ARRAYS | program.scope
    function = compile_numba_function_src("\n".join(lines) + "\n", "loops", scope, scope)
    return nb.njit(
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        forceinline=not as_written,
        fastmath=False if as_written else _ANY_ORDER,
    )(function)


def require_loops(outputs: Sequence[Any]) -> None:
    """Raise a NotLoopsError where a graph has a part that only PyTensor compiles, as a scan."""
    for node in io_toposort(list(graph_inputs(outputs)), list(outputs)):
        if isinstance(node.op, HasInnerGraph):
            raise NotLoopsError(f"{node.op}")


@cache
def source_key() -> str:
    """SHA-256 of what writes the code: stored code must not outlive it."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _call(node: Apply, values: Values) -> None:
    """Call the function that PyTensor makes of a node."""
    if isinstance(node.op, HasInnerGraph) and not isinstance(node.op, OpFromGraph):
        raise NotLoopsError(f"{node.op}")
    program = values.program
    function = program.share("function", numba_funcify(node.op, node=node))
    as_array = values.matrix if isinstance(node.op, Dot) else values.array
    arguments = [
        values.number(x) if isinstance(x.type, ScalarType) else as_array(x) for x in node.inputs
    ]
    names = [program.name("a") for _ in node.outputs]
    program.write(f"{', '.join(names)} = {function}({', '.join(arguments)})")
    for output, name in zip(node.outputs, names, strict=True):
        if has_axes(output):
            values.new(output, name)
        elif isinstance(output.type, ScalarType):
            values.put(output, name)
        else:
            # Some functions of PyTensor return a number for what has no axes, others an array.
            values.put(output, program.assign("v", f"asarray({name})[()]"))
