"""Arrays with other axes, sizes and orders, put together and taken apart."""

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import Alloc, Join, MakeVector, ScalarFromTensor, Split, TensorFromScalar
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.shape import Shape_i, SpecifyShape
from pytensor.tensor.sort import ArgSortOp, SortOp
from pytensor.tensor.type_other import NoneTypeT

from tallgrass.inference.loops.program import NotLoopsError, Program, View
from tallgrass.inference.loops.values import Values, numpy_dtype, single, whole, write
from tallgrass.inference.loops.vectors import ascending, copy_into
from tallgrass.inference.unpacking import Unpack


@write.register
def _(op: DimShuffle, node: Apply, values: Values) -> None:
    [x], [output] = node.inputs, node.outputs
    value, order = values.of(x), list(op.new_order)
    if isinstance(value, str):
        values.put(output, single(value, len(order)) if order else value)
        return
    values.program.same_sizes(
        (size, "1") for axis, size in enumerate(value.sizes) if axis not in order
    )

    def entry(indices: Sequence[str]) -> str:
        return value.entry(
            [indices[order.index(axis)] if axis in order else "0" for axis in range(x.type.ndim)]
        )

    if not order:
        values.put(output, values.program.assign("v", entry(())))
        return
    sizes = tuple("1" if axis == "x" else value.sizes[axis] for axis in order)
    axes = list(range(x.type.ndim))
    array, transposed = value.array, value.transposed
    if order == axes[::-1] and len(axes) > 1:
        array, transposed = transposed, array
    elif order != axes:
        array = transposed = None
    values.put(output, View(sizes, entry, array, transposed))


@write.register
def _(op: Alloc, node: Apply, values: Values) -> None:
    x, *lengths = node.inputs
    value, program = values.of(x), values.program
    sizes = [values.number(length) for length in lengths]
    if isinstance(value, str):
        values.put(node.outputs[0], View(tuple(sizes), lambda _: value))
        return
    missing = len(sizes) - len(value.sizes)
    program.same_sizes(
        (size, sizes[missing + axis])
        for axis, size in enumerate(value.sizes)
        if not x.type.broadcastable[axis]
    )

    def entry(indices: Sequence[str]) -> str:
        return values.entry(x, indices[missing:])

    values.put(node.outputs[0], View(tuple(sizes), entry))


@write.register(ScalarFromTensor)
@write.register(TensorFromScalar)
def _(op: Any, node: Apply, values: Values) -> None:
    values.put(node.outputs[0], values.of(node.inputs[0]))


@write.register
def _(op: Shape_i, node: Apply, values: Values) -> None:
    values.put(node.outputs[0], values.view(node.inputs[0]).sizes[op.i])


@write.register
def _(op: SpecifyShape, node: Apply, values: Values) -> None:
    x, *lengths = node.inputs
    view = values.view(x)
    values.program.same_sizes(
        (size, values.number(length))
        for size, length in zip(view.sizes, lengths, strict=True)
        if not isinstance(length.type, NoneTypeT)
    )
    values.put(node.outputs[0], view)


@write.register
def _(op: CheckAndRaise, node: Apply, values: Values) -> None:
    x, *conditions = node.inputs
    for condition in conditions:
        values.program.require(values.number(condition), str(op.msg))
    values.put(node.outputs[0], values.of(x))


@write.register
def _(op: MakeVector, node: Apply, values: Values) -> None:
    name = values.program.empty([str(len(node.inputs))], numpy_dtype(node.outputs[0]))
    for i, x in enumerate(node.inputs):
        values.program.write(f"{name}[{i}] = {values.number(x)}")
    values.made(node.outputs[0], whole(name, [str(len(node.inputs))]))


@write.register
def _(op: Join, node: Apply, values: Values) -> None:
    parts = node.inputs
    output, program = node.outputs[0], values.program
    if output.type.ndim != 1 or any(x.type.dtype != output.type.dtype for x in parts):
        raise NotLoopsError("arrays with more axes are joined")
    views = [values.view(x) for x in parts]
    starts = ["0"]
    for view in views:
        starts.append(_sum(starts[-1], view.sizes[0], program))
    size = starts.pop()
    name = program.empty([size], numpy_dtype(output))
    for x, view, start in zip(parts, views, starts, strict=True):
        if view.sizes == ("1",):
            program.write(f"{name}[{start}] = {view.entry(['0'])}")
        else:
            program.write(f"{program.known(copy_into)}({name}, {start}, {values.array(x)})")
    values.made(output, whole(name, [size]))


def _sum(one: str, other: str, program: Program) -> str:
    """Source of the sum of two sizes."""
    if one.isdigit() and other.isdigit():
        return str(int(one) + int(other))
    return program.assign("n", f"{one} + {other}")


@write.register
def _(op: Split, node: Apply, values: Values) -> None:
    x, lengths = node.inputs
    if x.type.ndim != 1:
        raise NotLoopsError(f"{op}")
    program, array, size = values.program, values.array(x), values.view(x).sizes[0]
    start = "0"
    for i, output in enumerate(node.outputs):
        n = program.assign("n", values.view(lengths).entry([str(i)]))
        program.require(f"{n} >= 0", "a part of an array has a negative size")
        end = program.assign("n", f"{start} + {n}")
        values.new(output, program.assign("a", f"{array}[{start}:{end}]"), [n])
        start = end
    program.same_sizes([(start, size)])


@write.register(SortOp)
@write.register(ArgSortOp)
def _(op: Any, node: Apply, values: Values) -> None:
    x = node.inputs[0]
    if x.type.ndim != 1:
        raise NotLoopsError(f"{op}")
    program, view = values.program, values.view(x)
    order = program.assign("a", f"{program.known(ascending)}({values.array(x)})")
    if isinstance(op, ArgSortOp):
        values.new(node.outputs[0], order, view.sizes)
    else:
        entry = view.entry
        values.put(node.outputs[0], View(view.sizes, lambda at: entry([f"{order}[{at[0]}]"])))


@write.register
def _(op: Unpack, node: Apply, values: Values) -> None:
    numbers, integers, layout = (values.array(x) for x in node.inputs)
    first = 0
    for output, (dtype, ndim) in zip(node.outputs, op.kinds, strict=True):
        if not values.graph.clients[output]:
            first += 1 + ndim
            continue
        flat = numbers if dtype == "float64" else integers
        start = f"{layout}[{first}]"
        if ndim == 0:
            values.put(output, values.program.assign("v", f"{flat}[{start}]"))
        else:
            program = values.program
            sizes = [program.assign("n", f"{layout}[{first + 1 + axis}]") for axis in range(ndim)]
            array = program.assign("a", f"{flat}[{start}:{start} + {' * '.join(sizes)}]")
            if ndim > 1:
                array = program.assign("a", f"{array}.reshape(({', '.join(sizes)}))")
            values.new(output, array, sizes)
        first += 1 + ndim
