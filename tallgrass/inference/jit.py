"""Functions that numba compiles, stored for the user under a key of what they are made of.

Numba's own cache lies beside the source file, is made anew in every checkout and every
environment, and does not see a change of a function that the stored one calls. PyTensor's folder is
that of the user, and holds code under a key: here the source of the module, the compiled functions
that it uses of other modules, and numba's options. Numba adds its version and the processor.
"""

import functools
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as nb
from numba.extending import is_jitted
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

from tallgrass.inference.cache import keep_private


def stored_njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """``numba.njit`` whose machine code is kept in the user's folder.

    The function releases Python's lock, and divides as NumPy does.

    Parameters
    ----------
    **options
        Others of ``numba.njit``, such as ``fastmath``.

    Raises
    ------
    SamplingError
        When the folder of stored code belongs to another user.

    Examples
    --------
    >>> from tallgrass.inference.jit import stored_njit
    >>> @stored_njit()
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    options = {"error_model": "numpy", "nogil": True, **options}

    def decorate(function: Callable[..., Any]) -> Any:
        _keep_private_once()
        CACHED_SRC_FUNCTIONS[function] = _key(function, options)
        return nb.njit(cache=True, **options)(function)

    return decorate


# Code that others could have put there would be run by the first call.
_keep_private_once = functools.cache(keep_private)


def _key(function: Callable[..., Any], options: dict[str, Any]) -> str:
    settings = sorted((name, sorted(v) if isinstance(v, set) else v) for name, v in options.items())
    content = f"{settings}\x1f{_source_key(function.__module__)}"
    return f"{function.__module__}-{hashlib.sha256(content.encode()).hexdigest()}"


@functools.cache
def _source_key(name: str) -> str:
    """SHA-256 of the source of a module, and of those whose compiled functions it uses."""
    module = sys.modules[name]
    source = Path(module.__file__).read_bytes() if module.__file__ else b""
    used = {value.py_func.__module__ for value in vars(module).values() if is_jitted(value)}
    keys = [_source_key(other) for other in sorted(used - {name})]
    return hashlib.sha256(source + "".join(keys).encode()).hexdigest()
