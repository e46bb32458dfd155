"""What stands for each variable of a graph in the source of its function.

A *value* is a name or a number for what has no axes, and a :class:`View` for everything else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import singledispatch
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Constant
from pytensor.scalar.basic import ScalarType
from pytensor.tensor.type import TensorType

from tallgrass.inference.loops.program import NotLoopsError, Program, View
from tallgrass.inference.loops.scalars import DTYPES, literal
from tallgrass.inference.loops.vectors import within

Value = str | View
BEYOND = "an index is beyond the end of its axis"
_NUMPY = {"bool": "bool_"}


class Values:
    """What stands for each variable of a graph, and the lines that it needs.

    Parameters
    ----------
    graph : FunctionGraph
        The graph after PyTensor's rewrites.
    program : Program
        Where lines are written.
    """

    def __init__(self, graph: Any, program: Program) -> None:
        self.graph, self.program = graph, program
        self._values: dict[Any, Value] = {}
        self._arrays: dict[Any, str] = {}
        self._checked: set[tuple[str, str]] = set()
        self._made: set[Any] = set()  # whose arrays nothing else stands for

    def put(self, variable: Any, value: Value) -> None:
        """Say what stands for a variable."""
        self._values[variable] = value

    def __contains__(self, variable: Any) -> bool:
        return variable in self._values

    def of(self, variable: Any) -> Value:
        """What stands for a variable; a constant is given a name where it has axes."""
        if variable not in self._values:
            if not isinstance(variable, Constant):
                raise NotLoopsError(f"{variable} is not known yet")
            self._values[variable] = self._constant(variable)
        return self._values[variable]

    def view(self, variable: Any) -> View:
        """What stands for a variable with axes."""
        value = self.of(variable)
        if not isinstance(value, View):
            raise NotLoopsError(f"{variable} has no axes")
        return value

    def number(self, variable: Any) -> str:
        """What stands for a variable without axes."""
        value = self.of(variable)
        if not isinstance(value, str):
            raise NotLoopsError(f"{variable} has axes")
        return value

    def entry(self, variable: Any, indices: Sequence[str]) -> str:
        """Source of an entry, whose index along an axis of one entry is that one; or the number."""
        value = self.of(variable)
        if isinstance(value, str):
            return value
        single = variable.type.broadcastable
        return value.entry(["0" if single[i] else index for i, index in enumerate(indices)])

    def array(self, variable: Any) -> str:
        """A name for a NumPy array of a variable, with no axis too."""
        if variable not in self._arrays:
            value = self.of(variable)
            if isinstance(variable, Constant):
                self._arrays[variable] = self._constant_array(variable)
            elif isinstance(value, str):
                self._arrays[variable] = self.program.assign("a", f"asarray({value})")
            elif value.array is not None:
                row = "[" in value.array
                self._arrays[variable] = (
                    self.program.assign("a", value.array) if row else value.array
                )
            else:
                self._arrays[variable] = self.copy(variable)
        return self._arrays[variable]

    def matrix(self, variable: Any) -> str:
        """As :meth:`array`, in the other order in memory where that saves a copy."""
        value = self.of(variable)
        if variable in self._arrays or isinstance(value, str) or value.transposed is None:
            return self.array(variable)
        return f"{value.transposed}.T"

    def made(self, variable: Any, view: View) -> None:
        """As :meth:`put`, for an array that was made here."""
        self._made.add(variable)
        self.put(variable, view)

    def to_change(self, variable: Any) -> str:
        """A name for an array with the entries of a variable, to be written into.

        It is the array of the variable where nothing else reads that, else a copy.
        """
        if variable in self._made and len(self.graph.clients[variable]) == 1:
            return self.array(variable)
        return self.copy(variable)

    def copy(self, variable: Any) -> str:
        """A name for a new array with the entries of a variable."""
        value = self.view(variable)
        if value.array is not None:
            return self.program.assign("a", f"{value.array}.copy()")
        name = self.program.empty(value.sizes, numpy_dtype(variable))
        with self.program.loops(value.sizes) as indices:
            self.program.write(f"{name}[{', '.join(indices)}] = {value.entry(indices)}")
        return name

    def new(self, variable: Any, name: str, sizes: Sequence[str] | None = None) -> View:
        """Let an array of this name stand for a variable; sizes are read from it by default."""
        if sizes is None:
            sizes = [
                str(size) if size is not None else self.program.assign("n", f"{name}.shape[{axis}]")
                for axis, size in enumerate(variable.type.shape)
            ]
        view = whole(name, sizes)
        self.put(variable, view)
        return view

    def check_indices(self, index: View, size: str) -> None:
        """Lines that require indices within an axis; once for the same two."""
        assert index.array is not None
        if (index.array, size) in self._checked:
            return
        self._checked.add((index.array, size))
        flat = index.array if len(index.sizes) == 1 else f"{index.array}.ravel()"
        self.program.require(f"{self.program.known(within)}({flat}, {size})", BEYOND)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is written inside is taken back where it ends with a NotLoopsError."""
        kept = dict(self._values), dict(self._arrays), set(self._checked), set(self._made)
        mark = self.program.mark()
        try:
            yield
        except NotLoopsError:
            self._values, self._arrays, self._checked, self._made = kept
            self.program.return_to(mark)
            raise

    def _constant(self, variable: Constant) -> Value:
        if not has_axes(variable):
            return literal(variable)
        return whole(self._constant_array(variable), [str(n) for n in variable.data.shape])

    def _constant_array(self, variable: Constant) -> str:
        if variable not in self._arrays:
            data = np.ascontiguousarray(variable.data).reshape(np.shape(variable.data))
            self._arrays[variable] = self.program.share("constant", data)
        return self._arrays[variable]


def whole(name: str, sizes: Sequence[str], row: str = "") -> View:
    """An array of this name, or a row of it."""

    def entry(indices: Sequence[str]) -> str:
        places = ("0" if size == "1" else index for index, size in zip(indices, sizes, strict=True))
        return f"{name}[{row}{', '.join(places)}]"

    return View(tuple(sizes), entry, f"{name}[{row}]" if row else name)


def single(number: str, ndim: int) -> View:
    """A number with axes of one entry each."""
    return View(("1",) * ndim, lambda _: number)


def numpy_dtype(variable: Any) -> str:
    """The global name of the NumPy type of a variable's entries."""
    dtype: str = variable.type.dtype
    if dtype not in DTYPES:
        raise NotLoopsError(f"an array of {dtype}")
    return _NUMPY.get(dtype, dtype)


def has_axes(variable: Any) -> bool:
    """Whether a variable is a tensor with axes, and not one number."""
    if isinstance(variable.type, ScalarType):
        return False
    if not isinstance(variable.type, TensorType):
        raise NotLoopsError(f"{variable.type}")
    return bool(variable.type.ndim > 0)


@singledispatch
def write(op: Any, node: Apply, values: Values) -> None:
    """Write the lines of a node, and say what stands for its outputs.

    Raises
    ------
    NotLoopsError
        When this operation, on operands of these types, has no form of loops.
    """
    raise NotLoopsError(f"{op}")
