"""The centre of the scale and the party means: integrated out, and put back."""

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from toy import assert_constant, compiled, log_determinant

from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.group_means import ordered_party_means

ALPHA, MU = PriorSpec.parse("normal:1.2,3"), PriorSpec.parse("normal:-0.6,1.4")
a_in, beta_in = pt.dvectors("a", "beta")
s_in, low_in, high_in, eps_in = pt.dscalars("s", "low", "high", "eps")


@pytest.fixture(scope="module")
def located():
    def build(a, beta, s, low, high, eps):
        return list(co.location(a, beta, ALPHA, s, (low, high), MU, eps))

    return compiled(build, a_in, beta_in, s_in, low_in, high_in, eps_in)


def location_points(count=6):
    generator = np.random.default_rng(10)
    for _ in range(count):
        yield (
            2 * generator.normal(size=5),
            generator.normal(size=5),
            generator.uniform(0.3, 2.5),
            *generator.uniform(0.5, 5, size=2),
        )


def location_log_joint(mid, a, beta, s, low, high):
    """log-density of the intercepts and of the members' party means at this centre."""
    return (
        stats.norm.logpdf(a + beta * mid, ALPHA.mu, ALPHA.sigma).sum()
        + stats.norm.logpdf(mid - s, MU.mu, np.sqrt(low))
        + stats.norm.logpdf(mid + s, MU.mu, np.sqrt(high))
    )


def test_the_centre_is_integrated_out(located):
    differences = []
    for point in location_points():
        peak = float(located(*point, 0.0)[0])
        height = location_log_joint(peak, *point)
        integral = integrate.quad(
            lambda mid, point=point, height=height: np.exp(
                location_log_joint(mid, *point) - height
            ),
            peak - 30,
            peak + 30,
            points=[peak],
        )[0]
        differences.append(np.log(integral) + height - float(located(*point, 0.0)[1]))
    assert_constant(differences, 1e-6)


def test_the_centre_put_back_has_the_density_it_was_integrated_from(located):
    differences = []
    for point in location_points():
        for eps in (-2.5, 0.0, 1.0):
            mid, log_density = located(*point, eps)
            slope = log_determinant(
                lambda x, point=point: [located(*point, x[0])[0]], np.array([eps])
            )
            joint = location_log_joint(mid, *point) + slope
            differences.append(joint - (log_density - eps**2 / 2))
    assert_constant(differences)


# Party means.

m_in, v_in, gap_in, level_in = pt.dvectors("means", "variances", "gap", "level")


@pytest.fixture(scope="module")
def party_means():
    """Of many points (eps_gap, eps_level) at once: means (2, n) and log-densities (n,)."""

    def build(m, v, gap, level):
        means = ordered_party_means((m[0], m[1]), (v[0], v[1]), MU, gap, level)
        return [pt.stack(means.mu), means.log_density]

    return compiled(build, m_in, v_in, gap_in, level_in)


def party_points():
    """Members' means and their variances: far apart, near, hardly different for their spread."""
    yield np.array([-1.4, 1.1]), np.array([0.01, 0.04])
    yield np.array([-3.0, -2.0]), np.array([0.3, 0.02])
    yield np.array([0.1, 0.9]), np.array([0.5, 1.5])
    yield np.array([0.4, 0.6]), np.array([0.7, 2.5])


def log_evidence(m, v):
    """log-density of the members' means with the party means integrated out, order ignored."""
    return stats.norm.logpdf(m, MU.mu, np.sqrt(MU.sigma**2 + v)).sum()


def test_party_means_given_their_members_have_the_density_of_the_conjugate_gaussians(party_means):
    differences = []
    for m, v in party_points():
        for eps in ([0.0, 0.0], [-0.5, 0.7], [0.4, -2.0], [-0.2, 1.0]):

            def means(x, m=m, v=v):
                mu, log_density = party_means(m, v, x[:1], x[1:])
                return mu[:, 0], log_density[0]

            mu, log_density = means(np.array(eps))
            joint = stats.norm.logpdf(mu, MU.mu, MU.sigma).sum()
            joint += stats.norm.logpdf(m, mu, np.sqrt(v)).sum()
            jacobian = log_determinant(lambda x, means=means: means(x)[0], np.array(eps), step=1e-4)
            stated = log_density - eps[1] ** 2 / 2 + log_evidence(m, v)
            differences.append(joint + jacobian - stated)
    assert_constant(differences)


def test_party_means_have_the_probability_of_their_order_left(party_means):
    # Summed over eps, what is left is P(mu_D < mu_R) of the unordered conjugate Gaussians.
    grid = np.linspace(-60, 10, 10_001)
    ratios = []
    for m, v in party_points():
        log_density = party_means(m, v, grid, np.zeros_like(grid))[1]
        mass = integrate.simpson(np.exp(log_density), x=grid)
        variance = 1 / (MU.sigma**-2 + 1 / v)
        mean = variance * (MU.mu / MU.sigma**2 + m / v)
        ordered = stats.norm.cdf((mean[1] - mean[0]) / np.sqrt(variance.sum()))
        ratios.append(np.log(mass) - np.log(ordered))
    assert_constant(ratios, 1e-5)
    assert ratios[0] == pytest.approx(np.log(2 * np.pi) / 2, abs=1e-5)


@given(
    eps=st.tuples(st.floats(-8, 8), st.floats(-8, 8)),
    centre=st.floats(-5, 5),
    half_gap=st.floats(0.05, 5),
    variances=st.tuples(st.floats(1e-4, 4), st.floats(1e-4, 4)),
)
def test_the_democrats_mean_is_the_lower_one(party_means, eps, centre, half_gap, variances):
    m = np.array([centre - half_gap, centre + half_gap])
    mu, log_density = party_means(m, np.array(variances), *np.reshape(eps, (2, 1)))
    assert mu[0] <= mu[1]
    # equal only where the gap is below the rounding of the means
    r = np.sqrt(sum(1 / (MU.sigma**-2 + 1 / x) for x in variances)) / (2 * half_gap)
    gap = 2 * half_gap * np.exp(r * eps[0])
    assert mu[0] < mu[1] or gap < 1e-14 * np.abs(mu).max()
    assert np.isfinite(log_density) or gap > 1e150
