"""Roll calls that divide equally sharply (Rasch): exact, and sampled as the votes say."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit
from toy import Density, log_determinant, toy_model, toy_votes

from tallgrass.errors import SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models.equal_slopes import directions
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import make_start, pca_scores
from tallgrass.rollcalls.trace import sample

EQUAL = {"model": "hierarchical", "discrimination": "equal"}


def textbook_logpdf(votes, values):
    """The model with its default priors, written with SciPy."""
    xi, alpha, mu, sigma = (values[name] for name in ("xi", "alpha", "mu_party", "sigma_within"))
    logits = np.outer(xi, values["beta"]) - alpha
    logp = log_expit(votes.cells * logits)[votes.cells != 0].sum()
    logp += stats.norm.logpdf(alpha, 0, 5).sum() + stats.norm.logpdf(mu, 0, 2).sum()
    logp += stats.halfnorm.logpdf(sigma, scale=np.where(votes.party_sizes < 20, 0.5, 1.0)).sum()
    return logp + stats.norm.logpdf(xi, mu[votes.party_index], sigma[votes.party_index]).sum()


class Votes:
    """Votes with the sizes of the parties."""

    def __init__(self, votes):
        self.cells, self.party_index = votes.cells, votes.party_index
        self.party_sizes = np.bincount(votes.party_index)


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("sizes", [(3, 4), (2, 21)])
def test_both_coordinates_are_the_textbook_posterior(coordinates, sizes):
    votes = toy_votes(*sizes, 5, seed=1)
    model = toy_model(votes, coordinates=coordinates, **EQUAL)
    density, generator = Density(model), np.random.default_rng(0)

    def free(z):  # the discriminations are constants
        values = density.public(z)
        variables = [values[name] for name in model.public if name != "beta"]
        return np.concatenate([*variables, density.dummies(z)])

    ratios = []
    for _ in range(3):
        z = density.flat(model.start(generator))
        z = 0.7 * z + 0.5 * generator.normal(size=len(z))
        expected = textbook_logpdf(Votes(votes), density.public(z))
        expected += stats.norm.logpdf(density.dummies(z)).sum()
        ratios.append(density.logp(z) - expected - log_determinant(free, z, step=3e-4))
    assert np.ptp(ratios) < 1e-6


def test_a_roll_call_points_to_the_side_of_its_yeas():
    votes = toy_votes(8, 9, 40, seed=3)
    pca = pca_scores(votes)
    share = [(votes.cells[votes.party_index == g] > 0).mean(axis=0) for g in (0, 1)]
    clear = np.abs(share[1] - share[0]) > 0.4
    expected = np.sign(share[1] - share[0])
    np.testing.assert_array_equal(directions(votes, pca)[clear], expected[clear])


@pytest.mark.slow
def test_positions_are_in_the_order_of_the_members_votes():
    votes = toy_votes(25, 30, 60, seed=4, missing=0.0)
    start = make_start(votes, "pca")
    sampled = sample(
        toy_model(votes, **EQUAL), votes, SamplerSpec(draws=400, tune=300, chains=2), start.scores
    )
    posterior = sampled.trace["posterior"]
    assert (np.abs(posterior["beta"]) == 1).all()
    # Without missing votes the number of votes to the right is sufficient (Rasch, 1960).
    to_the_right = (votes.cells * directions(votes, start.pca)).sum(axis=1)
    mean = posterior["xi"].mean(("chain", "draw")).to_numpy()
    for party in (0, 1):  # within a party all shrink to the same mean
        rows = votes.party_index == party
        assert stats.spearmanr(mean[rows], to_the_right[rows]).statistic > 0.97


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"model": "flat"}, "goes with model=hierarchical"),
        ({"dims": 2}, "goes with model=hierarchical"),
        ({"beta_prior": "normal:0,2"}, "no prior"),
    ],
)
def test_settings_that_cannot_be_are_refused(parameters, words):
    with pytest.raises(SpecError, match=words):
        RunSpec(discrimination="equal", **parameters)
