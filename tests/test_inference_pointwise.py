import warnings

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st

from tallgrass.inference.pointwise import pointwise_loglik, psis_loo, replicate, tail_length


def logistic_votes(
    n: int, n_draws: int, scale: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    votes = generator.choice(np.array([-1, 1], np.int8), n)
    v = scale * (generator.normal() + 0.3 * generator.normal(size=n_draws))
    a = scale * (2 * generator.normal(size=(n, 1)) + 0.5 * generator.normal(size=(n, n_draws)))
    b = generator.normal(size=(n, 1)) + 0.4 * generator.normal(size=(n, n_draws))
    return votes, np.arange(n), v, a, b


def log_likelihood(n: int, n_draws: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    out = np.empty((n, n_draws))
    pointwise_loglik(*logistic_votes(n, n_draws, scale, seed), out)
    return out


def loo(log_lik: np.ndarray, reff: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    elpd, pareto_k, lppd = np.empty((3, len(log_lik)))
    psis_loo(log_lik, tail_length(log_lik.shape[1], reff), elpd, pareto_k, lppd)
    return elpd, pareto_k, lppd


@given(st.integers(1, 40), st.integers(1, 70), st.floats(0.01, 30), st.integers(0, 10**6))
def test_log_likelihoods_equal_the_formula_in_numpy(
    n: int, n_draws: int, scale: float, seed: int
) -> None:
    votes, columns, v, a, b = logistic_votes(n, n_draws, scale, seed)
    z = votes[:, None] * (b * v - a)

    out = np.empty_like(z)
    pointwise_loglik(votes, columns, v, a, b, out)

    np.testing.assert_allclose(out, -np.logaddexp(0, -z), rtol=1e-12)


@pytest.mark.parametrize(("logit", "expected"), [(1e4, 0.0), (-1e4, -1e4), (0.0, -np.log(2))])
def test_extreme_logits_are_finite_and_right(logit: float, expected: float) -> None:
    out = np.empty((1, 1))

    pointwise_loglik(
        np.array([1], np.int8), np.array([0]), np.array([logit]), np.zeros((1, 1)),
        np.ones((1, 1)), out,
    )  # fmt: skip

    assert out[0, 0] == pytest.approx(expected, rel=1e-14, abs=1e-300)


def test_votes_are_read_from_the_roll_calls_that_are_named() -> None:
    _, _, v, a, b = logistic_votes(5, 8)
    chosen = np.array([4, 1])
    out, expected = np.empty((2, 8)), np.empty((2, 8))

    pointwise_loglik(np.array([1, -1], np.int8), chosen, v, a, b, out)
    pointwise_loglik(np.array([1, -1], np.int8), np.arange(2), v, a[chosen], b[chosen], expected)

    assert (out == expected).all()


@pytest.mark.parametrize("n_draws", [25, 226, 1000, 4000])
@pytest.mark.parametrize(("scale", "reff"), [(0.05, 1.0), (1.0, 0.4), (1.0, 1.7), (8.0, 1.0)])
def test_loo_equals_arviz(n_draws: int, scale: float, reff: float) -> None:
    log_lik = log_likelihood(40, n_draws, scale, seed=n_draws)

    elpd, pareto_k, lppd = loo(log_lik, reff)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows where a tail is very long
        expected = array_stats.loo(log_lik[:, None, :], r_eff=reff)

    np.testing.assert_allclose(elpd, expected[0], rtol=1e-8, atol=1e-8)
    # The k of ratios that differ from 1 by rounding only is that of the rounding.
    uncertain = np.sort(log_lik)[:, n_draws // 5] < -1e-4
    assert uncertain.sum() >= 20
    np.testing.assert_allclose(pareto_k[uncertain], expected[1][uncertain], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(lppd - elpd, expected[2], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("order", ["ascending", "descending", "outliers", "ties"])
def test_loo_equals_arviz_whatever_the_order_of_the_draws(order: str) -> None:
    row = np.sort(log_likelihood(1, 1000)[0])
    if order == "descending":
        row = row[::-1].copy()
    if order == "outliers":
        row[::16] -= 1.0  # exactly the draws that the selection looks at first
    if order == "ties":
        row = np.round(row, 1)

    elpd, pareto_k, _ = loo(row[None])
    expected = array_stats.loo(row[None, None], r_eff=1.0)

    np.testing.assert_allclose(elpd[0], expected[0], rtol=1e-8)
    np.testing.assert_allclose(pareto_k[0], expected[1], rtol=1e-8)


def test_a_vote_that_is_certain_in_every_draw_costs_nothing_and_has_no_tail() -> None:
    elpd, pareto_k, lppd = loo(np.zeros((1, 200)))

    assert (elpd[0], pareto_k[0], lppd[0]) == (0.0, -np.inf, 0.0)


def test_too_few_draws_for_a_tail_leave_loo_undefined_but_not_the_probability() -> None:
    log_lik = log_likelihood(3, 24)

    elpd, pareto_k, lppd = loo(log_lik)

    assert np.isnan(elpd).all()
    assert np.isnan(pareto_k).all()
    np.testing.assert_allclose(np.exp(lppd), np.exp(log_lik).mean(axis=1), rtol=1e-13)


def test_replicated_votes_are_yeas_where_the_uniform_is_below_the_probability_of_a_yea() -> None:
    votes = np.array([1, -1, 1], np.int8)
    columns = np.array([2, 0, 1])
    log_lik = np.log([[0.9, 0.1], [0.3, 0.3], [0.5, 0.5]])
    uniform = np.array([[0.5, 0.5], [0.2, 0.8], [0.6, 0.1]], np.float32)
    of_legislator, of_rollcall = np.zeros(2, np.int32), np.ones((3, 2), np.int32)

    kept = np.zeros((3, 2), np.int8)

    replicate(votes, columns, log_lik, uniform, of_legislator, of_rollcall, kept)

    # The nay has P(nay) = 0.3: below it the vote is as observed, from it on a yea.
    assert (of_rollcall - 1).tolist() == [[0, 1], [0, 1], [1, 0]]
    assert of_legislator.tolist() == [1, 2]
    assert kept.tolist() == [[1, -1], [-1, 1], [-1, 1]]


def test_single_replicated_votes_are_kept_of_evenly_spaced_draws() -> None:
    votes, columns = np.array([1, -1], np.int8), np.array([0, 1])
    uniform = np.random.default_rng(0).random((2, 12), np.float32)
    log_lik = np.full((2, 12), np.log(0.5))
    every, some = np.zeros((2, 12), np.int8), np.zeros((2, 3), np.int8)

    for kept in (every, some):
        counts = np.zeros(12, np.int32), np.zeros((2, 12), np.int32)
        replicate(votes, columns, log_lik, uniform, *counts, kept)

    assert some.tolist() == every[:, [0, 4, 8]].tolist()
