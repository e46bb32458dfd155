"""A model as machine code for nutpie, kept on disk between runs.

nutpie builds the log-density from a PyMC graph in 5 to 20 seconds, most of it spent compiling
again what the last run compiled. Here the compiled functions are stored under a key made of the
graph itself (every operation, type and constant), the library versions and the kernel's source.
Votes are passed by pointer and are no part of the code, so that the same session and model, or
another one with the same shapes, starts from the stored code in well under a second.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numba as nb
import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
from llvmlite import ir
from numba.extending import intrinsic
from nutpie.compile_pymc import CompiledPyMCModel
from pytensor.compile.mode import get_mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs, io_toposort
from pytensor.link.numba.cache import compile_numba_function_src

from tallgrass.inference.cache import with_readable_cache
from tallgrass.inference.draws import Model
from tallgrass.inference.kernel import dense as kernel
from tallgrass.inference.kernel import sparse

_LIBRARIES = ("numba", "llvmlite", "numpy", "pytensor", "pymc", "nutpie")

# Sums are made in the order in which they are written. With reassociation every copy of a function
# rounds in an order of its own, and which copy runs depends on what the process has compiled or
# loaded before: the same seed would give other draws. The kernel is one function and keeps its own
# flags.
_FLAGS = {"numba__fastmath": False}

# Writing results into operands splits fused loops, and each piece is compiled separately: the
# hierarchical model would have 59 nodes instead of 38 and compile two seconds longer, and its draws
# would not be faster. The joint model needs it: without it, PyTensor's fusion of its graph never
# ends.
_LEFT_OUT = "inplace"

# Machine code that this process has loaded. Numba never frees it, so that without this every run of
# a process would load its own copy.
_loaded: dict[tuple[str, str, str], Any] = {}

_DOUBLES = nb.types.CPointer(nb.types.double)
_LOGP = nb.types.int64(nb.types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, nb.types.voidptr)
_EXPAND = nb.types.int64(nb.types.uint64, nb.types.uint64, _DOUBLES, _DOUBLES, nb.types.voidptr)

# Sources of the functions that nutpie calls. Its return codes: 0 fine, 1 error, 3 gradient and 4
# value not finite.
_LOGP_SOURCE = """
def logp(dim, x_, gradient_, value_, data_):
    if dim != {n}:
        return -1
    x, gradient, value = carray(x_, ({n},)), carray(gradient_, ({n},)), carray(value_, (1,))
    pointers = carray(data_, ({n_data},), uintp)
    try:
        result = inner({arguments})
    except Exception:
        return 1
    value[0] = result[0].item()
{gradients}
    # The loop looks at every entry: a loop that can end early is not vectorised.
    finite = True
    for i in range({n}):
        finite &= isfinite(gradient[i])
    if not finite:
        return 3
    return 0 if isfinite(value[0]) else 4
"""
_EXPAND_SOURCE = """
def expand(dim, expanded, x_, out_, data_):
    if dim != {n} or expanded != {n_out}:
        return -1
    x, out = carray(x_, ({n},)), carray(out_, ({n_out},))
    pointers = carray(data_, ({n_data},), uintp)
    try:
        result = inner({arguments})
    except Exception:
        return -2
{outputs}
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


def compile_model(model: Model) -> Compiled:
    """Compile log-density, gradient and the public variables, or load them from disk."""
    with pytensor.config.change_flags(**_FLAGS):
        return with_readable_cache(lambda: _compile_model(model))


def _compile_model(model: Model) -> Compiled:
    graph = model.graph
    point = model.start(np.random.default_rng(0))
    values = list(graph.value_vars)
    shapes = {value.name: np.shape(point[value.name]) for value in values}
    n = sum(int(np.prod(shape)) for shape in shapes.values())
    public = graph.replace_rvs_by_values([graph[name] for name in model.public])
    logp = graph.logp()
    shared = [x for x in graph_inputs([logp, *public]) if isinstance(x, SharedVariable)]
    # Must live until sampling ends: nutpie and the compiled code keep only their addresses.
    data = [np.ascontiguousarray(x.get_value(borrow=True)) for x in shared]

    names = {dim: len(labels) for dim, labels in graph.coords.items()}
    dims = {name: tuple(graph.named_vars_to_dims.get(name, ())) for name in model.public}
    public_shapes = [tuple(names[d] for d in dims[v]) for v in model.public]
    key = graph_key([logp, *public], values, list(shapes.values()), data)
    literals = _wrapper_parts(list(shapes.values()), public_shapes, data)

    def make_logp() -> Any:
        outputs = [logp, *pt.grad(logp, values)]
        return _numba_function([*values, *shared], outputs, model.in_place)

    def make_expand() -> Any:
        return _numba_function([*values, *shared], public, model.in_place)

    logp_code, logp_was_stored = _cfunc(
        _LOGP_SOURCE.format(**literals), "logp", _LOGP, key, make_logp
    )
    expand_code, expand_was_stored = _cfunc(
        _EXPAND_SOURCE.format(**literals), "expand", _EXPAND, key, make_expand
    )
    pointers = np.array([x.ctypes.data for x in data], np.uintp)
    return Compiled(
        CompiledPyMCModel(
            _n_dim=n,
            dims=dims,
            _coords={dim: pd.Index(labels) for dim, labels in graph.coords.items()},
            _shapes=dict(zip(model.public, public_shapes, strict=True)),
            compiled_logp_func=logp_code,
            compiled_expand_func=expand_code,
            initial_point_func=flat_start(model, [value.name for value in values]),
            shared_data={str(i): x for i, x in enumerate(data)},
            shared_var_keys={},
            user_data=pointers,
            n_expanded=literals["n_out"],
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
        point = model.start(np.random.default_rng(seed))
        return np.concatenate([np.ravel(point[name]) for name in names])

    return start


def _wrapper_parts(
    shapes: list[tuple[int, ...]], public_shapes: list[tuple[int, ...]], data: list[np.ndarray]
) -> dict[str, Any]:
    """Values for the placeholders of the wrappers' sources: sizes, arguments, copies of results."""
    parts, n = _parts(shapes)
    n_out = _parts(public_shapes)[1]
    arguments = [
        f"x[{part}]" if len(shape) == 1 else f"x[{part}].reshape({shape})"
        for part, shape in zip(parts, shapes, strict=True)
    ] + [f"carray(as_pointer(pointers[{i}]), {x.shape}, {x.dtype})" for i, x in enumerate(data)]
    # result[0] is the value; the gradients follow.
    gradients = _copies("gradient", shapes, first=1)
    outputs = _copies("out", public_shapes, first=0)
    return {
        "n": n,
        "n_out": n_out,
        "n_data": len(data),
        "arguments": ", ".join(arguments),
        "gradients": "\n".join(gradients),
        "outputs": "\n".join(outputs),
    }


def _parts(shapes: list[tuple[int, ...]]) -> tuple[list[str], int]:
    """Slices, as source text, of a flat vector that holds arrays of these shapes; its length."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    ends = np.cumsum([0, *sizes])
    return [f"{start}:{stop}" for start, stop in pairwise(ends)], int(ends[-1])


def _copies(target: str, shapes: list[tuple[int, ...]], first: int) -> list[str]:
    """Source lines that copy results into a flat vector, from result number ``first`` on."""
    lines, offset = [], 0
    for i, shape in enumerate(shapes, start=first):
        if shape:
            # A loop, not a slice: numba would compile a message about shapes with every slice.
            lines.append(f"    for k in range({shape[0]}):")
            lines.append(f"        {target}[{offset} + k] = result[{i}][k]")
        else:
            lines.append(f"    {target}[{offset}] = result[{i}].item()")
        offset += int(np.prod(shape))
    return lines


def graph_key(
    outputs: list[Any], values: list[Any], shapes: list[tuple[int, ...]], data: list[np.ndarray]
) -> str:
    """SHA-256 of everything that the compiled code depends on."""
    digest = hashlib.sha256()

    def add(*parts: Any) -> None:
        digest.update("\x1f".join(str(part) for part in parts).encode() + b"\x1e")

    add(
        _LOGP_SOURCE,
        _EXPAND_SOURCE,
        kernel.SOURCE_KEY,
        sparse.SOURCE_KEY,
        _FLAGS,
        _LEFT_OUT,
        *(version(library) for library in _LIBRARIES),
    )
    add(*shapes, *((x.shape, x.dtype) for x in data))
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
        properties = getattr(node.op, "__props__", ())
        add(
            type(node.op).__qualname__,
            node.op,
            *(f"{name}={getattr(node.op, name)}" for name in properties),
            operands,
            [x.type for x in node.outputs],
        )
        for x in node.outputs:
            number[x] = len(number)
    add(*(label(x) for x in outputs))
    return digest.hexdigest()


def _numba_function(inputs: list[Any], outputs: list[Any], in_place: bool) -> Any:
    """The numba function of a PyTensor graph, its shared variables turned into arguments."""
    # Inputs of a compiled function cannot be shared variables: plain ones of the same type.
    plain = [x.type() if isinstance(x, SharedVariable) else x for x in inputs]
    outputs = clone_replace(outputs, dict(zip(inputs, plain, strict=True)))
    mode = get_mode("NUMBA")
    if not in_place:
        mode = mode.excluding(_LEFT_OUT)
    function = pytensor.function(plain, outputs, mode=mode, on_unused_input="ignore")
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
        "uintp": np.uintp,
        **{dtype: getattr(np, dtype) for dtype in ("int8", "int32", "int64", "float64")},
    }
    function = compile_numba_function_src(source, name, scope, scope, cache_key=f"{name}-{key}")
    return function, scope
