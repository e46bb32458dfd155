"""A model as machine code for nutpie, kept on disk between runs.

nutpie builds the log-density from a PyMC graph in 5 to 20 seconds, most of it spent compiling
again what the last run compiled. Here a graph becomes one function of loops, which compiles in half
the time (see :mod:`tallgrass.inference.loops`), and the compiled functions are stored under a key
made of the graph itself (every operation, type and constant), the library versions and our own
sources.
Votes, sizes and the numbers of priors are passed by pointer and are no part of the code (see
:mod:`tallgrass.inference.constants`), so that any other session starts from the code that the first
one of the model has stored, in well under a second.
"""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
from llvmlite import ir
from numba.extending import intrinsic
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs
from pytensor.link.numba.cache import compile_numba_function_src

from tallgrass.errors import SamplingError
from tallgrass.inference import code_memory, loops, unpacking
from tallgrass.inference.cache import with_readable_cache
from tallgrass.inference.code_memory import Memory, copies, parts_of_x
from tallgrass.inference.draws import Model, start_of
from tallgrass.inference.gradient_check import gradient_agrees
from tallgrass.inference.graph_key import graph_key
from tallgrass.inference.loops import NotLoopsError, require_loops
from tallgrass.inference.nutpie_library import CompiledPyMCModel
from tallgrass.inference.unpacking import is_packed, unpacked

# Sums are made in the order in which they are written. With reassociation every copy of a function
# rounds in an order of its own, and which copy runs depends on what the process has compiled or
# loaded before: the same seed would give other draws. The kernel is one function and keeps its own
# flags.
_FLAGS = {"numba__fastmath": False}

_log = logging.getLogger(__name__)

# Machine code that this process has loaded. Numba never frees it, so that without this every run of
# a process would load its own copy.
_loaded: dict[tuple[str, str, str], Any] = {}

_DOUBLES = nb.types.CPointer(nb.types.double)
_LOGP = nb.types.int64(nb.types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, nb.types.voidptr)
_EXPAND = nb.types.int64(nb.types.uint64, nb.types.uint64, _DOUBLES, _DOUBLES, nb.types.voidptr)

# Sources of the functions that nutpie calls; ``sizes`` is that of ``Memory``. What they return to
# nutpie: 0 fine, 1 error, 3 gradient and 4 value not finite.
_LOGP_SOURCE = """
def logp(dim, x_, gradient_, value_, sizes_):
    sizes = carray(sizes_, ({n_sizes},), int64)
    n = sizes[{at_n}]
    if dim != n:
        return -1
    x, gradient, value = carray(x_, (n,)), carray(gradient_, (n,)), carray(value_, (1,))
    try:
        result = inner({arguments})
    except Exception:
        return 1
    value[0] = result[0].item()
{copies}
    # The loop looks at every entry: a loop that can end early is not vectorised.
    finite = True
    for i in range(n):
        finite &= isfinite(gradient[i])
    if not finite:
        return 3
    return 0 if isfinite(value[0]) else 4
"""
_EXPAND_SOURCE = """
def expand(dim, expanded, x_, out_, sizes_):
    sizes = carray(sizes_, ({n_sizes},), int64)
    n, n_out = sizes[{at_n}], sizes[{at_n_out}]
    if dim != n or expanded != n_out:
        return -1
    x, out = carray(x_, (n,)), carray(out_, (n_out,))
    try:
        result = inner({arguments})
    except Exception:
        return -2
{copies}
    return 0
"""


@dataclass(frozen=True)
class Compiled:
    """nutpie's model, and whether its code came from disk."""

    model: CompiledPyMCModel
    from_cache: bool


@intrinsic  # type: ignore[untyped-decorator]
def _as_pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return nb.types.voidptr(address), generate


class _NotStoredError(Exception):
    """Code is not on disk, and is not to be made."""


def compile_model(model: Model) -> Compiled:
    """Compile log-density, gradient and the public variables, or load them from disk.

    A graph is written as loops, or compiled by PyTensor where it has no such form. Code whose
    gradient is not that of its density is made again by PyTensor.

    Raises
    ------
    SamplingError
        When the gradient is wrong both ways.
    """
    code = _code_of(model, make=True)
    if code is None:
        raise SamplingError(
            "the compiled gradient of the model is not that of its density",
            mend="choose sampler=pymc, and tell the makers of Tallgrass",
        )
    return code


def stored_code(model: Model) -> Compiled | None:
    """The code of a model where it is on disk, or in memory; None where it is still to be made."""
    try:
        return _code_of(model, make=False)
    except _NotStoredError:
        return None


def _code_of(model: Model, make: bool) -> Compiled | None:
    """The code with a right gradient; None where it is wrong both ways."""
    with pytensor.config.change_flags(**_FLAGS):
        for as_loops in (True, False):
            with suppress(NotLoopsError):
                code = with_readable_cache(partial(_compile_model, model, as_loops, make))
                if gradient_agrees(code.model):
                    return code
    return None


def _compile_model(model: Model, as_loops: bool, make: bool = True) -> Compiled:
    graph = model.graph
    point = start_of(model)(np.random.default_rng(0))
    values = list(graph.value_vars)
    lengths = [int(np.size(point[value.name])) for value in values]
    public = graph.replace_rvs_by_values([graph[name] for name in model.public])
    logp = graph.logp()
    if as_loops:
        require_loops([logp, *public])
    shared = [x for x in graph_inputs([logp, *public]) if isinstance(x, SharedVariable)]

    names = {dim: len(labels) for dim, labels in graph.coords.items()}
    dims = {name: tuple(graph.named_vars_to_dims.get(name, ())) for name in model.public}
    public_shapes = [tuple(names[d] for d in dims[v]) for v in model.public]
    memory = Memory(shared, lengths, [math.prod(shape) for shape in public_shapes])
    sources = (Path(__file__).read_text("utf-8"), code_memory.SOURCE_KEY, unpacking.SOURCE_KEY)
    key = graph_key([logp, *public], values, *sources, loops.source_key() if as_loops else "")
    arguments = ", ".join([*parts_of_x(values, memory.at_values), *memory.arguments])
    literals = {
        "n_sizes": len(memory.sizes),
        "at_n": memory.at_values + len(values),
        "at_n_out": memory.at_public + len(public),
        "arguments": arguments,
    }

    def make_logp() -> Any:
        if not make:
            raise _NotStoredError
        _log.info("compiling the model, once for all data: about 10 seconds")
        outputs = [logp, *pt.grad(logp, values)]
        return _numba_function(values, shared, outputs, as_loops)

    def make_expand() -> Any:
        if not make:
            raise _NotStoredError
        return _numba_function(values, shared, public, as_loops)

    gradients = copies("gradient", values, memory.at_values, first=1)  # result[0] is the value
    logp_code, logp_was_stored = _cfunc(
        _LOGP_SOURCE.format(**literals, copies=gradients), "logp", _LOGP, key, make_logp
    )
    outputs = copies("out", public, memory.at_public, first=0)
    expand_code, expand_was_stored = _cfunc(
        _EXPAND_SOURCE.format(**literals, copies=outputs), "expand", _EXPAND, key, make_expand
    )
    return Compiled(
        CompiledPyMCModel(
            _n_dim=sum(lengths),
            dims=dims,
            _coords={dim: pd.Index(labels) for dim, labels in graph.coords.items()},
            _shapes=dict(zip(model.public, public_shapes, strict=True)),
            compiled_logp_func=logp_code,
            compiled_expand_func=expand_code,
            initial_point_func=flat_start(model, [value.name for value in values]),
            # Must live until sampling ends: the compiled code has only its addresses.
            shared_data={str(i): x for i, x in enumerate(memory.arrays)},
            shared_var_keys={},
            user_data=memory.sizes,
            n_expanded=sum(math.prod(shape) for shape in public_shapes),
            shape_info=(list(model.public), [], public_shapes),
            logp_func=None,
            expand_func=None,
            reparameterized_names=[],
        ),
        logp_was_stored and expand_was_stored,
    )


def flat_start(model: Model, names: list[str]) -> Callable[[Any], np.ndarray]:
    """The model's start as nutpie asks for it: seed -> one vector."""

    def start(seed: Any = None) -> np.ndarray:
        point = start_of(model)(np.random.default_rng(seed))
        return np.concatenate([np.ravel(point[name]) for name in names])

    return start


def _numba_function(
    values: list[Any], shared: list[Any], outputs: list[Any], as_loops: bool
) -> Any:
    """The numba function of a PyTensor graph: of values, packed data, and data of other types."""
    # Inputs of a compiled function cannot be shared variables: plain ones of the same type.
    others = {x: x.type() for x in shared if not is_packed(x)}
    packed, parts = unpacked([x for x in shared if is_packed(x)])
    inputs = {value: value.type() for value in values}
    outputs = clone_replace(outputs, {**inputs, **parts, **others})
    plain = [*inputs.values(), *packed, *others.values()]
    if as_loops:
        return loops.compiled_loops(plain, outputs)
    function = pytensor.function(plain, outputs, mode="NUMBA", on_unused_input="ignore")
    return function.vm.jit_fn


def _cfunc(
    source: str, name: str, signature: Any, key: str, make_inner: Callable[[], Any]
) -> tuple[Any, bool]:
    """The C function of a wrapper's source, and whether it was on disk (or in memory) already."""
    identity = (name, key, source)
    if identity in _loaded:
        return _loaded[identity], True
    function, scope = _wrapper(source, name, key)
    was_stored = True
    try:
        # Stored code is complete. Without stored code numba compiles, and does not find ``inner``.
        code = nb.cfunc(signature, cache=True)(function)
    except nb.errors.TypingError:
        was_stored = False
        scope["inner"] = make_inner()
        code = nb.cfunc(signature, cache=True)(function)
    _loaded[identity] = code
    return code, was_stored


def _wrapper(source: str, name: str, key: str) -> tuple[Any, dict[str, Any]]:
    """A new Python function of the source, and its globals (all but ``inner``)."""
    scope: dict[str, Any] = {
        "__name__": __name__,  # numba stores the module name with the code
        "carray": nb.carray,
        "as_pointer": _as_pointer,
        "isfinite": np.isfinite,
        **{dtype: getattr(np, dtype) for dtype in ("int8", "int32", "int64", "float64")},
    }
    function = compile_numba_function_src(source, name, scope, scope, cache_key=f"{name}-{key}")
    return function, scope
