"""``adaptation=flow``: nutpie trains a normalizing flow, which runs on JAX, an optional extra.

The flow moves points inside JAX, so JAX has to differentiate the log-density itself. All code that
needs JAX is in this file and in :mod:`tallgrass.inference.kernel.jax_form`, and no other file
imports either of them before a run asks for this adaptation.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from tallgrass.errors import SamplingError
from tallgrass.inference.draws import Model, start_of


def compile_flow(model: Model) -> Any:
    """The model as nutpie's flow adaptation takes it.

    Raises
    ------
    SamplingError
        When JAX, or a library that the flow needs beside it, is not installed.
    """
    try:
        import equinox  # noqa: F401  (nutpie imports it late, with a long traceback)
        import flowjax  # noqa: F401
        import jax
    except ImportError as error:
        raise SamplingError(
            "adaptation=flow needs JAX",
            str(error),
            "install it with: pip install 'tallgrass[flow]'",
        ) from None
    import pandas as pd
    import pytensor.tensor as pt
    from nutpie.compiled_pyfunc import from_pyfunc
    from pymc.model.transform.optimization import freeze_dims_and_data
    from pytensor.compile.sharedvalue import SharedVariable
    from pytensor.graph.replace import clone_replace
    from pytensor.graph.traversal import graph_inputs

    from tallgrass.inference.compiled import flat_start
    from tallgrass.inference.kernel import jax_form

    jax_form.register()
    # JAX cannot compile shapes that depend on values.
    graph = freeze_dims_and_data(model.graph)
    # The frozen graph is a copy, with its variables in another order.
    by_name = {value.name: value for value in graph.value_vars}
    names = [value.name for value in model.graph.value_vars]
    start = start_of(model)(np.random.default_rng(0))
    shapes = [np.shape(start[name]) for name in names]
    ends = [0, *np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()]
    position = pt.vector("position", shape=(ends[-1],))
    parts = {
        by_name[name]: position[first:last].reshape(shape)
        for name, shape, (first, last) in zip(names, shapes, pairwise(ends), strict=True)
    }
    public = graph.replace_rvs_by_values([graph[name] for name in model.public])
    logp = graph.logp()
    shared = [x for x in graph_inputs([logp, *public]) if isinstance(x, SharedVariable)]
    sizes = {x: pt.constant(x.get_value()) for x in shared if x.type == pt.lscalar}
    logp, *public = clone_replace([logp, *public], sizes)
    shared = [x for x in shared if x not in sizes]
    data = [jax.numpy.asarray(x.get_value()) for x in shared]
    logp_of = _jax_function(graph, position, shared, [logp], parts)
    public_of = _jax_function(graph, position, shared, public, parts)
    with_gradient = jax.jit(jax.value_and_grad(lambda x, *arrays: logp_of(x, *arrays)[0]))

    def make_logp() -> Any:
        def evaluate(x: Any) -> tuple[float, np.ndarray]:
            value, gradient = with_gradient(x, *data)
            return float(value), np.asarray(gradient, np.float64, order="C")

        return evaluate

    public_shapes = [tuple(np.shape(x)) for x in public_of(np.zeros(ends[-1]), *data)]

    def make_expand(_first_seed: Any, _second_seed: Any, _chain: Any) -> Any:
        def expand(x: Any) -> dict[str, np.ndarray]:
            arrays = [np.asarray(y, np.float64, order="C") for y in public_of(x, *data)]
            return dict(zip(model.public, arrays, strict=True))

        return expand

    return from_pyfunc(
        ndim=ends[-1],
        make_logp_fn=make_logp,
        make_expand_fn=make_expand,
        expanded_dtypes=[np.dtype(np.float64)] * len(public_shapes),
        expanded_shapes=public_shapes,
        expanded_names=list(model.public),
        coords={dim: pd.Index(labels) for dim, labels in graph.coords.items()},
        dims={name: tuple(graph.named_vars_to_dims.get(name, ())) for name in model.public},
        make_initial_point_fn=flat_start(model, names),
        # What the flow differentiates: the log-density without nutpie's conversion to NumPy.
        raw_logp_fn=lambda x: logp_of(x, *data),
    )


def _jax_function(
    graph: Any, position: Any, shared: list[Any], outputs: list[Any], parts: dict[Any, Any]
) -> Any:
    """Outputs of a PyMC graph as a JAX function of the flat position and the shared data."""
    from pymc.pytensorf import compile as compile_graph
    from pytensor.graph.replace import clone_replace

    # Inputs of a compiled function cannot be shared variables: plain ones of the same type.
    plain = {x: x.type() for x in shared}
    outputs = clone_replace(outputs, {**parts, **plain})
    with graph:  # whether bounds of parameters are checked is a setting of the model
        function = compile_graph(
            [position, *plain.values()], outputs, mode="JAX", on_unused_input="ignore"
        )
    return function.vm.jit_fn
