"""PyMC models that were not written for this package, as the compiler takes them.

The density is made stable before its gradient is taken, and parameters out of bounds have a
density of zero, as where nutpie compiles it. Long constants, such as the observed data, become
data of the code, so that it serves other data of the same sizes too.
"""

import math
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_fn
from pytensor.compile.builders import OpFromGraph
from pytensor.graph import rewrite_graph
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import ScalarOp, ScalarType
from pytensor.tensor.type import TensorType
from pytensor.tensor.type_other import NoneTypeT, SliceType

from tallgrass.inference.loops import NotLoopsError

# Stored code must not outlive this file.
SOURCE_KEY = Path(__file__).read_text("utf-8")

POSITION = pt.vector("position", dtype="float64")

_LONG = 16  # entries: a shorter constant may be a shape, which the rewrites of a graph read
# Makers of operations whose properties say all about them; the key covers the kernel's source.
_MAKERS = ("pytensor.", "pymc.", "tallgrass.inference.kernel.")
_TYPES = TensorType | ScalarType | NoneTypeT | SliceType


def starts(graph: Any) -> Callable[[Any], dict[str, np.ndarray]]:
    """Seed -> unconstrained starting value of every free variable, by its name.

    Each is the middle of its prior, moved by up to one either way, as nutpie starts a model.
    """
    jittered = set(graph.free_RVs)
    point = make_initial_point_fn(model=graph, jitter_rvs=jittered, return_transformed=True)
    lock = threading.Lock()  # chains ask for their starts at the same time

    def start(seed: Any = None) -> dict[str, np.ndarray]:
        with lock:
            return {name: np.asarray(value) for name, value in point(seed).items()}

    return start


def require_known(outputs: Sequence[Any]) -> None:
    """Raise a NotLoopsError where a graph has a part that is left to nutpie.

    Such are types that loops do not have, recursions, and operations that the user has written:
    nothing says when the code of one has changed.
    """
    for variable in ancestors(outputs):
        if not isinstance(variable.type, _TYPES):
            raise NotLoopsError(f"{variable.type}")
        op = variable.owner.op if variable.owner is not None else None
        for part in (op, getattr(op, "scalar_op", None), getattr(op, "core_op", None)):
            if part is None:
                continue
            if isinstance(part, OpFromGraph):
                require_known(part.inner_outputs)
            elif isinstance(part, HasInnerGraph) or not _says_all(part):
                raise NotLoopsError(f"{part}")


def prepared(graph: Any, outputs: Sequence[Any]) -> list[Any]:
    """The outputs as they are compiled.

    Parameters
    ----------
    graph : pymc.Model
        Whose ``check_bounds`` says whether parameters out of bounds have a density of zero, or
        are not looked for.
    outputs : sequence of PyTensor variables
        Density and kept variables, in terms of the values of free variables; they stay unchanged.

    Raises
    ------
    NotLoopsError
        When the model has a part that is left to nutpie; see :func:`require_known`.
    """
    if any(value.type.dtype != "float64" for value in graph.value_vars):
        raise NotLoopsError("values that are not doubles")
    require_known(outputs)
    bounds = (
        "local_check_parameter_to_ninf_switch"
        if graph.check_bounds
        else "local_remove_check_parameter"
    )
    whole = FunctionGraph(outputs=list(outputs), clone=True, copy_inputs=False)
    rewrite_graph(whole, include=("canonicalize", "stabilize", bounds))
    apart = {
        x: pytensor.shared(x.data, shape=x.type.shape, borrow=True)
        for x in ancestors(whole.outputs)
        if isinstance(x, Constant) and x.type.ndim > 0 and x.data.size > _LONG
    }
    return list(clone_replace(whole.outputs, apart)) if apart else list(whole.outputs)


def joined(outputs: Sequence[Any]) -> Any:
    """The entries of all outputs in one vector: numba makes no tuple of more than thirty."""
    return pt.concatenate([pt.cast(x, "float64").ravel() for x in outputs])


def of_position(
    outputs: Sequence[Any], values: Sequence[Any], shapes: Sequence[tuple[int, ...]]
) -> list[Any]:
    """The outputs in terms of the one vector ``POSITION``, which holds all free values in turn."""
    ends = accumulate((math.prod(shape) for shape in shapes), initial=0)
    parts = {
        value: pt.specify_shape(
            POSITION[first] if shape == () else POSITION[first:last].reshape(shape),
            value.type.shape,
        )
        for value, shape, (first, last) in zip(values, shapes, pairwise(ends), strict=True)
    }
    return list(clone_replace(list(outputs), parts))


def _says_all(op: Any) -> bool:
    """Whether two operations of this class are the same where their properties are."""
    by_properties = isinstance(getattr(op, "__props__", None), tuple) or isinstance(op, ScalarOp)
    return by_properties and type(op).__module__.startswith(_MAKERS)
