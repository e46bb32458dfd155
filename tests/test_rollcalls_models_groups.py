"""The hierarchical model of three groups: exact, and one that finds the positions again."""

from dataclasses import replace

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import log_expit
from toy import BETA, OTHER, Density, log_determinant, spec_priors
from toy_groups import NEBRASKA, THREE, chamber

from tallgrass.errors import DataError
from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.grouping import grouped
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.any_groups import SIDE
from tallgrass.rollcalls.models.base import TYPICAL_SPREAD
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import VARIABLES, sample

SMALL = {"Labour": (3, -1.0, 0.4), "Conservative": (3, 1.0, 0.4), "Liberal": (3, 0.2, 0.4)}
# Those of 21 members are not in units of their spread; the two smaller ones are.
LARGE = {"Labour": (3, -1.0, 0.4), "Conservative": (4, 1.0, 0.4), "Liberal": (21, 0.2, 0.4)}


def textbook_logpdf(votes, spec, values):
    """The model of the docstring written with SciPy: the first two means in order, all N(mu)."""
    names = ("alpha", "beta", "mu", "sigma")
    priors = {name: PriorSpec.parse(getattr(spec, f"{name}_prior")) for name in names}

    def logpdf(name, x):
        prior = priors[name]
        frozen = {
            "normal": stats.norm(prior.mu, prior.sigma),
            "lognormal": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
            "lognormal_reparam": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
            "halfnormal": stats.halfnorm(scale=prior.sigma),
        }[prior.distribution]
        return frozen.logpdf(x).sum()

    xi, alpha, beta = values["xi"], values["alpha"], values["beta"]
    mu, sigma, group = values["mu_party"], values["sigma_within"], votes.party_index
    logp = log_expit(votes.cells * (np.outer(xi, beta) - alpha))[votes.cells != 0].sum()
    logp += logpdf("alpha", alpha) + logpdf("beta", beta) + logpdf("mu", mu)
    logp += 0.0 if mu[0] < mu[1] else -np.inf
    scale = np.where(np.bincount(group) < 20, 0.5, 1.0)
    logp += logpdf("sigma", sigma / scale) - np.log(scale).sum()
    return logp + stats.norm.logpdf(xi, mu[group], sigma[group]).sum()


def ratios_of(votes, spec):
    """log-density of the model less that of the textbook and the log-Jacobian of the whole map."""
    model = build_model(votes, spec, make_start(votes, "pca"))
    density, generator = Density(model), np.random.default_rng(0)
    # NumPy takes at most 32 operands at a time, so sums are left as they are written.
    density.how["mode"] = Mode(linker="vm", optimizer=None)
    width = TYPICAL_SPREAD / np.sqrt(len(votes.legislators))
    side = model.graph.replace_rvs_by_values([model.graph[SIDE]])
    sides_of = model.graph.compile_fn(side, **density.how, on_unused_input="ignore")

    def sides(z):
        return sides_of(density.point(z))[0]

    def textbook(z):
        return np.concatenate([density.textbook(z), sides(z)])

    ratios = []
    while len(ratios) < 3:
        z = density.flat(model.start(generator))
        z += 0.1 * generator.normal(size=len(z))  # and the halves do not change places
        values = density.public(z)
        if np.abs(values["xi"]).max() > 20:
            continue
        expected = textbook_logpdf(votes, spec, values) + log_determinant(textbook, z, step=3e-4)
        expected += stats.norm.logpdf(sides(z), 0, width).sum()
        expected += stats.norm.logpdf(density.dummies(z)).sum()
        ratios.append(density.logp(z) - expected)
    return ratios


@pytest.mark.parametrize("groups", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("beta", "other"), [(BETA[0], OTHER[0]), (BETA[1], OTHER[1]), (BETA[3], OTHER[2])]
)
def test_three_groups_in_canonical_coordinates_are_the_textbook_posterior(groups, beta, other):
    votes = replace(chamber(groups, 6, seed=1)[0], groups=tuple(groups))
    assert np.ptp(ratios_of(votes, ModelSpec(**spec_priors(beta, other)))) < 1e-6


@pytest.mark.parametrize("column", ["side", "third"])
@pytest.mark.parametrize(("beta", "other"), [(BETA[0], OTHER[0]), (BETA[1], OTHER[1])])
def test_groups_that_hardly_differ_are_the_textbook_posterior_too(column, beta, other):
    votes = grouped(chamber(SMALL, 6, seed=2)[0], column)
    spec = ModelSpec(**spec_priors(beta, other))
    assert np.ptp(ratios_of(votes, spec)) < 1e-6


def fitted(votes, **spec):
    """Draws of a model, at the defaults of a run, and what the sampler says of them."""
    spec, start = ModelSpec(**spec), make_start(votes, "pca")
    model = build_model(votes, spec, start)
    return sample(model, votes, SamplerSpec(), start.scores)


def assert_converged(sampled):
    table = diagnose(sampled.trace, VARIABLES).table
    assert table["rhat"].max() < 1.01
    assert table["ess_bulk"].min() > 400
    assert int(sampled.trace["sample_stats"]["diverging"].sum()) == 0


@pytest.mark.slow
def test_positions_in_a_chamber_of_three_parties_are_found_again():
    votes, xi = chamber(THREE, 400, seed=3)
    votes = replace(votes, groups=("Labour", "Conservative", "Liberal"))
    sampled = fitted(votes)
    assert_converged(sampled)
    posterior = sampled.trace["posterior"]
    assert posterior["mu_party"].coords["party"].to_numpy().tolist() == list(votes.groups)
    mean, (low, high, middle) = (
        posterior[name].mean(("chain", "draw")).to_numpy() for name in ("xi", "mu_party")
    )
    assert low < middle < high
    for g in range(3):
        own = votes.party_index == g
        assert np.corrcoef(mean[own], xi[own])[0, 1] > 0.95


@pytest.mark.slow
def test_groups_that_hardly_differ_converge():
    votes, xi = chamber(NEBRASKA, 120, seed=3)
    sampled = fitted(grouped(votes, "third"))
    assert_converged(sampled)
    mean = sampled.trace["posterior"]["xi"].mean(("chain", "draw")).to_numpy()
    assert abs(np.corrcoef(mean, xi)[0, 1]) > 0.95


@pytest.mark.slow
def test_positions_in_a_nonpartisan_chamber_are_found_again():
    votes, xi = chamber(NEBRASKA, 250, seed=4)
    sampled = fitted(votes, model="flat")
    assert_converged(sampled)
    mean = sampled.trace["posterior"]["xi"].mean(("chain", "draw")).to_numpy()
    free = sampled.trace["constant_data"]["anchor"].to_numpy() == 0
    assert abs(np.corrcoef(mean[free], xi[free])[0, 1]) > 0.95


def test_two_dimensions_of_three_groups_are_refused_in_the_hierarchical_model():
    votes, _ = chamber(SMALL, 12)
    with pytest.raises(DataError, match="two dimensions take two groups"):
        build_model(votes, ModelSpec(dims=2), make_start(votes, "pca"))


def test_two_dimensions_of_three_groups_are_flat_with_the_pair_as_axis_1():
    votes, _ = chamber(THREE, 40)
    model = build_model(votes, ModelSpec(dims=2, model="flat"), make_start(votes, "pca"))
    assert "xi_2" in model.public


def test_a_pair_that_hardly_differs_is_warned_of():
    votes = grouped(chamber(THREE, 40)[0], "side")
    model = build_model(votes, ModelSpec(), make_start(votes, "pca"))
    assert any("the groups N and S hardly differ" in warning for warning in model.warnings)


def test_a_pair_that_differs_is_not_warned_of():
    votes, _ = chamber(THREE, 40)
    model = build_model(votes, ModelSpec(), make_start(votes, "pca"))
    assert not any("hardly differ" in warning for warning in model.warnings)
