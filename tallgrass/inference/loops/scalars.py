"""Operations on numbers as Python expressions that numba compiles."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from numba.extending import intrinsic
from numba.types import boolean, float64, int64
from pytensor.graph.basic import Apply, Constant
from pytensor.link.numba.dispatch import numba_funcify

from tallgrass.inference.loops.program import NotLoopsError, Program

WIDE = ("float64", "int64", "bool")
# Numba widens numbers of these types in every operation, so that they are narrowed again.
_NARROW = ("float32", "int32", "int16", "int8", "uint8")
DTYPES = (*WIDE, *_NARROW)  # others, such as complex ones, are left to PyTensor

_BETWEEN = {
    ps.Add: "+",
    ps.Mul: "*",
    ps.Sub: "-",
    ps.TrueDiv: "/",
    ps.LT: "<",
    ps.GT: ">",
    ps.LE: "<=",
    ps.GE: ">=",
    ps.EQ: "==",
    ps.NEQ: "!=",
}
_OF_FLAGS = {ps.AND: "&", ps.OR: "|", ps.Mul: "&", ps.Add: "|"}
_AROUND = {
    ps.Neg: "-{0}",
    ps.Sqr: "{0} * {0}",
    ps.Reciprocal: "1.0 / {0}",
    ps.Identity: "{0}",
    ps.Abs: "abs({0})",
    ps.Sqrt: "sqrt({0})",
    ps.Exp: "exp({0})",
    ps.Expm1: "expm1({0})",
    ps.Log: "log({0})",
    ps.Log1p: "log1p({0})",
    ps.Tanh: "tanh({0})",
    ps.IsNan: "isnan({0})",
    ps.IsInf: "isinf({0})",
    ps.Second: "{1}",
}
_FUNCTIONS = ("sqrt", "exp", "expm1", "log", "log1p", "tanh", "isnan", "isinf")


def _choice(result: Any) -> Any:
    """``then if condition else otherwise``, as one instruction and not as two branches."""

    @intrinsic  # type: ignore[untyped-decorator]
    def chosen(typing_context: Any, condition: Any, then: Any, otherwise: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.select(*arguments)

        return result(boolean, result, result), generate

    return chosen


SCOPE = {name: getattr(math, name) for name in _FUNCTIONS} | {
    "float64_of_two": _choice(float64),
    "int64_of_two": _choice(int64),
    **{dtype: getattr(np, dtype) for dtype in DTYPES if dtype != "bool"},
    "inf": math.inf,
    "nan": math.nan,
}


def literal(constant: Constant) -> str:
    """A number of a graph as source text, with all its digits."""
    value = np.asarray(constant.data).item()
    # PyTensor counts with the least type that holds a number.
    if constant.type.dtype not in (*DTYPES, "uint8", "uint16", "uint32"):
        raise NotLoopsError(f"a constant of {constant.type}")
    return repr(value) if value >= 0 else f"({value!r})"  # NaN is not: it goes in brackets too


def write_scalar_op(
    program: Program,
    op: Any,
    node: Apply,
    arguments: Sequence[str],
) -> list[str]:
    """Lines that carry out an operation on numbers, and the names of its results.

    Parameters
    ----------
    program : Program
        Where the lines are written.
    op : pytensor.scalar.ScalarOp
        The operation, a :class:`pytensor.scalar.Composite` of many included.
    node : Apply
        The operation with its scalar operands.
    arguments : sequence of str
        Source text of the operands: names, or numbers.

    Raises
    ------
    NotLoopsError
        When a number is of a type that is left to PyTensor.
    """
    if isinstance(op, ps.Composite):
        return _write_composite(program, op, arguments)
    for x in (*node.inputs, *node.outputs):
        if x.type.dtype not in DTYPES:
            raise NotLoopsError(f"{op} with {x.type}")
    expression = _expression(program, op, node, arguments)
    names = [program.name("t") for _ in node.outputs]
    program.write(f"{', '.join(names)} = {expression}")
    return names


def _write_composite(program: Program, op: Any, arguments: Sequence[str]) -> list[str]:
    text = dict(zip(op.fgraph.inputs, arguments, strict=True))

    def operand(x: Any) -> str:
        return literal(x) if isinstance(x, Constant) else text[x]

    for node in op.fgraph.toposort():
        results = write_scalar_op(program, node.op, node, [operand(x) for x in node.inputs])
        text.update(zip(node.outputs, results, strict=True))
    return [operand(x) for x in op.fgraph.outputs]


def _expression(program: Program, op: Any, node: Apply, arguments: Sequence[str]) -> str:
    kind, dtype = type(op), node.outputs[0].type.dtype
    between, around = _BETWEEN.get(kind), _AROUND.get(kind)
    if {x.type.dtype for x in node.inputs} == {"bool"}:
        between, around = _OF_FLAGS.get(kind, between), "not {0}" if kind is ps.Invert else around
    if kind is ps.Cast:
        around = "{0} != 0" if dtype == "bool" else f"{dtype}({{0}})"
    if kind is ps.Switch:
        around = f"{'float' if dtype.startswith('f') else 'int'}64_of_two({{0}} != 0, {{1}}, {{2}})"
        around = f"{around} != 0" if dtype == "bool" else around
    if between is not None:
        return _narrowed(f" {between} ".join(arguments), dtype)
    if around is not None:
        return _narrowed(around.format(*arguments), dtype)
    # PyTensor's own function of it. Equal operations on equal types have one.
    key = (kind, str(op), tuple(str(x.type) for x in (*node.inputs, *node.outputs)))
    function = program.function(key, lambda: numba_funcify(op, node=node))
    return f"{function}({', '.join(arguments)})"


def _narrowed(expression: str, dtype: str) -> str:
    return f"{dtype}({expression})" if dtype in _NARROW else expression
