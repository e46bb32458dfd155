"""A graph written as one numba function of loops gives what PyTensor gives."""

import numba as nb
import numpy as np
import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
import pytest
from pytensor.raise_op import Assert

from tallgrass.inference import compiled, loops
from tallgrass.inference.loops import scalars
from tallgrass.inference.loops.vectors import add_at, ascending, copy_into, within

X, Y, M = pt.dvector("x"), pt.dvector("y"), pt.dmatrix("m")
S, K, AT, F = pt.dscalar("s"), pt.lscalar("k"), pt.lvector("i"), pt.fvector("f")
INPUTS = {
    X: np.array([0.3, -1.2, 2.5, 0.9]),
    Y: np.array([1.1, 0.2, -0.7, 3.0]),
    M: np.array([[0.5, -0.1, 2.0], [1.5, 0.4, -3.0]]),
    S: np.array(0.7),
    K: np.array(-2),
    AT: np.array([3, 0, -1, 0, 2]),
    F: np.array([0.25, 1.5], np.float32),
}


def cases():
    """Results by name, each for one way in which a graph is written."""
    left, right = pt.split(X, pt.stack([K + 3, 5 - K - 4]), n_splits=2)
    twice = pt.exp(X) + Y
    yield "many operations in one loop", pt.log1p(pt.exp(-pt.abs(X))) * Y - S / (2 + X**2)
    yield "a sum in the loop that makes what it adds", pt.sum(pt.sqr(X) * Y)
    yield "a sum of what is also wanted itself", pt.concatenate([[twice.sum()], twice])
    yield "two sums of one", pt.stack([twice.sum(), twice.prod()])
    yield "rows against columns", M[0][:, None] * M[1][None, :] + X[:3, None]
    yield "sums along axes", pt.concatenate([M.sum(axis=0), M.sum(axis=1), [M.sum()]])
    yield "a sum along a middle axis", (M[:, :, None] * X[None, None, :]).sum(axis=1)
    yield "a transpose", pt.exp(M.T) + 1
    yield "other reductions", pt.stack([M.max(), M.min(), X.argmax().astype("float64")])
    yield "whether all and whether any", pt.stack([(X > -2).all(), (X > 2).any(), (X > 3).any()])
    yield "entries by index", pt.exp(X[AT])
    yield "entries of an index by index", X[AT[AT]] * 2
    yield "rows by index", M[AT % 2]
    yield "columns by index", M[:, AT % 3] + 1
    yield "one entry", X[K] * X[0] + M[K, 1]
    yield "one row", pt.log(pt.abs(M[K]))
    yield "a part", X[1:3] + X[K:]
    yield "every second entry backwards", X[::-2] * 3
    yield "what is added at an index, again and again", pt.inc_subtensor(X[AT], AT * S)
    yield "one number added at an index", pt.inc_subtensor(X[AT], S)
    yield "what is set at an index", pt.set_subtensor(X[AT[:2]], Y[:2])
    yield "what is added to a part", pt.inc_subtensor(X[1:3], Y[:2])
    yield "what is set in one place", pt.set_subtensor(X[K], S)
    yield "one target changed twice and read in between", _changed_twice()
    yield "a target changed and read afterwards", _read_afterwards()
    yield "ends joined", pt.concatenate([Y, X[1:], [S]])
    yield "two parts", left.sum() - right.prod()
    yield "a number everywhere", pt.alloc(S, K + 5) + 1
    yield "one of two by condition", pt.switch(X > S, Y, -1) + pt.switch(pt.eq(K, 2), 1, 2)
    yield "flags", pt.switch((X > 0) & ~(Y > 1) | pt.isinf(X / 0.0), 1.0, 0.0)
    yield "flags that are added", ((X > 0) + (Y > 0)).astype("float64")
    yield "division by nothing", pt.stack([S / (S - S), -1 / (S - S), (S - S) / (S - S)])
    yield "functions that PyTensor writes", pt.gammaln(pt.abs(X)) + pt.erf(Y) + pt.sigmoid(X)
    yield "powers and signs", pt.abs(X) ** Y + pt.sign(X) + X ** pt.constant(3)
    yield "whole numbers", (AT // 2 + AT % 3 - 2 * AT).astype("float64")
    yield "numbers of half the size", F * 2
    yield "the order from the least", pt.argsort(X)
    yield "the least first", pt.sort(X)
    yield "one entry against many", pt.specify_broadcastable(Y[2:3], 0) * X
    yield "sizes", pt.stack([X.shape[0] * 1.0, M.shape[1] + S])
    yield "a checked value", Assert("never")(X, S > 0) + 1
    yield "linear algebra", pt.linalg.cholesky(pt.dot(M, M.T))
    yield "sums so far", pt.cumsum(X)
    yield "an input as it is", X
    yield "a constant", pt.constant([1.0, 2.0])
    yield "gradient of all of it", pt.grad(pt.sum(pt.log1p(pt.exp(X[AT] * S)) * Y[AT]), X)


def _changed_twice():
    first = pt.inc_subtensor(X[1:3], S)
    return pt.inc_subtensor(first[2:], 1.0) + first


def _read_afterwards():
    made = pt.exp(X) * Y
    changed = pt.inc_subtensor(made[AT], S)
    return pt.concatenate([changed * 2, changed + made])


def plain(function):
    """A function of loops that can be called from Python."""
    return nb.njit(function.py_func, error_model="numpy")


NAMES = [name for name, _ in cases()]


@pytest.fixture(scope="module")
def results():
    """Of all cases, what loops give and what PyTensor gives in Python."""
    outputs = [x for _, x in cases()]
    data = list(INPUTS.values())
    with pytensor.config.change_flags(**compiled._FLAGS):
        function = loops.compiled_loops(list(INPUTS), outputs)
    by_pytensor = pytensor.function(list(INPUTS), outputs, mode="FAST_COMPILE")
    with np.errstate(divide="ignore", invalid="ignore"):
        found, expected = plain(function)(*data), by_pytensor(*data)
    return dict(zip(NAMES, zip(found, expected, strict=True), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_loops_give_what_pytensor_gives(results, name):
    found, expected = results[name]
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def instance(kind):
    """The operation on numbers of a class."""
    named = [op for module in (ps, ps.math) for op in vars(module).values() if type(op) is kind]
    return named[0] if named else kind()


@pytest.mark.parametrize("kind", [*scalars._BETWEEN, *scalars._AROUND], ids=lambda x: x.__name__)
def test_the_expression_of_an_operation_is_what_it_says(kind):
    op = instance(kind)
    template = scalars._AROUND.get(kind, f"{{0}} {scalars._BETWEEN.get(kind)} {{1}}")
    for first, second in [(0.7, 0.2), (0.2, 0.7), (1.3, 1.3)]:
        given = (first, second)[: 2 if "{1}" in template else 1]
        found = eval(template.format(first, second), dict(scalars.SCOPE))
        assert found == pytest.approx(op.impl(*given), rel=1e-15)


def test_inputs_are_left_as_they_were(results):
    fresh = {x: value.copy() for x, value in INPUTS.items()}
    function = loops.compiled_loops(
        [X, AT, S], [pt.inc_subtensor(X[AT], S), pt.set_subtensor(X[1], S)]
    )
    plain(function)(fresh[X], fresh[AT], fresh[S])
    for x, value in INPUTS.items():
        np.testing.assert_array_equal(fresh[x], value)


def raised(inputs, output, *data):
    """The message of the error that the code of a graph raises."""
    function = loops.compiled_loops(inputs, [output])
    call = plain(function)
    try:
        call(*data)
    except ValueError as error:
        return str(error)
    raise AssertionError("no error")


def test_arrays_of_other_sizes_than_each_others_are_an_error():
    message = raised([X, Y], X + Y, np.zeros(3), np.zeros(4))
    assert "differ in size" in message


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_beyond_the_end_is_an_error(index):
    data = np.array([0, index, 1])
    assert "beyond the end" in raised([X, AT], X[AT] * 2, np.zeros(4), data)
    assert "beyond the end" in raised([X, AT], pt.inc_subtensor(X[AT], 1.0), np.zeros(4), data)
    assert "beyond the end" in raised([X, K], X[K] * 2, np.zeros(4), np.array(index))


def test_a_condition_of_the_model_that_does_not_hold_is_an_error():
    assert raised([X], Assert("sigma > 0")(X, X[0] > 0), np.array([-1.0])) == "sigma > 0"


def test_parts_that_do_not_fill_the_whole_are_an_error():
    left, right = pt.split(X, pt.stack([K, 2 * K]), n_splits=2)
    assert "differ in size" in raised(
        [X, K], left + right[: left.shape[0]], np.zeros(4), np.array(1)
    )


def test_a_graph_with_a_scan_has_no_form_of_loops():
    total = pytensor.scan(lambda x, before: x + before, X, pt.zeros(()), return_updates=False)
    with pytest.raises(loops.NotLoopsError):
        loops.require_loops([total[-1]])
    loops.require_loops([pt.exp(X).sum()])


def test_code_with_a_wrong_gradient_is_compiled_by_pytensor_instead(monkeypatch):
    from toy import toy_model, usual_votes

    from tallgrass.inference.gradient_check import gradient_agrees

    # The square is wrong, its derivative right. What is stored of it has a key of its own.
    monkeypatch.setitem(scalars._AROUND, ps.Sqr, "3.0 * {0} * {0}")
    monkeypatch.setattr(compiled.loops, "source_key", lambda: "a fault")
    model = toy_model(usual_votes(), model="flat", coordinates="textbook", anchors="auto")
    with pytensor.config.change_flags(**compiled._FLAGS):
        assert not gradient_agrees(compiled._compile_model(model, as_loops=True).model)
    assert gradient_agrees(compiled.compile_model(model).model)


# Vectors.


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 64, 201])
def test_the_order_is_that_of_numpy_with_equal_entries_as_they_stand_and_nan_last(n):
    generator = np.random.default_rng(n)
    for x in (generator.normal(size=n), generator.integers(0, 5, n).astype(float)):
        x[generator.random(n) < 0.2] = np.nan
        np.testing.assert_array_equal(ascending(x), np.argsort(x, kind="stable"))


def test_indices_are_within_an_axis_from_both_ends():
    assert within(np.array([-3, 0, 2]), 3)
    assert not within(np.array([-4, 0, 2]), 3)
    assert not within(np.array([-3, 3, 2]), 3)
    assert within(np.array([], np.int64), 0)


def test_vectors_are_added_and_written_where_they_should_be():
    target = np.zeros(5)
    add_at(target, np.array([1, 1, -1]), np.array([1.0, 2.0, 4.0]))
    assert target.tolist() == [0, 3, 0, 0, 4]
    copy_into(target, 2, np.array([7.0, 8.0]))
    assert target.tolist() == [0, 3, 7, 8, 4]
