"""The sparse kernel equals its plain reference, its derivatives and the plain model."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from item_data import simulated_items

from tallgrass.inference.kernel.sparse import reference, response_loglik, sparse_loglik_and_gradient
from tallgrass.items.model import sorted_by_item


def evaluate(sparse, theta, a, c):
    gradients = [np.full_like(x, np.nan) for x in (theta, a, c)]
    return sparse_loglik_and_gradient(
        sparse.user, sparse.bounds, theta, a, c, *gradients
    ), gradients


@pytest.mark.parametrize("n_users", [40, 3000])  # less than a block; many, items longer than one
@pytest.mark.parametrize("n_items", [2, 30])
def test_the_kernel_equals_its_reference(n_users, n_items):
    data = simulated_items(n_users, n_items, 0, per_user=min(n_items, 20))
    sparse = sorted_by_item(data.responses)
    value, gradients = evaluate(sparse, data.theta, data.a, data.a * data.b)
    expected, *expected_gradients = reference(
        sparse.user, sparse.bounds, data.theta, data.a, data.a * data.b
    )
    assert value == pytest.approx(expected, rel=1e-12)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_the_reference_is_the_bernoulli_likelihood():
    data = simulated_items(50, 8, 0, per_user=6)
    sparse = sorted_by_item(data.responses)
    value = reference(sparse.user, sparse.bounds, data.theta, data.a, data.a * data.b)[0]
    r = data.responses
    p = 1 / (1 + np.exp(-data.a[r.item] * (data.theta[r.user] - data.b[r.item])))
    expected = np.log(np.where(r.correct == 1, p, 1 - p)).sum()
    assert value == pytest.approx(expected, rel=1e-12)


def test_gradients_are_the_derivatives_of_the_value():
    data = simulated_items(30, 6, 0, per_user=5)
    sparse = sorted_by_item(data.responses)
    point = [data.theta, data.a, data.a * data.b]
    _, gradients = evaluate(sparse, *point)
    for which, index in ((0, 3), (0, 29), (1, 0), (1, 5), (2, 2)):
        values = []
        for step in (1e-5, -1e-5):
            moved = [x.copy() for x in point]
            moved[which][index] += step
            values.append(evaluate(sparse, *moved)[0])
        assert gradients[which][index] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


def test_layout_holds_every_response_once_by_item_and_answer():
    r = simulated_items(60, 7, 0, per_user=4).responses
    user, bounds, order = sorted_by_item(r)
    assert sorted(order) == list(range(len(r)))
    run = np.repeat(np.arange(14), np.diff(bounds))
    np.testing.assert_array_equal(r.item[order], run // 2)
    np.testing.assert_array_equal(r.correct[order], 1 - run % 2)
    np.testing.assert_array_equal(r.user[order], user)


def test_an_item_without_wrong_answers_is_an_empty_run():
    r = simulated_items(30, 4, 0, per_user=4).responses
    correct = r.correct.copy()
    correct[r.item == 2] = 1
    sparse = sorted_by_item(type(r)(r.users, r.items, r.user, r.item, correct))
    theta, a, c = np.linspace(-1, 1, 30), np.ones(4), np.zeros(4)
    value, gradients = evaluate(sparse, theta, a, c)
    expected, *others = reference(sparse.user, sparse.bounds, theta, a, c)
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(gradients[1], others[1], atol=1e-12)


def test_nan_is_handed_on_and_far_logits_stay_finite():
    data = simulated_items(30, 4, 0, per_user=4)
    sparse = sorted_by_item(data.responses)
    theta = data.theta.copy()
    theta[3] = np.nan
    assert np.isnan(evaluate(sparse, theta, data.a, data.b)[0])
    value, gradients = evaluate(sparse, 1e3 * data.theta, data.a, data.b)
    assert np.isfinite(value)
    assert all(np.isfinite(x).all() for x in gradients)


@pytest.mark.parametrize("mode", ["NUMBA", "FAST_COMPILE"])
def test_the_op_gives_value_and_gradients_in_every_mode(mode):
    data = simulated_items(30, 4, 0, per_user=4)
    sparse = sorted_by_item(data.responses)
    theta, a, c = (pt.dvector(name) for name in ("theta", "a", "c"))
    value = response_loglik(sparse.user, sparse.bounds, theta, a, c)
    function = pytensor.function(
        [theta, a, c], [value, *pt.grad(2.0 * value, [theta, a, c])], mode=mode
    )
    point = (data.theta, data.a, data.a * data.b)
    found, *gradients = function(*point)
    expected, *expected_gradients = reference(sparse.user, sparse.bounds, *point)
    assert found == pytest.approx(expected)
    for one, wanted in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, 2 * wanted, atol=1e-9)


def test_wrong_types_are_refused():
    with pytest.raises(TypeError, match="int32"):
        response_loglik(np.zeros(3), np.zeros(3, np.int64), *(pt.dvector() for _ in range(3)))
