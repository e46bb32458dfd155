"""Fit statistics, information and reliability."""

import numpy as np
import pytest
from item_data import simulated_items, table

from tallgrass.items import fit
from tallgrass.items.engines import calibrate_mml


def test_fit_statistics_by_hand():
    responses = table([[1, 0], [1, 1]])
    theta, a, b = np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([-1.0, 0.5])
    p = np.array([[1 / (1 + np.exp(-(t + 1))), 1 / (1 + np.exp(-2 * (t - 0.5)))] for t in theta])
    squared, variance = (np.array([[1, 0], [1, 1]]) - p) ** 2, p * (1 - p)
    items = fit.item_fit(responses, theta, a, b)
    np.testing.assert_allclose(items.outfit, (squared / variance).mean(axis=0))
    np.testing.assert_allclose(items.infit, squared.sum(axis=0) / variance.sum(axis=0))
    persons = fit.person_fit(responses, theta, a, b)
    np.testing.assert_allclose(persons.outfit, (squared / variance).mean(axis=1))
    np.testing.assert_array_equal(persons.n, [2, 2])


def test_information_is_the_curvature_of_the_expected_log_likelihood():
    a, b, points = np.array([0.8, 1.7]), np.array([-0.4, 0.9]), np.array([-1.0, 0.0, 2.0])
    h = 1e-4
    slope = (fit.probability(points + h, a[:, None], b[:, None])
             - fit.probability(points - h, a[:, None], b[:, None])) / (2 * h)  # fmt: skip
    p = fit.probability(points, a[:, None], b[:, None])
    expected = slope**2 / (p * (1 - p))
    np.testing.assert_allclose(fit.item_information(points, a, b), expected, rtol=1e-6)
    np.testing.assert_allclose(
        fit.information_of_test(points, a, b), expected.sum(axis=0), rtol=1e-6
    )


def test_certain_answers_leave_the_statistics_finite():
    responses = table([[1, 0], [1, 1]])
    found = fit.item_fit(responses, np.array([900.0, -900.0]), np.ones(2), np.zeros(2))
    assert np.isfinite([found.infit, found.outfit]).all()


def test_reliability_is_the_squared_correlation_with_the_truth():
    data = simulated_items(4000, 40, 0, per_user=30, seed=13)
    found = calibrate_mml(data.responses)
    squared = np.corrcoef(found.theta, data.theta)[0, 1] ** 2
    assert fit.marginal_reliability(found.theta_sd) == pytest.approx(squared, abs=0.03)
    assert fit.empirical_reliability(found.theta, found.theta_sd) == pytest.approx(
        squared, abs=0.03
    )
