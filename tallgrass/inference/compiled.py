"""A model as machine code for nutpie, kept on disk between runs.

nutpie builds the log-density from a PyMC graph in 5 to 20 seconds, most of it spent compiling
again what the last run compiled. Here a graph becomes one function of loops, which compiles in half
the time (see :mod:`tallgrass.inference.loops`), and the compiled functions are stored under a key
made of the graph itself (every operation, type and constant), the library versions and our own
sources.
Votes, sizes and the numbers of priors are passed by pointer and are no part of the code (see
:mod:`tallgrass.inference.constants`), so that any other session starts from the code that the first
one of the model has stored, in well under a second.
"""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs

from tallgrass.errors import SamplingError
from tallgrass.inference import c_functions, code_memory, loops, plain_models, unpacking
from tallgrass.inference.c_functions import EXPAND, EXPAND_SOURCE, LOGP, LOGP_SOURCE, c_function
from tallgrass.inference.cache import with_readable_cache
from tallgrass.inference.code_memory import Memory, copies, parts_of_x
from tallgrass.inference.draws import Model
from tallgrass.inference.gradient_check import gradient_agrees
from tallgrass.inference.graph_key import graph_key
from tallgrass.inference.loops import NotLoopsError, require_loops
from tallgrass.inference.nutpie_library import CompiledPyMCModel
from tallgrass.inference.unpacking import is_packed, unpacked

# Sums are made in the order in which they are written. With reassociation every copy of a function
# rounds in an order of its own, and which copy runs depends on what the process has compiled or
# loaded before: the same seed would give other draws. The kernel is one function and keeps its own
# flags.
_FLAGS = {"numba__fastmath": False}

type Starts = Callable[[Any], dict[str, Any]]  # seed -> value of every free variable

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiled:
    """nutpie's model, and whether its code came from disk."""

    model: CompiledPyMCModel
    from_cache: bool


class _NotStoredError(Exception):
    """Code is not on disk, and is not to be made."""


def compile_model(model: Model) -> Compiled:
    """Compile log-density, gradient and the public variables, or load them from disk.

    A graph is written as loops, or compiled by PyTensor where it has no such form. Code whose
    gradient is not that of its density is made again by PyTensor.

    Raises
    ------
    SamplingError
        When the gradient is wrong both ways.
    """
    code = _code_of(model, make=True)
    if code is None:
        raise SamplingError(
            "the compiled gradient of the model is not that of its density",
            mend="choose sampler=pymc, and tell the makers of Tallgrass",
        )
    return code


def compile_plain(model: Model) -> Compiled | None:
    """As :func:`compile_model` for a model without a start; None where nutpie is to compile it."""
    try:
        with pytensor.config.change_flags(**_FLAGS):
            code = with_readable_cache(partial(_compile_model, model, as_loops=True))
            return code if gradient_agrees(code.model) else None
    except NotLoopsError as error:
        _log.debug("nutpie compiles the model: %s", error)
        return None
    except SamplingError:
        raise
    # What a user can write has no end, and nutpie compiles nearly all of it.
    except Exception:
        _log.info("the model is left to nutpie, which compiles it in every process")
        _log.debug("loops cannot compile it", exc_info=True)
        return None


def stored_code(model: Model) -> Compiled | None:
    """The code of a model where it is on disk, or in memory; None where it is still to be made."""
    try:
        return _code_of(model, make=False)
    except _NotStoredError:
        return None


def _code_of(model: Model, make: bool) -> Compiled | None:
    """The code with a right gradient; None where it is wrong both ways."""
    with pytensor.config.change_flags(**_FLAGS):
        for as_loops in (True, False):
            with suppress(NotLoopsError):
                code = with_readable_cache(partial(_compile_model, model, as_loops, make))
                if gradient_agrees(code.model):
                    return code
    return None


def _compile_model(model: Model, as_loops: bool, make: bool = True) -> Compiled:
    graph, ours = model.graph, model.start is not None
    values = list(graph.value_vars)
    start = _starts(model)
    shapes = [np.shape(start(0)[value.name]) for value in values]
    public_shapes = [model.variables[name][1] for name in model.public]
    n_values, n_public = (sum(math.prod(x) for x in every) for every in (shapes, public_shapes))
    logp = graph.logp()
    public = graph.replace_rvs_by_values([graph[name] for name in model.public])
    if ours:
        if as_loops:
            require_loops([logp, *public])
        inputs, lengths = values, [math.prod(shape) for shape in shapes]
        public_lengths = [math.prod(shape) for shape in public_shapes]
    else:
        logp, *public = plain_models.prepared(graph, [logp, *public])
        inputs, lengths, public_lengths = [plain_models.POSITION], [n_values], [n_public]
    shared = [x for x in graph_inputs([logp, *public]) if isinstance(x, SharedVariable)]

    memory = Memory(shared, lengths, public_lengths)
    arguments = ", ".join([*parts_of_x(inputs, memory.at_values), *memory.arguments])
    made_by = (*_sources(), loops.source_key() if as_loops else "", "" if ours else shapes)
    key = graph_key([logp, *public], values, *made_by)
    literals = {
        "n_sizes": len(memory.sizes),
        "at_n": memory.at_values + len(inputs),
        "at_n_out": memory.at_public + len(public_lengths),
        "arguments": arguments,
    }

    def make_logp() -> Any:
        if not make:
            raise _NotStoredError
        sizes = "" if ours else " of these sizes"
        _log.info("compiling the model, once for all data%s: about 10 seconds", sizes)
        gradients = pt.grad(logp, values)
        if ours:
            return _numba_function(inputs, shared, [logp, *gradients], as_loops)
        outputs = plain_models.of_position([logp, plain_models.joined(gradients)], values, shapes)
        return _numba_function(inputs, shared, outputs, as_loops, as_written=False)

    def make_expand() -> Any:
        if not make:
            raise _NotStoredError
        if ours:
            return _numba_function(inputs, shared, public, as_loops)
        outputs = plain_models.of_position([plain_models.joined(public)], values, shapes)
        return _numba_function(inputs, shared, outputs, as_loops, as_written=False)

    gradient = copies("gradient", inputs, memory.at_values, first=1)  # result[0] is the value
    logp_code, logp_was_stored = c_function(
        LOGP_SOURCE.format(**literals, copies=gradient), "logp", LOGP, key, make_logp
    )
    outputs = copies("out", public if ours else inputs, memory.at_public, first=0)
    expand_code, expand_was_stored = c_function(
        EXPAND_SOURCE.format(**literals, copies=outputs), "expand", EXPAND, key, make_expand
    )
    return Compiled(
        CompiledPyMCModel(
            _n_dim=n_values,
            dims=dict(graph.named_vars_to_dims),
            _coords=_labels(graph),
            _shapes=dict(zip(model.public, public_shapes, strict=True)),
            compiled_logp_func=logp_code,
            compiled_expand_func=expand_code,
            initial_point_func=_flat(start, [value.name for value in values]),
            # Must live until sampling ends: the compiled code has only its addresses.
            shared_data={str(i): x for i, x in enumerate(memory.arrays)},
            shared_var_keys={},
            user_data=memory.sizes,
            n_expanded=n_public,
            shape_info=(list(model.public), [], public_shapes),
            logp_func=None,
            expand_func=None,
            reparameterized_names=[],
        ),
        logp_was_stored and expand_was_stored,
    )


def _sources() -> tuple[object, ...]:
    """What writes the code."""
    own = Path(__file__).read_text("utf-8")
    parts = (c_functions, code_memory, plain_models, unpacking)
    return (own, *(part.SOURCE_KEY for part in parts))


def flat_start(model: Model, names: list[str]) -> Callable[[Any], np.ndarray]:
    """The model's start as nutpie asks for it: seed -> one vector."""
    return _flat(_starts(model), names)


def _flat(start: Starts, names: list[str]) -> Callable[[Any], np.ndarray]:
    def flat(seed: Any = None) -> np.ndarray:
        point = start(seed)
        return np.concatenate([np.ravel(point[name]) for name in names])

    return flat


def _starts(model: Model) -> Starts:
    """Seed -> unconstrained starting value of every free variable."""
    if model.start is None:
        return plain_models.starts(model.graph)
    of_generator = model.start
    return lambda seed: of_generator(np.random.default_rng(seed))


def _labels(graph: Any) -> dict[str, pd.Index]:
    """Labels of every dimension; numbers where it has none."""
    return {
        dim: pd.Index(range(int(graph.dim_lengths[dim].eval())) if labels is None else labels)
        for dim, labels in graph.coords.items()
    }


def _numba_function(
    values: list[Any],
    shared: list[Any],
    outputs: list[Any],
    as_loops: bool,
    as_written: bool = True,
) -> Any:
    """The numba function of a PyTensor graph: of values, packed data, and data of other types."""
    # Inputs of a compiled function cannot be shared variables: plain ones of the same type.
    others = {x: x.type() for x in shared if not is_packed(x)}
    packed, parts = unpacked([x for x in shared if is_packed(x)])
    inputs = {value: value.type() for value in values}
    outputs = clone_replace(outputs, {**inputs, **parts, **others})
    plain = [*inputs.values(), *packed, *others.values()]
    if as_loops:
        return loops.compiled_loops(plain, outputs, as_written)
    function = pytensor.function(plain, outputs, mode="NUMBA", on_unused_input="ignore")
    return function.vm.jit_fn
