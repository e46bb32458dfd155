"""The models are those of models.md: exact against SciPy, by the Jacobian of the whole map."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit
from toy import BETA, OTHER, Density, log_determinant, spec_priors, toy_votes

from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.coordinates import zero_sum_inverse
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.base import NON_CENTRED
from tallgrass.rollcalls.models.hierarchical import SMALL_PARTY
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start

# By default each prior of the slopes once, and each set of the others; the pairs are slow tests.
PRIORS = [
    pytest.param(beta, other, marks=() if (i - j) % 3 == 0 else pytest.mark.slow)
    for i, beta in enumerate(BETA)
    for j, other in enumerate(OTHER)
]
SIZES = [(1, 6), (NON_CENTRED - 1, NON_CENTRED), (9, SMALL_PARTY), (SMALL_PARTY - 1, 2)]


def prior_logpdf(prior, x):
    frozen = {
        "normal": stats.norm(prior.mu, prior.sigma),
        "lognormal": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
        "lognormal_reparam": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
        "halfnormal": stats.halfnorm(scale=prior.sigma),
    }[prior.distribution]
    return frozen.logpdf(x).sum()


def textbook_logpdf(votes, spec, anchors, values):
    """models.md written with SciPy: votes, roll calls, and the legislators' model."""
    priors = {k: PriorSpec.parse(getattr(spec, f"{k}_prior")) for k in ("alpha", "beta")}
    xi, alpha, beta = values["xi"], values["alpha"], values["beta"]
    logp = log_expit(votes.cells * (np.outer(xi, beta) - alpha))[votes.cells != 0].sum()
    logp += prior_logpdf(priors["alpha"], alpha) + prior_logpdf(priors["beta"], beta)
    if spec.model == "flat":
        return logp + stats.norm.logpdf(np.delete(xi, anchors)).sum()
    mu, sigma, party = values["mu_party"], values["sigma_within"], votes.party_index
    logp += prior_logpdf(PriorSpec.parse(spec.mu_prior), mu)
    logp += np.log(2) if mu[0] < mu[1] else -np.inf  # sorted
    scale = np.where(np.bincount(party) < 20, 0.5, 1.0)
    logp += prior_logpdf(PriorSpec.parse(spec.sigma_prior), sigma / scale) - np.log(scale).sum()
    return logp + stats.norm.logpdf(xi, mu[party], sigma[party]).sum()


def log_ratios(votes, spec, points=4, seed=0):
    """log-density of the model less that of the textbook and the log-Jacobian of the whole map."""
    model = build_model(votes, spec, make_start(votes, "pca"))
    density, generator = Density(model), np.random.default_rng(seed)
    ratios = []
    for _ in range(points):
        # Anywhere but where the two anchors meet: there no scale exists.
        while True:
            z = density.flat(model.start(generator))
            z = 0.7 * z + 0.5 * generator.normal(size=len(z))
            values = density.public(z)
            if np.abs(values["xi"]).max() < 20:
                break
        expected = textbook_logpdf(votes, spec, model.anchors, values)
        expected += stats.norm.logpdf(density.dummies(z)).sum()
        expected += log_determinant(density.textbook, z, step=3e-4)
        ratios.append(density.logp(z) - expected)
    return np.array(ratios)


# The exactness of the canonical coordinates: geometry.md.


@pytest.mark.parametrize(("beta", "other"), PRIORS)
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_canonical_coordinates_are_the_textbook_posterior_for_every_prior(model, beta, other):
    spec = ModelSpec(model=model, **spec_priors(beta, other))
    assert np.ptp(log_ratios(toy_votes(3, 4, 5, seed=1), spec)) < 1e-6


@pytest.mark.parametrize(
    ("sizes", "beta"),
    [
        pytest.param(sizes, beta, marks=() if (i + j) % 2 == 0 else pytest.mark.slow)
        for i, sizes in enumerate(SIZES)
        for j, beta in enumerate(BETA[:2])
    ],
)
def test_canonical_coordinates_are_the_textbook_posterior_for_parties_of_any_size(sizes, beta):
    spec = ModelSpec(model="hierarchical", **spec_priors(beta))
    assert np.ptp(log_ratios(toy_votes(*sizes, 5, seed=2), spec, points=3)) < 1e-6


@pytest.mark.parametrize("beta", BETA[:2])
@pytest.mark.parametrize(
    "votes",
    [
        toy_votes(1, 6, 5, seed=3),
        toy_votes(3, 3, 5, seed=4, independents=2),
        toy_votes(0, 7, 5, seed=5),
        toy_votes(0, 0, 5, seed=6, independents=7),
        toy_votes(10, 25, 5, seed=7),
    ],
    ids=["one Democrat", "independents", "one party", "no party", "larger"],
)
def test_canonical_coordinates_are_the_textbook_posterior_of_any_flat_model(votes, beta):
    spec = ModelSpec(model="flat", **spec_priors(beta))
    assert np.ptp(log_ratios(votes, spec, points=3)) < 1e-6


@pytest.mark.parametrize("beta", BETA[:2])
def test_canonical_coordinates_are_exact_where_the_anchors_lie_the_other_way_round(beta):
    votes = toy_votes(3, 4, 5, seed=1)
    spec = ModelSpec(model="flat", anchors="auto", **spec_priors(beta))
    model = build_model(votes, spec, make_start(votes, "pca"))
    density = Density(model)
    point = model.start(np.random.default_rng(0))
    mirrored = dict(point)
    for g, name in enumerate(("left", "right")):
        # the anchor three beyond the centre of the other party, the rest of its party further out
        members = np.flatnonzero(votes.party_index == g)
        deviations = np.where(np.isin(members, model.anchors), 5.0 - 10.0 * g, 0.0)
        deviations += 0.3 * np.random.default_rng(g).normal(size=len(members))
        mirrored[f"deviation_{name}"] = zero_sum_inverse(deviations - deviations.mean())
    ratios = []
    for z in map(density.flat, (point, mirrored)):
        values = density.public(z)
        expected = textbook_logpdf(votes, spec, model.anchors, values)
        ratios.append(density.logp(z) - expected - log_determinant(density.textbook, z, step=3e-4))
    party_means = [values["xi"][votes.party_index == g].mean() for g in (0, 1)]
    assert party_means[0] > party_means[1]  # anchors at +1 and -1, their parties the other way
    assert np.ptp(ratios) < 1e-6


# The textbook models are written with PyMC's own distributions: equal, constants included.


@pytest.mark.parametrize("likelihood", ["kernel", "gather"])
@pytest.mark.parametrize("beta", BETA)
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_the_textbook_model_is_the_density_written_with_scipy(model, beta, likelihood):
    spec = ModelSpec(
        model=model, coordinates="textbook", likelihood=likelihood, **spec_priors(beta)
    )
    ratios = log_ratios(toy_votes(3, 4, 5, seed=1), spec)
    # SciPy's density is of sorted party means, twice that of means in any order
    constant = -np.log(2) if model == "hierarchical" else 0.0
    np.testing.assert_allclose(ratios, constant, atol=1e-6)


def test_the_textbook_spread_of_a_small_party_has_half_the_scale():
    spec = ModelSpec(model="hierarchical", coordinates="textbook", **spec_priors(BETA[0]))
    ratios = log_ratios(toy_votes(SMALL_PARTY - 1, SMALL_PARTY, 5, seed=2), spec, points=2)
    np.testing.assert_allclose(ratios, -np.log(2), atol=1e-6)
