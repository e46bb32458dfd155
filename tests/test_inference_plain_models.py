"""PyMC models of users as the machine code that serves every run of them."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from plain_pymc_models import LOOPS, counts, in_steps, of_many_parts, regression
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from tallgrass.inference import c_functions
from tallgrass.inference.compiled import compile_plain
from tallgrass.inference.graph_key import graph_key
from tallgrass.inference.loops import NotLoopsError
from tallgrass.inference.plain_models import prepared, require_known

QUICK = ("answers", "without_bounds", "of_several_shapes", "counts")
IN_PYTHON = Mode(linker="py", optimizer="fast_compile")
X = pt.vector("x")
_DOUBLES = ctypes.POINTER(ctypes.c_double)


def plain(graph):
    """The model with all its variables, as the samplers take it."""
    names = tuple(variable.name for variable in graph.free_RVs + graph.deterministics)
    shapes = {name: ((), tuple(graph[name].shape.eval())) for name in names}
    return SimpleNamespace(graph=graph, public=names, start=None, variables=shapes)


def evaluated(code, x):
    """Value, gradient and kept variables of compiled code at a point."""
    value, gradient, kept = np.full(1, np.nan), np.empty(len(x)), np.empty(code.n_expanded)
    sizes = ctypes.c_void_p(code.user_data.ctypes.data)
    at = x.ctypes.data_as(_DOUBLES)
    arrays = (gradient.ctypes.data_as(_DOUBLES), value.ctypes.data_as(_DOUBLES))
    status = code.compiled_logp_func.ctypes(len(x), at, *arrays, sizes)
    out = kept.ctypes.data_as(_DOUBLES)
    assert code.compiled_expand_func.ctypes(len(x), len(kept), at, out, sizes) == 0
    return status, value[0], gradient, kept


def by_pymc(graph, names, x, mode=IN_PYTHON):
    """The same by PyMC, whose functions run in Python."""
    values, first, point = graph.value_vars, 0, {}
    start = graph.initial_point()
    for value in values:
        size = np.size(start[value.name])
        point[value.name] = x[first : first + size].reshape(np.shape(start[value.name]))
        first += size
    free = [graph.values_to_rvs[value] for value in values]
    gradients = graph.compile_dlogp(free, mode=mode)(point)
    public = graph.replace_rvs_by_values([graph[name] for name in names])
    kept = graph.compile_fn(public, inputs=values, mode=mode, on_unused_input="ignore")
    flat = np.concatenate([np.ravel(part) for part in kept(point)])
    return float(graph.compile_logp(mode=mode)(point)), gradients, flat


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, make in LOOPS.items()
    ],
)
def test_density_gradient_and_kept_variables_are_those_of_pymc(make):
    graph = make()
    code = compile_plain(plain(graph)).model
    for seed in (1, 2):
        x = code.initial_point_func(seed)
        status, value, gradient, kept = evaluated(code, x)
        # In Python no sum has more than 32 terms.
        mode = "NUMBA" if make is of_many_parts else IN_PYTHON
        expected = by_pymc(graph, plain(graph).public, x, mode)
        assert status == 0
        assert value == pytest.approx(expected[0], rel=1e-10)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(kept, expected[2], rtol=1e-10, atol=1e-12)


def test_code_from_disk_gives_the_same_to_the_last_digit(monkeypatch):
    first = compile_plain(plain(regression())).model
    monkeypatch.setattr(c_functions, "_loaded", {})
    stored = compile_plain(plain(regression()))
    assert stored.from_cache
    x = first.initial_point_func(3)
    for one, other in zip(evaluated(first, x), evaluated(stored.model, x), strict=True):
        np.testing.assert_array_equal(one, other)


def of_data(y, sd=1.0):
    with pm.Model() as graph:
        pm.Normal("y", pm.Normal("mu"), sd, observed=y)
    return graph


def test_one_code_serves_all_data_of_a_size():
    one, other = (np.random.default_rng(seed).normal(size=40) for seed in (1, 2))
    compile_plain(plain(of_data(one)))
    code = compile_plain(plain(of_data(other)))
    assert code.from_cache
    x = np.array([0.3])
    assert evaluated(code.model, x)[1] == pytest.approx(by_pymc(of_data(other), ["mu"], x)[0])


def test_another_number_in_the_model_is_another_code():
    y = np.random.default_rng(1).normal(size=40)
    values = [
        evaluated(compile_plain(plain(of_data(y, sd))).model, np.array([0.3]))[1]
        for sd in (1.0, 2.0)
    ]
    expected = [by_pymc(of_data(y, sd), ["mu"], np.array([0.3]))[0] for sd in (1.0, 2.0)]
    assert values == pytest.approx(expected)


def of_sizes(first, second):
    coords = {"one": range(first), "other": range(second)}
    with pm.Model(coords=coords) as graph:
        pm.Normal("a", 0, 1, dims="one")
        pm.Normal("b", 5, 2, dims="other")
    return graph


def test_other_sizes_of_the_variables_are_another_code():
    x = np.arange(5.0)
    for sizes in ((2, 3), (3, 2)):
        graph = of_sizes(*sizes)
        found = evaluated(compile_plain(plain(graph)).model, x)
        expected = by_pymc(graph, ["a", "b"], x)
        assert found[1] == pytest.approx(expected[0])
        np.testing.assert_allclose(found[2], expected[1])


def test_starts_are_those_of_nutpie():
    import nutpie

    graph = of_data(np.zeros(3))
    ours, its = compile_plain(plain(graph)).model, nutpie.compile_pymc_model(graph)
    for seed in (1, 5):
        np.testing.assert_array_equal(ours.initial_point_func(seed), its.initial_point_func(seed))


def test_parameters_out_of_bounds_have_a_density_of_zero():
    with pm.Model() as graph:
        pm.Normal("y", 0, pm.Flat("sigma"), observed=np.ones(3))
    code = compile_plain(plain(graph)).model
    assert evaluated(code, np.array([-1.0]))[0] in (3, 4)  # not finite
    assert evaluated(code, np.array([1.0]))[0] == 0


def test_the_graph_of_the_user_stays_as_it_is():
    graph = counts()
    logp, public = graph.logp(), graph.replace_rvs_by_values([graph["rate"], graph["alpha"]])
    before = [graph_key([x], graph.value_vars) for x in (logp, *public)]
    texts = graph.str_repr()
    prepared(graph, [logp, *public])
    assert [graph_key([x], graph.value_vars) for x in (logp, *public)] == before
    assert graph.str_repr() == texts


class _Wrapped(Op):
    """An operation made of another one, which its name does not tell."""

    __props__ = ("inner",)

    def __init__(self, inner):
        self.inner = inner

    def __str__(self):
        return "wrapped"

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0]


class _Doubled(Op):
    """An operation of a user, whose code no key knows."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = 2 * inputs[0]


def test_recursions_and_operations_of_the_user_are_left_to_nutpie():
    assert compile_plain(plain(in_steps())) is None
    with pytest.raises(NotLoopsError, match="Doubled"):
        require_known([_Doubled()(pt.vector("x")).sum()])
    require_known([pt.vector("x").sum()])


def test_what_loops_cannot_compile_is_left_to_nutpie_and_said_in_the_log(monkeypatch, caplog):
    def fail(*_):
        raise ValueError("no such graph")

    monkeypatch.setattr("tallgrass.inference.plain_models.prepared", fail)
    with caplog.at_level("INFO", "tallgrass"):
        assert compile_plain(plain(of_data(np.zeros(3)))) is None
    assert "left to nutpie" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pt.sort, lambda x: pt.sort(x, kind="mergesort")),
        (pt.cumsum, pt.cumprod),
        (
            lambda x: pt.linalg.cholesky(pt.outer(x, x)),
            lambda x: pt.linalg.cholesky(pt.outer(x, x), lower=False),
        ),
        (lambda x: pt.logaddexp(x, 1.0), lambda x: pt.logaddexp(x, 2.0)),
        (lambda x: x[1:], lambda x: x[:1]),
        (_Wrapped(_Wrapped(pt.exp)), _Wrapped(_Wrapped(pt.log))),
        (OpFromGraph([X], [2 * X]), OpFromGraph([X], [3 * X])),
    ],
    ids=[
        "property",
        "name",
        "property of an inner operation",
        "constant",
        "places",
        "inner operation",
        "inner graph",
    ],
)
def test_graphs_that_differ_have_keys_that_differ(one, other):
    x = pt.vector("x")
    assert graph_key([one(x)], [x]) != graph_key([other(x)], [x])
    assert graph_key([one(x)], [x]) == graph_key([one(x)], [x])
