"""Probabilities of responses and their sums equal the plain formulas, for any number of them."""

import numpy as np
import pytest
from item_data import simulated_items

from tallgrass.items.engines.probabilities import (
    abilities_of,
    evaluate,
    evaluate_change,
    evaluate_item,
    log_ratio_of,
    replace,
)
from tallgrass.items.fit import probability
from tallgrass.items.model import sorted_by_item


@pytest.fixture(scope="module")
def data():
    """More responses than a block, and items of one answer only."""
    return simulated_items(700, 20, 3, per_user=12, seed=4)


def of_answers(data, theta):
    """Probabilities by the plain formula, in the kernel's order."""
    r, order = data.responses, sorted_by_item(data.responses).order
    p = probability(theta[r.user], data.a[r.item], data.b[r.item])
    return np.where(r.correct == 1, p, 1 - p)[order]


def evaluated(data, theta):
    sparse = sorted_by_item(data.responses)
    found = np.empty(len(sparse.user))
    evaluate(sparse.user, sparse.bounds, theta, data.a, data.a * data.b, found)
    return found


def test_every_probability_is_that_of_the_plain_formula(data):
    found = evaluated(data, data.theta)
    assert len(found) > 2 * 2048
    np.testing.assert_allclose(found, of_answers(data, data.theta), rtol=1e-12)


def test_the_probabilities_of_one_item_are_those_of_all(data):
    sparse, every = sorted_by_item(data.responses), evaluated(data, data.theta)
    for j in (0, 7, 19):
        low, middle, high = sparse.bounds[2 * j : 2 * j + 3]
        found = np.empty(high - low)
        a = data.a[j]
        at = np.empty(high - low)
        abilities_of(sparse.user[low:high], data.theta, at)
        evaluate_item(at, middle - low, a, a * data.b[j], found)
        np.testing.assert_allclose(found, every[low:high], rtol=1e-13)


def test_an_impossible_answer_keeps_a_probability_that_can_be_multiplied(data):
    assert evaluated(data, 1e4 * data.theta).min() == 1e-100


def changes(user, bounds, theta, a, c, old):
    """Probabilities, and the change of the log-likelihood by user."""
    found, (product, change) = np.empty(len(user)), np.empty((2, len(theta)))
    evaluate_change(user, bounds, theta, a, c, old, found, (product, change))
    return found, change


def test_the_change_of_a_user_is_the_sum_of_log_ratios(data):
    sparse, moved = sorted_by_item(data.responses), -0.5 * data.theta
    old = evaluated(data, data.theta)
    found, change = changes(*sparse[:2], moved, data.a, data.a * data.b, old)
    np.testing.assert_array_equal(found, evaluated(data, moved))
    np.testing.assert_allclose(
        change, np.bincount(sparse.user, np.log(found / old)), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("old", [1.0, 1e-100])
def test_a_hundred_thousand_responses_of_a_user_neither_underflow_nor_overflow(old):
    n = 100_000
    data = np.zeros(n, np.int32), np.array([0, n, n]), np.zeros(1), np.ones(1), np.ones(1)
    found, change = changes(*data, np.full(n, old))
    assert found[0] == pytest.approx(1 / (1 + np.e), rel=1e-12)
    assert change[0] == pytest.approx(n * np.log(found[0] / old), rel=1e-10)


def test_the_change_of_the_log_likelihood_is_the_sum_of_log_ratios():
    new, old = np.random.default_rng(0).uniform(0.01, 1, (2, 1000))
    assert log_ratio_of(new, old) == pytest.approx(np.log(new / old).sum(), rel=1e-11)


@pytest.mark.parametrize("far", [1e-100, 1e-60, 1e-5])
def test_ratios_far_from_one_neither_overflow_nor_underflow(far):
    new, old = np.random.default_rng(1).uniform(0.2, 1, (2, 300))
    old[:200] = far
    assert log_ratio_of(new, old) == pytest.approx(np.log(new / old).sum(), rel=1e-11)
    assert log_ratio_of(old, new) == pytest.approx(np.log(old / new).sum(), rel=1e-11)


def test_only_users_whose_move_was_accepted_take_the_proposed_probabilities():
    user, accepted = np.array([0, 1, 0, 2], np.int32), np.array([1.0, 0.0, 1.0])
    kept, proposed = np.full(4, 0.25), np.full(4, 0.75)
    replace(user, accepted, kept, proposed)
    np.testing.assert_array_equal(kept, [0.75, 0.25, 0.75, 0.75])
