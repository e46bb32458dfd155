"""MML and MAP estimates against published ones, a plain reference and numerical derivatives."""

import json

import numpy as np
import pandas as pd
import pytest
from item_data import simulated_items, table
from scipy.optimize import approx_fprime, minimize
from scipy.special import logsumexp

from tallgrass.errors import DataError
from tallgrass.items.engines import calibrate_map, calibrate_mml, one_sided_items, quadrature
from tallgrass.items.engines.quadrature import by_user, expect, grid, nodes_for
from tallgrass.items.engines.standard_errors import Border, covariances
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.responses import Anchors

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(121)


def plain_log_lik(responses, slope, intercept):
    """Marginal log-likelihood by Gauss-Hermite quadrature."""
    z = slope[:, None] * NODES + intercept[:, None]
    log_p = np.stack([-np.logaddexp(0, z), -np.logaddexp(0, -z)])  # of a wrong answer, of a right
    answers = np.zeros((len(responses.users), *log_p.shape[:2]))
    answers[responses.user, responses.correct, responses.item] = 1.0
    by_user = np.tensordot(answers, log_p)
    return logsumexp(by_user + np.log(WEIGHTS / WEIGHTS.sum()), axis=1).sum()


@pytest.mark.parametrize(
    ("name", "key", "file"),
    [("LSAT6", "LSAT6_2PL_MML_ltm", "LSAT6.csv"), ("LSAT7", "LSAT7_2PL_mirt", "LSAT7.csv")],
)
def test_published_estimates_are_found_within_a_hundredth(data_dir, name, key, file):
    frame = pd.read_csv(data_dir / "items" / file)
    published = json.loads((data_dir / "items" / "published.json").read_text())[key]
    found = calibrate_mml(table(frame.to_numpy(), list(frame.columns)))
    assert found.converged
    np.testing.assert_allclose(found.a, published["a"], atol=0.01)
    d = published.get("d", -np.array(published["a"]) * published.get("b", 0.0))
    np.testing.assert_allclose(-found.a * found.b, d, atol=0.01)


def test_standard_errors_of_lsat7_are_close_to_those_of_mirt(data_dir):
    frame = pd.read_csv(data_dir / "items" / "LSAT7.csv")
    published = json.loads((data_dir / "items" / "published.json").read_text())["LSAT7_2PL_mirt"]
    found = calibrate_mml(table(frame.to_numpy(), list(frame.columns)))
    widths = np.diff(published["a_ci_SEM"], axis=1)[:, 0] / (2 * 1.959964)
    np.testing.assert_allclose(found.a_sd, widths, rtol=0.05)


def test_mml_is_the_maximum_of_a_plainly_written_likelihood():
    responses = simulated_items(400, 6, 0, per_user=6, seed=3).responses
    found = calibrate_mml(responses, tolerance=1e-6)
    slope, intercept = found.a, -found.a * found.b
    assert found.log_lik == pytest.approx(plain_log_lik(responses, slope, intercept), abs=1e-6)

    def negative(p):
        return -plain_log_lik(responses, p[:6], p[6:])

    best = minimize(negative, np.concatenate([np.ones(6), np.zeros(6)]), tol=1e-9)
    np.testing.assert_allclose(slope, best.x[:6], atol=1e-3)
    np.testing.assert_allclose(intercept, best.x[6:], atol=1e-3)


def test_mml_as_it_comes_is_within_a_two_thousandth_of_the_maximum():
    """The maximum by quasi-Newton, in dense arrays, on a grid twice as fine."""
    responses = simulated_items(500, 20, 0, per_user=15, seed=6).responses
    n, x = 20, np.linspace(-6, 6, 121)
    weight = -0.5 * x * x - logsumexp(-0.5 * x * x)
    shape = (len(responses.users), n)
    right, wrong = np.zeros(shape), np.zeros(shape)
    right[responses.user, responses.item] = responses.correct
    wrong[responses.user, responses.item] = 1 - responses.correct

    def objective(p):
        z = p[:n, None] * x + p[n:, None]
        log_right, log_wrong = -np.logaddexp(0, -z), -np.logaddexp(0, z)
        joint = right @ log_right + wrong @ log_wrong + weight
        total = logsumexp(joint, axis=1, keepdims=True)
        density = np.exp(joint - total)
        expected, missed = right.T @ density, wrong.T @ density
        residual = expected - (expected + missed) * np.exp(log_right)
        return -total.sum(), -np.concatenate([residual @ x, residual.sum(axis=1)])

    start = np.concatenate([np.ones(n), np.zeros(n)])
    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-6}
    best = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    found = calibrate_mml(responses)
    np.testing.assert_allclose(found.a, best.x[:n], atol=5e-4)
    np.testing.assert_allclose(found.b, -best.x[n:] / best.x[:n], atol=5e-4)
    assert found.log_lik == pytest.approx(-best.fun, abs=1e-4)


def test_standard_errors_are_the_inverse_of_the_numerical_hessian():
    responses = simulated_items(300, 4, 0, per_user=4, seed=4).responses
    found = calibrate_mml(responses, tolerance=1e-7)
    point = np.concatenate([found.a, found.b])

    def negative(p):
        return -plain_log_lik(responses, p[:4], -p[:4] * p[4:])

    def gradient(p):
        return approx_fprime(p, negative, 1e-5)

    hessian = np.array(
        [(gradient(point + h) - gradient(point - h)) / 2e-3 for h in 1e-3 * np.eye(8)]
    )
    sd = np.sqrt(np.diag(np.linalg.inv((hessian + hessian.T) / 2)))
    np.testing.assert_allclose(np.concatenate([found.a_sd, found.b_sd]), sd, rtol=0.02)


def test_map_is_the_mode_of_the_marginal_posterior_and_its_errors_its_curvature():
    data = simulated_items(200, 5, 2, per_user=5, seed=5)
    found = calibrate_map(data.responses, data.anchors, tolerance=1e-7)
    priors = item_priors(data.responses, data.anchors)

    def negative(p):
        a = np.exp(p[:5])
        prior = ((p[:5] - priors.log_a_mean) / priors.log_a_sd) ** 2
        prior += ((p[5:] - priors.b_mean) / priors.b_sd) ** 2
        return prior.sum() / 2 - plain_log_lik(data.responses, a, -a * p[5:])

    best = minimize(negative, np.zeros(10), tol=1e-9).x
    point = np.concatenate([np.log(found.a), found.b])
    np.testing.assert_allclose(point, best, atol=1e-3)

    def gradient(p):
        return approx_fprime(p, negative, 1e-5)

    hessian = np.array(
        [(gradient(best + h) - gradient(best - h)) / 2e-3 for h in 1e-3 * np.eye(10)]
    )
    sd = np.sqrt(np.diag(np.linalg.inv((hessian + hessian.T) / 2)))
    np.testing.assert_allclose(np.concatenate([found.a_sd / found.a, found.b_sd]), sd, rtol=0.02)


def curvature(negative, best):
    def gradient(p):
        return approx_fprime(p, negative, 1e-5)

    steps = 1e-3 * np.eye(len(best))
    hessian = np.array([(gradient(best + h) - gradient(best - h)) / 2e-3 for h in steps])
    return np.linalg.inv((hessian + hessian.T) / 2)


def test_map_of_a_free_population_is_the_mode_and_its_errors_the_curvature():
    data = simulated_items(200, 5, 2, per_user=5, seed=5)
    choice = PriorChoice(free=True)
    found = calibrate_map(data.responses, data.anchors, tolerance=1e-7, choice=choice)
    priors = item_priors(data.responses, data.anchors, choice)

    def negative(p):
        log_a, b, (mean, log_sd) = p[:5], p[5:10], p[10:]
        prior = np.sum(((log_a - priors.log_a_mean) / priors.log_a_sd) ** 2)
        prior += np.sum(((b - priors.b_mean) / priors.b_sd) ** 2)
        prior += mean**2 + (log_sd / 0.5) ** 2
        a = np.exp(log_a)
        # theta = mean + sd x, x ~ N(0, 1)
        return prior / 2 - plain_log_lik(data.responses, a * np.exp(log_sd), a * (mean - b))

    best = minimize(negative, np.zeros(12), tol=1e-9).x
    mean, sd, mean_se, sd_se = found.population
    point = np.concatenate([np.log(found.a), found.b, [mean, np.log(sd)]])
    np.testing.assert_allclose(point, best, atol=1e-3)
    errors = np.concatenate([found.a_sd / found.a, found.b_sd, [mean_se, sd_se / sd]])
    expected = np.sqrt(np.diag(curvature(negative, best)))
    np.testing.assert_allclose(errors, expected, rtol=0.02)


def test_fixed_anchors_keep_their_values_and_the_rest_is_the_maximum():
    data = simulated_items(400, 6, 3, per_user=6, seed=9)
    anchors = data.anchors
    found = calibrate_mml(data.responses, fixed=anchors, tolerance=1e-7)
    np.testing.assert_array_equal(found.a[:3], anchors.a)
    np.testing.assert_allclose(found.b[:3], anchors.b, rtol=1e-12)

    def negative(p):
        a = np.concatenate([anchors.a, p[:3]])
        b = np.concatenate([anchors.b, p[3:6]])
        return -plain_log_lik(data.responses, a * np.exp(p[7]), a * (p[6] - b))

    best = minimize(negative, np.concatenate([np.ones(3), np.zeros(5)]), tol=1e-9).x
    mean, sd, mean_se, sd_se = found.population
    point = np.concatenate([found.a[3:], found.b[3:], [mean, np.log(sd)]])
    np.testing.assert_allclose(point, best, atol=2e-3)
    errors = np.concatenate([found.a_sd[3:], found.b_sd[3:], [mean_se, sd_se / sd]])
    expected = np.sqrt(np.diag(curvature(negative, best)))
    np.testing.assert_allclose(errors, expected, rtol=0.02)


def test_covariances_with_a_border_are_those_of_the_whole_bordered_inverse():
    root = np.random.default_rng(4).normal(size=(10, 14))
    whole = root @ root.T
    whole[:8, :8] += 0.5 * np.eye(8)
    information = whole[:8, :8] - 0.5 * np.eye(8)
    border = Border(whole[:8, 8:], whole[8:, 8:])
    found = covariances(information, np.full((4, 2), 0.5), border)
    inverse = np.linalg.inv(whole)
    expected = [inverse[j : j + 2, j : j + 2] for j in range(0, 8, 2)]
    np.testing.assert_allclose(found.items, expected, rtol=1e-9)
    np.testing.assert_allclose(found.population, inverse[8:, 8:], rtol=1e-9)


def test_expected_counts_add_up_to_the_responses():
    data = simulated_items(150, 8, 0, per_user=5)
    r = data.responses
    expected = expect(by_user(r), data.a, -data.a * data.b, *grid(61))
    n = np.bincount(2 * r.item + r.correct, minlength=16)
    np.testing.assert_allclose(expected.counts.sum(axis=1), n, rtol=1e-12)


def test_thousands_of_responses_a_user_make_the_grid_finer():
    generator = np.random.default_rng(0)
    b = np.linspace(-2, 2, 3000)
    theta = np.array([-0.53, 0.31, 0.99])
    p = 1 / (1 + np.exp(-(theta[:, None] - b)))
    responses = table(generator.random((3, 3000)) < p)
    x, log_weight = grid(nodes_for(0.04))
    expected = expect(by_user(responses), np.ones(3000), -b, x, log_weight)
    assert expected.theta_sd.min() < 0.05
    finer = expect(by_user(responses), np.ones(3000), -b, *grid(2001))
    np.testing.assert_allclose(expected.theta, finer.theta, atol=1e-6)
    np.testing.assert_allclose(expected.theta_sd, finer.theta_sd, rtol=1e-4)
    found = calibrate_map(responses)
    assert np.abs(found.theta - theta).max() < 0.5
    assert not any("not resolved" in note for note in found.notes)


def test_items_all_right_or_all_wrong_are_kept_finite_and_named():
    matrix = np.random.default_rng(2).integers(0, 2, (300, 5))
    matrix[:, 1], matrix[:, 3] = 1, 0
    responses = table(matrix)
    assert one_sided_items(responses) == ("i001", "i003")
    for estimate in (calibrate_mml(responses), calibrate_map(responses)):
        assert np.isfinite([*estimate.a, *estimate.b, *estimate.a_sd, *estimate.b_sd]).all()
        assert estimate.b[1] < -1 < 1 < estimate.b[3]
        assert any("i001, i003" in note for note in estimate.notes)
    found = calibrate_map(responses)
    assert found.b_sd[1] > 2 * found.b_sd[0]


def test_a_negative_discrimination_is_found_and_said():
    data = simulated_items(2000, 8, 0, per_user=8, seed=6)
    correct = np.where(data.responses.item == 2, 1 - data.responses.correct, data.responses.correct)
    r = data.responses
    found = calibrate_mml(type(r)(r.users, r.items, r.user, r.item, correct))
    assert found.a[2] < 0
    assert any("negative" in note for note in found.notes)


def test_an_anchor_without_a_response_is_refused():
    responses = simulated_items(50, 4, 0, per_user=4).responses
    with pytest.raises(DataError, match="anchor without a response"):
        calibrate_map(responses, Anchors(("elsewhere",), np.ones(1), np.zeros(1)))


def test_anchors_fix_the_scale_of_map_estimates():
    data = simulated_items(1500, 12, 6, per_user=10, seed=7)
    shifted = Anchors(data.anchors.items, data.anchors.a, data.anchors.b + 0.2)
    before, after = (calibrate_map(data.responses, x) for x in (data.anchors, shifted))
    assert (after.b[6:] - before.b[6:]).mean() > 0.02


def test_covariances_are_the_blocks_of_the_inverse_of_the_whole_information():
    root = np.random.default_rng(3).normal(size=(8, 12))
    information, precision = root @ root.T, np.full((4, 2), 0.5)
    inverse = np.linalg.inv(information + 0.5 * np.eye(8))
    expected = [inverse[j : j + 2, j : j + 2] for j in range(0, 8, 2)]
    np.testing.assert_allclose(covariances(information, precision).items, expected, rtol=1e-10)


def test_an_item_without_information_has_no_covariance_and_the_others_have():
    blocks = np.kron(np.eye(3), [[2.0, 0.5], [0.5, 1.0]])
    blocks[2, 2] = -1.0  # the whole is not positive definite
    found = covariances(blocks, np.zeros((3, 2))).items
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[[0, 2]], np.linalg.inv([[2.0, 0.5], [0.5, 1.0]])[None][[0, 0]])


def test_sums_over_users_are_the_same_of_few_answers_and_of_many(monkeypatch):
    responses = simulated_items(300, 12, 0, per_user=8, seed=3).responses
    one_by_one = calibrate_mml(responses)
    monkeypatch.setattr(quadrature, "_FEW", 0)
    at_once = calibrate_mml(responses)
    np.testing.assert_array_equal(one_by_one.b, at_once.b)
    np.testing.assert_array_equal(one_by_one.theta, at_once.theta)
