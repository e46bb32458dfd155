"""The source of a numba function while it is written, and what stands for each variable in it."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numba as nb


class NotLoopsError(Exception):
    """A graph has a part that is not written as loops."""


@dataclass(frozen=True)
class View:
    """A tensor with one axis or more, as source text.

    Parameters
    ----------
    sizes : tuple of str
        Number of entries along each axis: a name, or a number where the type says it.
    entry : callable
        Source of one index for each axis -> source of the entry.
    array : str, optional
        Source of a NumPy array with these entries; None where there is none.
    transposed : str, optional
        Source of one whose axes are in the opposite order, where that is at hand instead.
    """

    sizes: tuple[str, ...]
    entry: Callable[[Sequence[str]], str]
    array: str | None = None
    transposed: str | None = None


def _check(message: str) -> Any:
    @nb.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    def check(holds):  # type: ignore[no-untyped-def]
        if not holds:
            raise ValueError(message)

    return check


class Program:
    """Lines of source, and the global names that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {}
        self._indent = 1
        self._n_names = 0
        self._functions: dict[Hashable, str] = {}
        self._same: dict[str, str] = {}  # a size -> another one that was found equal to it

    def name(self, prefix: str) -> str:
        """A name that the function does not use yet."""
        self._n_names += 1
        return f"{prefix}{self._n_names}"

    def write(self, line: str) -> None:
        """Add a line at the present depth of loops."""
        self.lines.append("    " * self._indent + line)

    def assign(self, prefix: str, expression: str) -> str:
        """Add a line that gives an expression a new name; the name."""
        name = self.name(prefix)
        self.write(f"{name} = {expression}")
        return name

    @contextmanager
    def loops(self, sizes: Sequence[str]) -> Iterator[list[str]]:
        """Loops over all indices of these sizes, one in the other; the indices as source text."""
        indices, before = [], self._indent
        for size in sizes:
            if size == "1":
                indices.append("0")
                continue
            indices.append(self.name("i"))
            self.write(f"for {indices[-1]} in range({size}):")
            self._indent += 1
        try:
            yield indices
        finally:
            self._indent = before

    def function(self, key: Hashable, make: Callable[[], Any]) -> str:
        """The global name of a compiled function, which is made once for a key."""
        if key not in self._functions:
            self._functions[key] = self.share("function", make())
        return self._functions[key]

    def known(self, function: Any) -> str:
        """The global name of a function that is compiled already."""
        return self.function(function, lambda: function)

    def share(self, prefix: str, value: Any) -> str:
        """A global name for a value."""
        name = self.name(prefix)
        self.scope[name] = value
        return name

    def empty(self, sizes: Sequence[str], dtype: str) -> str:
        """A new array whose entries are still to be written; its name."""
        return self.assign("a", f"empty(({', '.join(sizes)},), {dtype})")

    def require(self, condition: str, message: str) -> None:
        """A line that raises an error where a condition does not hold.

        A function of its own raises it: where numba sees a function end early, it writes the end of
        every array of the function at that place.
        """
        check = self.function(message, lambda: _check(message))
        self.write(f"{check}({condition})")

    def same_sizes(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Require that two sizes of each pair are equal, unless that is known."""
        conditions = []
        for pair in pairs:
            first, second = (self._known(size) for size in pair)
            if first == second:
                continue
            conditions.append(f"({first} == {second})")
            if first.isdigit():
                first, second = second, first
            self._same[first] = second
        if conditions:
            self.require(" & ".join(conditions), "arrays differ in size")

    def mark(self) -> tuple[int, dict[str, str]]:
        """The present state, for :meth:`return_to`."""
        return len(self.lines), dict(self._same)

    def return_to(self, mark: tuple[int, dict[str, str]]) -> None:
        """Take back what was written since a mark."""
        n_lines, self._same = mark
        del self.lines[n_lines:]

    def _known(self, size: str) -> str:
        while size in self._same:
            size = self._same[size]
        return size
