import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from toy import assert_constant, compiled, log_determinant

from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls import coordinates as co

PRIORS = [
    "normal:0,1",
    "normal:-0.7,2.5",
    "lognormal:0.3,0.6",
    "lognormal_reparam:-0.2,1.5",
    "halfnormal:0.8",
]
SCIPY = {
    "normal": lambda p: stats.norm(p.mu, p.sigma),
    "lognormal": lambda p: stats.lognorm(p.sigma, scale=np.exp(p.mu)),
    "lognormal_reparam": lambda p: stats.lognorm(p.sigma, scale=np.exp(p.mu)),
    "halfnormal": lambda p: stats.halfnorm(scale=p.sigma),
}


def zero_sum_basis(n):
    return np.eye(n, n - 1) + np.outer(co.zero_sum_weights(n), np.ones(n - 1))


# Zero-sum deviations.


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40, 125])
def test_the_zero_sum_basis_is_orthonormal_and_sums_to_zero(n):
    basis = zero_sum_basis(n)
    np.testing.assert_allclose(basis.T @ basis, np.eye(n - 1), atol=1e-13)
    np.testing.assert_allclose(basis.sum(axis=0), 0, atol=1e-13)


@given(n=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_the_inverse_gives_back_the_coordinates(n, seed):
    y = np.random.default_rng(seed).normal(size=n - 1)
    np.testing.assert_allclose(co.zero_sum_inverse(zero_sum_basis(n) @ y), y, atol=1e-12)


def test_the_zero_sum_basis_is_that_of_pymc():
    y = np.random.default_rng(0).normal(size=6)
    extended = pm.distributions.transforms.ZeroSumTransform([0]).backward(pt.constant(y))
    np.testing.assert_allclose(zero_sum_basis(7) @ y, extended.eval(mode="FAST_COMPILE"))


@pytest.mark.parametrize("sizes", [(3, 4), (1, 5), (6, 1), (1, 1), (21, 40)])
def test_standardised_positions_have_group_means_of_exactly_minus_and_plus_one(sizes):
    generator = np.random.default_rng(1)
    groups = np.repeat(np.array([0, 1], np.int8), sizes)
    generator.shuffle(groups)
    y = [3 * generator.normal(size=n - 1) for n in sizes]
    v = compiled(lambda *y: co.standardised_positions(y, groups), *pt.dvectors(2))(*y)
    for g, free in enumerate(y):
        assert v[groups == g].mean() == pytest.approx(2 * g - 1, abs=1e-13)
        deviations = v[groups == g] - (2 * g - 1)
        assert np.sum(deviations**2) == pytest.approx(np.sum(free**2))
        np.testing.assert_allclose(co.zero_sum_inverse(deviations), free, atol=1e-12)


# Roll calls.


def rollcall_map(build):
    """(x, y) -> (a, b) as one flat vector, and the stated log-Jacobian."""
    function = compiled(build, *pt.dvectors(2))

    def flat(x):
        a, b, _ = function(*np.split(x, 2))
        return np.concatenate([a, b])

    return flat, lambda x: float(function(*np.split(x, 2))[2])


def test_rollcalls_from_logits_have_these_logits_at_the_two_party_centres():
    at_democrats, at_republicans = np.random.default_rng(2).normal(size=(2, 5))
    function = compiled(lambda *x: list(co.rollcalls_from_logits(*x)), *pt.dvectors(2))
    a, b, _ = function(at_democrats, at_republicans)
    np.testing.assert_allclose(-b - a, at_democrats, atol=1e-14)
    np.testing.assert_allclose(b - a, at_republicans, atol=1e-14)


def test_positive_rollcalls_have_their_scaled_logit_at_the_pivot():
    log_b, kappa = np.random.default_rng(3).normal(size=(2, 5))
    pivot = np.linspace(-1, 1, 5)
    function = compiled(lambda *x: list(co.rollcalls_positive(*x, pivot)), *pt.dvectors(2))
    a, b, _ = function(log_b, kappa)
    np.testing.assert_allclose(np.log(b), log_b, atol=1e-14)
    np.testing.assert_allclose(b * pivot - a, kappa * (1 + b), atol=1e-13)


@pytest.mark.parametrize("kind", ["signed", "positive"])
def test_the_stated_log_jacobian_of_the_rollcalls_is_the_numeric_one_up_to_a_constant(kind):
    pivot = np.linspace(-0.9, 0.8, 4)
    build = {
        "signed": lambda x, y: list(co.rollcalls_from_logits(x, y)),
        "positive": lambda x, y: list(co.rollcalls_positive(x, y, pivot)),
    }[kind]
    flat, stated = rollcall_map(build)
    points = np.random.default_rng(4).normal(size=(6, 8))
    assert_constant([stated(x) - log_determinant(flat, x) for x in points])


# Scale and spread.


@pytest.mark.parametrize("text", PRIORS)
def test_the_scale_gives_slopes_the_spread_their_prior_expects(text):
    prior = PriorSpec.parse(text)
    b = np.random.default_rng(5).lognormal(size=50)
    function = compiled(
        lambda b, eps: co.log_scale(b, pt.log(b), prior, eps, 50), pt.dvector(), pt.dscalar()
    )
    beta = b / np.exp(function(b, 0.0))
    if prior.distribution.startswith("lognormal"):
        assert np.log(beta).mean() == pytest.approx(prior.mu)
    else:
        second_moment = SCIPY[prior.distribution](prior).moment(2)
        assert np.mean(beta**2) == pytest.approx(second_moment)


def test_the_scale_uses_the_slopes_of_either_sign():
    prior = PriorSpec.parse("normal:0.5,2")
    b = np.random.default_rng(6).normal(size=30)
    function = compiled(
        lambda b, eps: co.log_scale(b, None, prior, eps, 30), pt.dvector(), pt.dscalar()
    )
    assert np.mean((b / np.exp(function(b, 0.0))) ** 2) == pytest.approx(0.25 + 4)


@pytest.mark.parametrize("text", PRIORS)
def test_the_jacobian_of_the_scale_is_constant(text):
    prior = PriorSpec.parse(text)
    function = compiled(
        lambda b, eps: co.log_scale(b, pt.log(b), prior, eps, 4), pt.dvector(), pt.dscalar()
    )
    points = np.random.default_rng(7).uniform(0.3, 3, size=(5, 5))
    assert_constant(
        [
            log_determinant(lambda x: np.append(x[:4], function(x[:4], x[4])), x, step=1e-4)
            for x in points
        ]
    )


def test_the_spread_is_the_root_mean_square_where_eps_is_zero_and_has_a_constant_jacobian():
    function = compiled(
        lambda y, eps: co.log_spread(pt.sum(y**2), 6, eps), pt.dvector(), pt.dscalar()
    )
    points = np.random.default_rng(8).normal(size=(5, 6))
    y = points[0, :5]
    assert np.exp(2 * function(y, 0.0)) == pytest.approx(np.sum(y**2) / 6)
    assert_constant(
        [log_determinant(lambda x: np.append(x[:5], function(x[:5], x[5])), x) for x in points]
    )


def few():
    return compiled(co.log_spread_of_few, pt.dscalar())


def test_stretched_deviations_have_the_length_and_the_jacobian_that_are_stated():
    usual, width, m = 0.4, 0.2, 5
    parts = compiled(
        lambda free, extent: co.stretched(pt.sum(free**2), extent, usual, width),
        pt.dvector(),
        pt.dscalar(),
    )

    def whole(z):
        """(free, extent) -> (y, log |free|)."""
        factor, dummy = parts(z[:m], z[m])
        return np.append(z[:m] * np.exp(factor), usual + width * dummy)

    generator = np.random.default_rng(4)
    for _ in range(4):
        z = generator.normal(size=m + 1)
        y, log_length = np.split(whole(z), [m])
        assert np.log(np.linalg.norm(y)) == pytest.approx(usual + z[m], abs=1e-12)
        assert log_length == pytest.approx(np.log(np.linalg.norm(z[:m])), abs=1e-12)
        assert log_determinant(whole, z) == pytest.approx(m * parts(z[:m], z[m])[0], abs=1e-8)


@pytest.mark.parametrize("eps", [-6.0, -1.0, 0.0, 0.7, 9.0])
def test_the_spread_of_few_has_the_inverse_and_the_jacobian_that_are_stated(eps):
    function, step = few(), 1e-5
    log_tau, log_jacobian = function(eps)
    assert co.log_spread_of_few_inverse(float(log_tau)) == pytest.approx(eps, abs=1e-9)
    slope = (function(eps + step)[0] - function(eps - step)[0]) / (2 * step)
    assert log_jacobian == pytest.approx(np.log(slope), abs=1e-8)


def test_a_spread_of_few_near_zero_has_the_tail_of_a_normal_variable():
    # A finite density of tau at 0 is one of log tau in proportion to tau.
    for eps in (-20.0, -8.0):
        log_tau, log_jacobian = few()(eps)
        assert log_tau + log_jacobian == pytest.approx(-(eps**2) / 2 + eps + np.log(-eps), rel=0.01)


# Priors.


@pytest.mark.parametrize("text", PRIORS)
@pytest.mark.parametrize("with_log", [False, True])
def test_the_log_density_of_a_prior_is_that_of_scipy_up_to_a_constant(text, with_log):
    prior = PriorSpec.parse(text)
    function = compiled(
        lambda x: co.prior_logp(prior, x, pt.log(x) if with_log else None), pt.dvector()
    )
    expected = SCIPY[prior.distribution](prior)
    points = np.random.default_rng(9).lognormal(size=(6, 5))
    assert_constant([function(x) - expected.logpdf(x).sum() for x in points], 1e-10)


# Deviations of logits from what is expected of them.

ESTIMATES = np.array([-2.0, 0.3, 4.0])
INFORMATION = np.array([0.5, 3.0, 10.0])
EXPECTED = np.array([1.0, 0.0, -1.5])


@pytest.fixture(scope="module")
def deviations():
    """(z, sigma) -> value and log-Jacobian of the deviations."""
    return compiled(
        lambda z, sigma: list(co.deviations(z, EXPECTED, sigma, INFORMATION, ESTIMATES)),
        pt.dvector(),
        pt.dscalar(),
    )


@pytest.mark.parametrize("sigma", [0.01, 0.7, 20.0])
def test_deviations_have_the_inverse_and_the_jacobian_that_are_stated(deviations, sigma):
    z = np.array([-1.0, 0.2, 1.7])
    value, log_jacobian = deviations(z, sigma)
    back = co.deviations_inverse(EXPECTED + value, EXPECTED, sigma, INFORMATION, ESTIMATES)
    np.testing.assert_allclose(back, z, atol=1e-9)
    numeric = log_determinant(lambda y: deviations(y, sigma)[0], z)
    assert log_jacobian.sum() == pytest.approx(numeric, abs=1e-6)


def test_small_deviations_are_in_units_of_their_spread_and_large_ones_about_the_votes(deviations):
    z = np.array([-1.0, 0.2, 1.7])
    np.testing.assert_allclose(deviations(z, 1e-4)[0] / 1e-4, z, atol=1e-2)
    about_votes = ESTIMATES - EXPECTED + z / np.sqrt(INFORMATION)
    np.testing.assert_allclose(deviations(z, 1e4)[0], about_votes, atol=1e-6)
