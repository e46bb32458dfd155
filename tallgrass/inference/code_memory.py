"""Where the compiled code of a model finds its data, and the lines of source that say so."""

from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from tallgrass.inference.unpacking import is_packed, pack

# A change of what stands where is a change of the code.
SOURCE_KEY = Path(__file__).read_text("utf-8")


class Memory:
    """Where the compiled code finds the data of a model, and how large everything is.

    ``sizes`` is one vector of integers: the address and the shape of every array of data, then
    where each part of the vector of values begins and ends, then the same of what is kept. Where a
    number stands in it depends on the model alone; ``arguments`` are the arrays as source text.
    """

    def __init__(self, shared: list[Any], lengths: list[int], public: list[int]) -> None:
        packed = pack([x.get_value(borrow=True) for x in shared if is_packed(x)])
        rest = [x.get_value(borrow=True) for x in shared if not is_packed(x)]
        self.arrays = [np.ascontiguousarray(x) for x in (*packed, *rest)]
        numbers: list[int] = []
        self.arguments: list[str] = []
        for x in self.arrays:
            at = len(numbers)
            shape = "".join(f"sizes[{at + 1 + axis}], " for axis in range(x.ndim))
            self.arguments.append(f"carray(as_pointer(sizes[{at}]), ({shape}), {x.dtype})")
            numbers += [x.ctypes.data, *x.shape]
        self.at_values = len(numbers)
        self.at_public = self.at_values + len(lengths) + 1
        ends = [*accumulate(lengths, initial=0), *accumulate(public, initial=0)]
        self.sizes = np.array([*numbers, *ends], np.int64)


def parts_of_x(values: list[Any], at: int) -> list[str]:
    """The values as source text, parts of the flat vector x that begin at sizes[at], ..."""
    parts = (f"x[sizes[{i}]:sizes[{i + 1}]]" for i in range(at, at + len(values)))
    return [
        part if value.ndim == 1 else f"{part}.reshape({value.type.shape})"
        for part, value in zip(parts, values, strict=True)
    ]


def copies(target: str, results: list[Any], at: int, first: int) -> str:
    """Source lines that copy results into a flat vector, from result number ``first`` on."""
    lines = []
    for i, variable in enumerate(results):
        result, start = f"result[{first + i}]", f"sizes[{at + i}]"
        if variable.ndim == 0:
            lines.append(f"    {target}[{start}] = {result}.item()")
        else:
            # A loop, not a slice: numba would compile a message about shapes with every slice.
            lines.append(f"    for k in range(len({result})):")
            lines.append(f"        {target}[{start} + k] = {result}[k]")
    return "\n".join(lines)
