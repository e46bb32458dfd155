"""Do the estimates agree: with another sampler, with the truth, with published scores."""

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats
from scipy.stats import norm

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.audit import reflected_chains
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.sources import load_votes, simulate
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start, pca_scores
from tallgrass.rollcalls.trace import sample

pytestmark = pytest.mark.slow


def kansas(data_dir, session, chamber, parties=True):
    votes = load_votes(str(data_dir / "kansas" / session), chamber)
    return filter_votes(votes, 0.025, 20, parties)[0]


def draws(votes, spec=None, **settings):
    spec = spec or ModelSpec()
    start = make_start(votes, "pca")
    settings = {"draws": 1000, "tune": 1000} | settings
    model = build_model(votes, spec, start)
    return sample(model, votes, SamplerSpec(**settings), start.scores).trace["posterior"]


def moments(posterior, name):
    """Posterior means, and their Monte Carlo standard errors, of every entry of a variable."""
    values = np.moveaxis(posterior[name].values, (0, 1), (-2, -1))
    return values.mean((-2, -1)), array_stats.mcse(values, method="mean")


@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_nutpie_and_pymc_sample_the_same_posterior(data_dir, model):
    votes = kansas(data_dir, "91st_2025-2026", "senate", model == "hierarchical")
    spec = ModelSpec(model=model)
    nutpie, pymc = draws(votes, spec), draws(votes, spec, sampler="pymc")
    differences = {}
    for name in nutpie.data_vars:
        (a, error_a), (b, error_b) = moments(nutpie, name), moments(pymc, name)
        error = np.hypot(error_a, error_b)
        free = error > 0  # the anchors are constants
        differences[name] = (a - b)[free] / error[free]
    z = np.concatenate(list(differences.values()))
    # In Monte Carlo standard errors. Of some 400 right means one lies beyond 4 in every fortieth
    # run, so the bound is that of their maximum; a bias that all roll calls share shows below.
    assert np.abs(z).max() < norm.isf(1e-4 / 2 / len(z))
    for name in ("alpha", "beta"):
        assert np.sqrt(np.mean(differences[name] ** 2)) < 1.25, name
    positions = [posterior["xi"].mean(("chain", "draw")).to_numpy() for posterior in (nutpie, pymc)]
    assert np.corrcoef(positions)[0, 1] > 0.999


def test_no_chain_of_pymc_ends_in_the_reflected_mode_of_the_flat_model(data_dir):
    votes = kansas(data_dir, "91st_2025-2026", "house", parties=False)
    posterior = draws(votes, ModelSpec(model="flat"), sampler="pymc", draws=200, tune=500)
    assert reflected_chains(posterior["xi"].to_numpy(), pca_scores(votes)) == ()


@pytest.mark.parametrize("chamber", ["house", "senate"])
def test_the_positions_of_a_simulated_legislature_are_recovered(chamber):
    truth = simulate(seed=11).chamber(chamber)
    votes, _ = filter_votes(truth.votes, 0.025, 20, parties_only=True)
    posterior = draws(votes)
    rows = [truth.votes.slugs.index(slug) for slug in votes.slugs]
    columns = [truth.votes.vote_ids.index(vote) for vote in votes.vote_ids]
    xi, beta, alpha = truth.xi[rows], truth.beta[columns], truth.alpha[columns]
    # Location and scale are identified by the priors only: compared after a regression on truth.
    mean, _ = moments(posterior, "xi")
    assert np.corrcoef(mean, xi)[0, 1] > 0.95
    # Logits at the truth need no convention: the share of them inside their 95 % intervals.
    some = {
        name: posterior[name].to_numpy().reshape(-1, posterior[name].shape[-1])[::20]
        for name in ("xi", "alpha", "beta")
    }
    fitted = np.einsum("si,sj->ijs", some["xi"], some["beta"]) - some["alpha"].T
    low, high = np.quantile(fitted, (0.025, 0.975), axis=-1)
    true = np.outer(xi, beta) - alpha
    covered = np.mean((low < true) & (true < high))
    assert 0.90 < covered < 0.99


@pytest.mark.parametrize(
    ("chamber", "model", "least"),
    [
        ("house", "hierarchical", 0.98),
        ("house", "flat", 0.97),
        ("senate", "hierarchical", 0.92),
        ("senate", "flat", 0.86),
    ],
)
def test_positions_of_the_84th_agree_with_shor_and_mccarty(data_dir, chamber, model, least):
    votes = kansas(data_dir, "84th_2011-2012", chamber, model == "hierarchical")
    folder = data_dir / "kansas" / "84th_2011-2012"
    members = pd.read_csv(folder / "84th_2011-2012_legislators.csv")
    members = members[members["chamber"].str.lower() == chamber].set_index("slug")
    scores = pd.read_csv(data_dir / "external" / "shor_mccarty_kansas_84th.csv")
    scores = scores[scores["chamber"].str.lower() == chamber].set_index("people_id")["np_score"]
    people = members["legiscan_people_id"].reindex(votes.slugs)
    published = scores.reindex(people).to_numpy()
    known = np.isfinite(published)
    assert known.sum() >= 39

    def r(positions):
        return abs(np.corrcoef(positions[known], published[known])[0, 1])

    mean, _ = moments(draws(votes, ModelSpec(model=model)), "xi")
    assert r(mean) > least
    if model == "hierarchical":
        assert r(mean) > r(pca_scores(votes))
