"""Numbers of a model that its compiled code reads and does not contain.

What a model is made of stands in its graph; how large it is, and with which numbers, stands in
these variables. So the code of a model is compiled once and serves every data set: other sizes,
other votes, and priors with other parameters. PyTensor calls such a variable shared.
"""

from typing import Any

import numpy as np
import pytensor
from numpy.typing import ArrayLike


def number(value: float) -> Any:
    """A scalar of a model, such as a parameter of a prior or a count that it calculates with."""
    return pytensor.shared(np.array(value, np.float64))


def size(value: int) -> Any:
    """A length, for the shape of a free variable or the bounds of a slice."""
    return pytensor.shared(np.array(value, np.int64))


def numbers(values: ArrayLike) -> Any:
    """A vector or matrix of doubles."""
    return pytensor.shared(np.ascontiguousarray(values, np.float64))


def integers(values: ArrayLike) -> Any:
    """A vector or matrix of integers, such as indices.

    Raises
    ------
    TypeError
        When the values are not integers.
    """
    array = np.asarray(values)
    return pytensor.shared(np.ascontiguousarray(array.astype(np.int64, casting="same_kind")))
