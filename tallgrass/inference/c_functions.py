"""The functions in C that nutpie calls, kept on disk by numba."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic
from pytensor.link.numba.cache import compile_numba_function_src

# Stored code must not outlive this file.
SOURCE_KEY = Path(__file__).read_text("utf-8")

# Machine code that this process has loaded. Numba never frees it, so that without this every run of
# a process would load its own copy.
_loaded: dict[tuple[str, str, str], Any] = {}

_DOUBLES = nb.types.CPointer(nb.types.double)
LOGP = nb.types.int64(nb.types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, nb.types.voidptr)
EXPAND = nb.types.int64(nb.types.uint64, nb.types.uint64, _DOUBLES, _DOUBLES, nb.types.voidptr)

# Sources of the functions that nutpie calls; ``sizes`` is that of ``Memory``. What they return to
# nutpie: 0 fine, 1 error, 3 gradient and 4 value not finite.
LOGP_SOURCE = """
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
EXPAND_SOURCE = """
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


@intrinsic  # type: ignore[untyped-decorator]
def _as_pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return nb.types.voidptr(address), generate


def c_function(
    source: str, name: str, signature: Any, key: str, make_inner: Callable[[], Any]
) -> tuple[Any, bool]:
    """The C function of a wrapper's source, and whether it was on disk (or in memory) already.

    Parameters
    ----------
    source : str
        Of a function that calls ``inner``.
    name : str
        Of the function in the source.
    signature : numba signature
        Its types.
    key : str
        Of everything that ``inner`` is made from.
    make_inner : callable
        It makes the numba function ``inner``, where no code is stored.
    """
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
        **{str(np.dtype(code)): np.dtype(code).type for code in np.typecodes["AllInteger"] + "?fd"},
    }
    function = compile_numba_function_src(source, name, scope, scope, cache_key=f"{name}-{key}")
    return function, scope
