"""Data of a model in two shared vectors, so that its compiled code holds none of them.

Numba takes no call of more than about thirty arguments, and every one costs compilation. A model of
two chambers has more index vectors and weights than that. Packed into one vector of integers and
one of numbers they are two arguments, and the code depends on their lengths only: other votes of
the same shape run the code that is there.
"""

from typing import Any

import numpy as np
import pytensor
from numpy.typing import ArrayLike, NDArray


class Packed:
    """Collects arrays; each is at once a part of one shared vector."""

    def __init__(self, name: str, dtype: type[np.generic]) -> None:
        self._dtype = dtype
        self._parts: list[NDArray[Any]] = []
        self._length = 0
        self._shared = pytensor.shared(np.zeros(0, dtype), name=name)

    def __call__(self, values: ArrayLike) -> Any:
        """The values as a PyTensor vector, or a matrix where they are one."""
        array = np.asarray(values).astype(self._dtype, casting="same_kind")
        start, self._length = self._length, self._length + array.size
        self._parts.append(array.ravel())
        self._shared.set_value(np.concatenate(self._parts))
        part = self._shared[start : self._length]
        return part if array.ndim == 1 else part.reshape(array.shape)
