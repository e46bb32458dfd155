"""Operations on all entries, and their sums, as loops."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Apply
from pytensor.tensor.elemwise import CAReduce, Elemwise

from tallgrass.inference.loops.program import NotLoopsError, Program, View
from tallgrass.inference.loops.scalars import WIDE, write_scalar_op
from tallgrass.inference.loops.values import Values, has_axes, numpy_dtype, single, whole, write

_REDUCED = {
    ps.Add: "{0} + {1}",
    ps.Mul: "{0} * {1}",
    ps.AND: "{0} & {1}",
    ps.OR: "{0} | {1}",
}


@write.register
def _(op: Elemwise, node: Apply, values: Values) -> None:
    program = values.program
    scalar_node = op.make_scalar_node(*node.inputs)
    if not has_axes(node.outputs[0]):
        operands = [values.number(x) for x in node.inputs]
        names = write_scalar_op(program, op.scalar_op, scalar_node, operands)
        for output, name in zip(node.outputs, names, strict=True):
            values.put(output, name)
        return
    sizes = _common_sizes(node, values)
    if set(sizes) == {"1"}:
        entries = [_named_entry(x, ["0"] * len(sizes), values) for x in node.inputs]
        names = write_scalar_op(program, op.scalar_op, scalar_node, entries)
        for output, name in zip(node.outputs, names, strict=True):
            values.put(output, single(name, len(sizes)))
        return
    # A sum of all entries that follows is made in the same loop.
    sums = {output: _full_sums(output, values) for output in node.outputs}
    totals = {
        sum_node: program.assign("s", _initial(sum_node))
        for nodes in sums.values()
        for sum_node in nodes
    }
    kept = [x for x in node.outputs if len(values.graph.clients[x]) > len(sums[x])]
    rows = _rows(kept, sizes, values)
    with program.loops(sizes) as indices:
        entries = [_named_entry(x, indices, values) for x in node.inputs]
        results = write_scalar_op(program, op.scalar_op, scalar_node, entries)
        for output, result in zip(node.outputs, results, strict=True):
            if output in rows:
                program.write(f"{rows[output].entry(indices)} = {result}")
            for sum_node in sums[output]:
                _accumulate(program, sum_node, totals[sum_node], result)
    for output, view in rows.items():
        values.made(output, view)
    for sum_node, total in totals.items():
        values.put(sum_node.outputs[0], total)


def _rows(outputs: Sequence[Any], sizes: Sequence[str], values: Values) -> dict[Any, View]:
    """New arrays of the same sizes, as rows of one for each type: an array costs numba time."""
    rows = {}
    for dtype in dict.fromkeys(numpy_dtype(x) for x in outputs):
        same = [x for x in outputs if numpy_dtype(x) == dtype]
        if len(same) == 1:
            rows[same[0]] = whole(values.program.empty(sizes, dtype), sizes)
            continue
        name = values.program.empty([str(len(same)), *sizes], dtype)
        rows |= {x: whole(name, sizes, f"{i}, ") for i, x in enumerate(same)}
    return rows


def _named_entry(x: Any, indices: Sequence[str], values: Values) -> str:
    """A name for an entry of an operand, or the number itself."""
    entry = values.entry(x, indices)
    return values.program.assign("x", entry) if "[" in entry else entry


def _common_sizes(node: Apply, values: Values) -> list[str]:
    """The size of each axis of an elementwise operation, which all of its operands must have."""
    sizes = ["1"] * node.outputs[0].type.ndim
    pairs = []
    for x in node.inputs:
        for axis in range(len(sizes)):
            if x.type.broadcastable[axis]:
                continue
            size = values.view(x).sizes[axis]
            if sizes[axis] == "1":
                sizes[axis] = size
            else:
                pairs.append((sizes[axis], size))
    values.program.same_sizes(pairs)
    return sizes


def _full_sums(output: Any, values: Values) -> list[Apply]:
    clients = [client for client, _ in values.graph.clients[output]]
    return [x for x in clients if isinstance(x.op, CAReduce) and _is_full_sum(x)]


def _is_full_sum(node: Apply) -> bool:
    return not has_axes(node.outputs[0]) and _is_simple(node)


def _is_simple(node: Apply) -> bool:
    """Whether a reduction adds, multiplies or connects numbers of the type of its result."""
    op = node.op
    dtype = node.outputs[0].type.dtype
    accumulated = getattr(op, "acc_dtype", None) or dtype
    return type(op.scalar_op) in _REDUCED and accumulated == dtype and dtype in WIDE


def _initial(node: Apply) -> str:
    dtype = node.outputs[0].type.dtype
    return repr(np.dtype(dtype).type(node.op.scalar_op.identity).item())


def _accumulate(program: Program, node: Apply, total: str, entry: str) -> None:
    program.write(f"{total} = {_REDUCED[type(node.op.scalar_op)].format(total, entry)}")


@write.register
def _(op: CAReduce, node: Apply, values: Values) -> None:
    if not _is_simple(node):
        raise NotLoopsError(f"{op}")
    program, view = values.program, values.view(node.inputs[0])
    ndim = len(view.sizes)
    axes = range(ndim) if op.axis is None else [axis % ndim for axis in op.axis]
    kept = [axis for axis in range(len(view.sizes)) if axis not in axes]
    reduced = [axis for axis in range(len(view.sizes)) if axis in axes]
    sizes = [view.sizes[axis] for axis in kept]
    array = program.empty(sizes, numpy_dtype(node.outputs[0])) if kept else ""
    with program.loops(sizes) as outer:
        total = program.assign("s", _initial(node))
        with program.loops([view.sizes[axis] for axis in reduced]) as inner:
            index = dict(zip((*kept, *reduced), (*outer, *inner), strict=True))
            _accumulate(program, node, total, view.entry([index[axis] for axis in sorted(index)]))
        if kept:
            program.write(f"{array}[{', '.join(outer)}] = {total}")
    if kept:
        values.made(node.outputs[0], whole(array, sizes))
    else:
        values.put(node.outputs[0], total)
