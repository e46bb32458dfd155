"""Data of a model in two shared vectors, so that its compiled code contains no data.

Numba compiles no call with more than about thirty arguments, and every argument takes time to
compile. A model of two chambers has more index vectors and weights than that. Packed into one
vector of integers and one vector of numbers, they are two arguments. The code depends only on the
lengths of these vectors, so that other votes of the same shape run the code that is on disk.
"""

from typing import Any

import numpy as np
import pytensor
from numpy.typing import ArrayLike, NDArray


class Packed:
    """Collects arrays in one shared vector; each array is returned as a slice of it."""

    def __init__(self, name: str, dtype: type[np.generic]) -> None:
        self._dtype = dtype
        self._parts: list[NDArray[Any]] = []
        self._length = 0
        self._shared = pytensor.shared(np.zeros(0, dtype), name=name)

    def __call__(self, values: ArrayLike) -> Any:
        """The values as a slice of the shared vector; a matrix where the values are a matrix."""
        array = np.asarray(values).astype(self._dtype, casting="same_kind")
        start, self._length = self._length, self._length + array.size
        self._parts.append(array.ravel())
        self._shared.set_value(np.concatenate(self._parts))
        part = self._shared[start : self._length]
        return part if array.ndim == 1 else part.reshape(array.shape)
