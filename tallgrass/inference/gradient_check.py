"""Whether the compiled gradient is that of the compiled density.

A fault of a compiler is not seen in draws: with a wrong gradient a chain takes tiny steps, or ends
at another place. So code is held against finite differences, each time before it is used.
"""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = (1e-4, 5e-5)  # along a direction of unit length
_TOLERANCE = 1e-3  # of the length of the gradient; differences of a right one are below 1e-5
_DIRECTIONS = 3
_DOUBLES = ctypes.POINTER(ctypes.c_double)


def gradient_agrees(code: Any, seed: int = 0) -> bool:
    """Whether value and gradient agree along some directions, at the start of the model.

    Central differences of two lengths are taken, ``(f(x + h d) - f(x - h d)) / (2 h)`` with h and
    h / 2. Where these two differ, or a value is not finite, nothing can be said, and that counts
    as agreement: a kink of the density is no fault.

    Parameters
    ----------
    code : nutpie.CompiledPyMCModel
        What nutpie samples: its C function takes a flat point and gives value and gradient.
    seed : int
        Of the start and of the directions.
    """
    generator = np.random.default_rng([seed, 1])  # other numbers than those of the start
    start = np.asarray(code.initial_point_func(seed), float)
    value, gradient = _evaluated(code, start)
    if not np.isfinite(value):
        return True
    if not np.isfinite(gradient).all():
        return False
    for _ in range(_DIRECTIONS):
        direction = generator.normal(size=len(start))
        direction /= np.linalg.norm(direction)
        long, short = (_difference(code, start, step * direction) / step for step in _STEPS)
        allowed = _TOLERANCE * max(np.linalg.norm(gradient), abs(short), 1.0)
        if not abs(long - short) < 0.1 * allowed:  # so for NaN too
            continue
        if not abs(short - gradient @ direction) < allowed:
            return False
    return True


def _difference(code: Any, at: NDArray[np.float64], step: NDArray[np.float64]) -> float:
    return (_evaluated(code, at + step)[0] - _evaluated(code, at - step)[0]) / 2


def _evaluated(code: Any, at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Value and gradient at a point; NaN where the code says that they are not finite."""
    value, gradient = np.full(1, np.nan), np.full(len(at), np.nan)
    status = code.compiled_logp_func.ctypes(
        len(at),
        *(array.ctypes.data_as(_DOUBLES) for array in (at, gradient, value)),
        ctypes.c_void_p(code.user_data.ctypes.data),
    )
    return (float(value[0]) if status == 0 else np.nan), gradient
