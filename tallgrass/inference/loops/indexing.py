"""Parts of arrays, and entries by index: read, added to and set."""

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)

from tallgrass.inference.loops.program import NotLoopsError, Program, View
from tallgrass.inference.loops.values import BEYOND, Values, has_axes, whole, write
from tallgrass.inference.loops.vectors import add_at


@write.register
def _(op: Subtensor, node: Apply, values: Values) -> None:
    x, *given = node.inputs
    if any(isinstance(entry, slice) for entry in op.idx_list):
        name = values.program.assign("a", f"{values.array(x)}[{_slices(op, given, values)}]")
        values.new(node.outputs[0], name)
        return
    view, program = values.view(x), values.program
    fixed = [
        _checked(values.number(given[place]), size, program)
        for place, size in zip(op.idx_list, view.sizes, strict=False)
    ]
    if len(fixed) == len(view.sizes):
        values.put(node.outputs[0], program.assign("v", view.entry(fixed)))
        return
    rest = view.sizes[len(fixed) :]
    values.put(node.outputs[0], View(rest, lambda indices: view.entry([*fixed, *indices])))


def _checked(index: str, size: str, program: Program) -> str:
    """An index of an axis, required to be within it."""
    if not (index.isdigit() and size.isdigit() and int(index) < int(size)):
        program.require(f"(-{size} <= {index}) & ({index} < {size})", BEYOND)
    return index


def _slices(op: Any, given: Sequence[Any], values: Values) -> str:
    """What stands in the brackets of an array of which a part is taken."""

    def bound(place: Any) -> str:
        return "" if place is None else values.number(given[place])

    return ", ".join(
        f"{bound(entry.start)}:{bound(entry.stop)}:{bound(entry.step)}"
        if isinstance(entry, slice)
        else bound(entry)
        for entry in op.idx_list
    )


@write.register
def _(op: IncSubtensor, node: Apply, values: Values) -> None:
    target, x, *given = node.inputs
    if target.type.ndim != 1 or op.inplace:
        raise NotLoopsError(f"{op}")
    program, sign = values.program, "=" if op.set_instead_of_inc else "+="
    name, value = values.to_change(target), values.of(x)
    [place], size = op.idx_list, values.view(target).sizes
    if not isinstance(place, slice):
        index = _checked(values.number(given[place]), size[0], program)
        program.write(f"{name}[{index}] {sign} {values.number(x)}")
    else:
        part = program.assign("a", f"{name}[{_slices(op, given, values)}]")
        n = program.assign("n", f"{part}.shape[0]")
        if isinstance(value, View) and not x.type.broadcastable[0]:
            program.same_sizes([(value.sizes[0], n)])
        with program.loops([n]) as indices:
            program.write(f"{part}[{indices[0]}] {sign} {values.entry(x, indices)}")
    values.made(node.outputs[0], whole(name, size))


@write.register
def _(op: AdvancedSubtensor, node: Apply, values: Values) -> None:
    x, *given = node.inputs
    axis, index = _only_index(op, given)
    view = values.view(x)
    name = values.array(index)
    position = values.new(index, name, values.view(index).sizes)
    values.check_indices(position, view.sizes[axis])
    n = index.type.ndim

    def entry(indices: Sequence[str]) -> str:
        at = position.entry(indices[axis : axis + n])
        return view.entry([*indices[:axis], at, *indices[axis + n :]])

    sizes = (*view.sizes[:axis], *position.sizes, *view.sizes[axis + 1 :])
    values.put(node.outputs[0], View(sizes, entry))


def _only_index(op: Any, given: Sequence[Any]) -> tuple[int, Any]:
    """The axis that is indexed by an array of integers, all others being taken whole."""
    chosen = [axis for axis, entry in enumerate(op.idx_list) if entry != slice(None)]
    if len(chosen) == 1 and len(given) == 1:
        index = given[0]
        if has_axes(index) and index.type.dtype == "int64":
            return chosen[0], index
    raise NotLoopsError(f"{op}")


@write.register
def _(op: AdvancedIncSubtensor, node: Apply, values: Values) -> None:
    target, x, *given = node.inputs
    axis, index = _only_index(op, given)
    if op.inplace or op.ignore_duplicates or target.type.ndim != 1 or index.type.ndim != 1:
        raise NotLoopsError(f"{op}")
    program, name = values.program, values.to_change(target)
    value, size = values.of(x), values.view(target).sizes[axis]
    position = values.new(index, values.array(index), values.view(index).sizes)
    values.check_indices(position, size)
    if isinstance(value, View) and not x.type.broadcastable[0]:
        program.same_sizes([(value.sizes[0], position.sizes[0])])
    has_array = isinstance(value, View) and value.array is not None
    if has_array and not x.type.broadcastable[0] and not op.set_instead_of_inc:
        program.write(f"{program.known(add_at)}({name}, {position.array}, {values.array(x)})")
    else:
        with program.loops(position.sizes) as [i]:
            sign = "=" if op.set_instead_of_inc else "+="
            program.write(f"{name}[{position.entry([i])}] {sign} {values.entry(x, [i])}")
    values.made(node.outputs[0], whole(name, [size]))
