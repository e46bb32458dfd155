"""The model in two dimensions: exact against SciPy, by the Jacobian of the whole map."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit
from toy import BETA, OTHER, Density, log_determinant, spec_priors, toy_votes

from tallgrass.errors import DataError, SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.coordinates import zero_sum_inverse
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.plane_start import plane_information, plane_start
from tallgrass.rollcalls.spec import ModelSpec, RunSpec
from tallgrass.rollcalls.start import make_start, two_groups

SECOND = "normal:0,0.8"


def prior_logpdf(prior, x):
    frozen = {
        "normal": stats.norm(prior.mu, prior.sigma),
        "lognormal": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
        "lognormal_reparam": stats.lognorm(prior.sigma, scale=np.exp(prior.mu)),
        "halfnormal": stats.halfnorm(scale=prior.sigma),
    }[prior.distribution]
    return frozen.logpdf(x).sum()


def zero_sum(x, groups):
    return np.concatenate([zero_sum_inverse(x[groups == g]) for g in (0, 1)])


class Plane:
    """A model, and the same in SciPy on (means, deviations with an unused part, xi_2, ...)."""

    def __init__(self, votes, spec):
        self.votes, self.spec = votes, spec
        start = make_start(votes, "pca")
        self.model = build_model(votes, spec, start)
        self.density = Density(self.model)
        self.groups = two_groups(votes, start.pca)
        self.sizes = np.bincount(self.groups)
        first = plane_start(votes, self.groups, start, spec.priors["beta"].positive)
        self.information = plane_information(votes, self.groups, first).mean(axis=1)
        graph = self.model.graph
        names = [*self.model.public]
        self.canonical = spec.coordinates == "canonical"
        names += (
            ["unused_length", "unused_part"] if self.canonical else ["xi_offset", "xi_2_offset"]
        )
        outputs = graph.replace_rvs_by_values([graph[name] for name in names])
        function = graph.compile_fn(outputs, **self.density.how)
        self.values = lambda z: dict(zip(names, function(self.density.point(z)), strict=True))

    def sigma(self, values, name):
        if self.spec.model == "flat":
            return np.ones(2)
        return values[name]

    def unused(self, values):
        """What no vote touches: two numbers of the canonical form, three of the textbook form."""
        if self.canonical:
            return [values["unused_length"], values["unused_part"]]
        means = [values["xi_2_offset"][self.groups == g].mean() for g in (0, 1)]
        sigma = self.sigma(values, "sigma_within")[self.groups]
        offset = values["xi_offset"]
        e = sigma * (offset - self.group_means(offset)[self.groups])
        u = values["xi_2"] / np.linalg.norm(values["xi_2"])
        return [*means, (u @ e) / np.sqrt(u @ (sigma**2 * u))]

    def group_means(self, x):
        return np.array([x[self.groups == g].mean() for g in (0, 1)])

    def textbook(self, z):
        """Every variable of the textbook form as one vector of the length of z."""
        values = self.values(z)
        xi, xi_2 = values["xi"], values["xi_2"]
        *others, part = self.unused(values)
        means = self.group_means(xi)
        about = xi - means[self.groups] + part * xi_2 / np.linalg.norm(xi_2)
        rest = [values[name] for name in self.model.public if name not in ("xi", "xi_2")]
        return np.concatenate(
            [zero_sum(xi_2, self.groups), zero_sum(about, self.groups), means, others, *rest]
        )

    def textbook_logpdf(self, z):
        values, groups, spec = self.values(z), self.groups, self.spec
        xi, xi_2, cells = values["xi"], values["xi_2"], self.votes.cells
        logits = np.outer(xi, values["beta"]) + np.outer(xi_2, values["beta_2"]) - values["alpha"]
        logp = log_expit(cells * logits)[cells != 0].sum()
        for name in ("alpha", "beta", "beta_2"):
            logp += prior_logpdf(PriorSpec.parse(getattr(spec, f"{name}_prior")), values[name])
        sigma, sigma_2 = (self.sigma(values, f"sigma_within{s}") for s in ("", "_2"))
        mu = np.zeros(2)
        if spec.model == "hierarchical":
            mu = values["mu_party"]
            scale = np.where(self.sizes < 20, 0.5, 1.0)
            prior = PriorSpec.parse(spec.sigma_prior)
            logp += prior_logpdf(prior, sigma / scale) + prior_logpdf(prior, sigma_2 / scale)
            logp += prior_logpdf(PriorSpec.parse(spec.mu_prior), mu)
        means = self.group_means(xi)
        logp += stats.norm.logpdf(means, mu, sigma / np.sqrt(self.sizes)).sum()
        about = xi - means[groups]
        of_free = np.repeat([0, 1], self.sizes - 1)
        logp += stats.norm.logpdf(zero_sum(about, groups), 0, sigma[of_free]).sum()
        logp += stats.norm.logpdf(zero_sum(xi_2, groups), 0, sigma_2[of_free]).sum()
        # given that xi_2 . about = 0: less the density of that form at 0
        u = xi_2 / np.linalg.norm(xi_2)
        assert abs(u @ about) < 1e-9
        logp -= stats.norm.logpdf(0, 0, np.sqrt(u @ (sigma[groups] ** 2 * u)))
        unused = self.unused(values)
        if self.canonical:
            widths = [1 / np.sqrt(len(groups) * self.information[1]), 1.0]
        else:
            widths = [*(1 / np.sqrt(self.sizes)), 1.0]
        return logp + stats.norm.logpdf(unused, 0, widths).sum()

    def log_ratios(self, points=3, seed=0):
        generator, ratios = np.random.default_rng(seed), []
        for _ in range(points):
            z = self.density.flat(self.model.start(generator))
            z = 0.8 * z + 0.4 * generator.normal(size=len(z))
            jacobian = log_determinant(self.textbook, z, step=3e-4)
            ratios.append(self.density.logp(z) - self.textbook_logpdf(z) - jacobian)
        return np.array(ratios)


def plane(sizes, seed=1, rollcalls=10, independents=0, **spec):
    votes = toy_votes(*sizes, rollcalls, seed=seed, independents=independents)
    return Plane(votes, ModelSpec(dims=2, beta_2_prior=SECOND, **spec))


@pytest.mark.parametrize("beta", BETA)
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_canonical_coordinates_are_the_textbook_posterior_for_every_prior(model, beta):
    other = OTHER[BETA.index(beta) % len(OTHER)]
    assert np.ptp(plane((3, 4), model=model, **spec_priors(beta, other)).log_ratios()) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(3, 21), (19, 20), (22, 25)])
def test_canonical_coordinates_are_the_textbook_posterior_for_parties_of_any_size(sizes):
    assert np.ptp(plane(sizes, model="hierarchical", **spec_priors(BETA[0])).log_ratios()) < 1e-6


@pytest.mark.parametrize(
    ("sizes", "independents"), [((3, 4), 2), ((0, 7), 0), ((0, 0), 7)], ids=["three", "one", "none"]
)
def test_the_flat_model_takes_halves_where_there_are_no_two_parties(sizes, independents):
    assert np.ptp(plane(sizes, independents=independents, model="flat").log_ratios()) < 1e-6


@pytest.mark.parametrize("likelihood", ["kernel", "gather"])
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_the_textbook_model_is_the_density_written_with_scipy(model, likelihood):
    priors = spec_priors(BETA[0])
    toy = plane((3, 4), model=model, coordinates="textbook", likelihood=likelihood, **priors)
    assert np.ptp(toy.log_ratios()) < 1e-6


def test_axis_2_has_no_party_difference_and_is_uncorrelated_within_parties():
    toy = plane((5, 6), model="hierarchical")
    z = toy.density.flat(toy.model.start(np.random.default_rng(3)))
    values = toy.values(z + 0.3 * np.random.default_rng(4).normal(size=len(z)))
    xi, xi_2 = values["xi"], values["xi_2"]
    means = toy.group_means(xi)
    np.testing.assert_allclose(toy.group_means(xi_2), 0, atol=1e-12)
    assert abs((xi - means[toy.groups]) @ xi_2) < 1e-9
    assert means[0] < means[1]


def test_two_dimensions_need_three_members_of_a_party():
    votes = toy_votes(2, 9, 20)
    with pytest.raises(DataError, match="2 and 9 members"):
        build_model(votes, ModelSpec(dims=2), make_start(votes, "pca"))


def test_two_dimensions_need_ten_roll_calls():
    votes = toy_votes(5, 9, 9)
    with pytest.raises(DataError, match="10 roll calls"):
        build_model(votes, ModelSpec(dims=2), make_start(votes, "pca"))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"dims": 0}, "one or two dimensions"),
        ({"dims": 3}, "one or two dimensions"),
        ({"dims": 2, "model": "joint", "chamber": "both"}, "one chamber"),
        ({"dims": 2, "model": "flat", "anchors": "a:1,b:-1"}, "anchors"),
        ({"dims": 2, "beta_2_prior": "halfnormal:1"}, "symmetric"),
        ({"beta_2_prior": "normal:0,2"}, "two dimensions"),
    ],
)
def test_settings_that_cannot_be_are_refused(parameters, words):
    with pytest.raises(SpecError, match=words):
        RunSpec(**parameters)
