"""The data of a model as a few arguments of its compiled code."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.inference.unpacking import is_packed, pack, unpacked

ARRAYS = [
    np.array(2.5),
    np.arange(6.0).reshape(2, 3),
    np.zeros(0),
    np.array(4),
    np.array([3, 1, 2]),
    np.array([0.5, -1.0]),
]


def views(mode, arrays):
    """The arrays as the Op gives them back, and a function of the vectors that they are in."""
    shared = [pytensor.shared(x) for x in ARRAYS]
    inputs, parts = unpacked(shared)
    function = pytensor.function(inputs, [parts[x] for x in shared], mode=mode)
    return function(*pack(arrays))


@pytest.mark.parametrize("mode", ["NUMBA", "FAST_COMPILE"])
def test_packed_arrays_come_back_with_their_shapes_and_types(mode):
    for array, view in zip(ARRAYS, views(mode, ARRAYS), strict=True):
        assert view.dtype == array.dtype
        np.testing.assert_array_equal(view, array)


def test_arrays_of_other_sizes_come_back_from_the_same_code():
    other = [x if x.ndim == 0 else np.repeat(x, 2, axis=0) for x in ARRAYS]
    for array, view in zip(other, views("NUMBA", other), strict=True):
        np.testing.assert_array_equal(view, array)


def test_compiled_code_does_not_overwrite_the_data():
    shared = numbers(np.ones(4))
    inputs, parts = unpacked([shared])
    # PyTensor would add into the first operand, if that were an array of its own.
    changed = pt.inc_subtensor(parts[shared][1:3], 5.0)
    function = pytensor.function(inputs, changed, mode="NUMBA")
    packed = pack([np.ones(4)])
    np.testing.assert_array_equal(function(*packed), [1, 6, 6, 1])
    np.testing.assert_array_equal(packed.numbers, np.ones(4))


def test_doubles_and_integers_are_packed_and_votes_are_not():
    packed = [number(1), size(2), numbers([1, 2]), integers([1, 2])]
    assert all(map(is_packed, packed))
    assert not is_packed(pytensor.shared(np.zeros((2, 2), np.int8)))


def test_an_index_that_is_not_an_integer_is_refused():
    with pytest.raises(TypeError):
        integers([0.5])
