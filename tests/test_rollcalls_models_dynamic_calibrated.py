"""Intervals of the dynamic model hold the truth of simulated careers; its forms are one posterior.

Thresholds come from the binomial distribution at one chance in a thousand.
"""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from career_ranks import RANKS, many
from career_recovery import BOTH, HOUSE, NAMES, covered
from scipy.stats import binom
from toy_careers import toy_careers

from tallgrass.inference.spec import SamplerSpec
from tallgrass.lab.sbc.uniformity import p_value, tail_probability
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import sample

N = 6
CHANCE = 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("design", [HOUSE, BOTH], ids=["movers and switchers", "chamber changes"])
def test_intervals_hold_the_known_careers_of_simulated_legislatures(design):
    shares, rhats = covered(N, design)
    assert np.median(rhats) < 1.1
    # Positions and changes of one legislature are hundreds, but not independent.
    for name, share in zip(NAMES[:2], shares.mean(axis=0)[:2], strict=True):
        assert 0.82 < share < 0.96, name
    # Distances between the parties and tau: few a legislature, and independent between them.
    n_gaps = design.sessions - 1
    held = shares[:, 2].sum() * n_gaps
    assert held >= binom.ppf(CHANCE, N * n_gaps, 0.9) - 1
    assert shares[:, 3].sum() >= binom.ppf(CHANCE, N, 0.9)


@pytest.mark.slow
def test_truths_drawn_from_the_prior_have_uniform_ranks_in_the_posterior():
    n = 20
    for name, ranks in many(n).items():
        fractions = (ranks + 0.5) / RANKS
        # Of the numbers of one name the average one: they are not independent of each other.
        for column in fractions.T:
            assert p_value(tail_probability(column), n) > CHANCE / len(fractions.T), name


@pytest.mark.slow
def test_both_coordinates_give_the_same_posterior():
    sittings = toy_careers(sizes=(7, 8), rollcalls=40).sittings[:2]
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    careers = Careers(sittings, match_persons(seats))
    start = careers_start(careers, "pca")
    posteriors = []
    for coordinates in ("canonical", "textbook"):
        spec = RunSpec(model="dynamic", chamber="house", coordinates=coordinates)
        sampler = SamplerSpec(draws=1500, tune=1500, chains=4, seed=1, target_accept=0.95)
        trace = sample(build_model(careers, spec, start), careers.combined, sampler).trace
        posteriors.append(trace["posterior"])
    for name in ("xi", "delta", "k", "tau", "mu_new", "sigma_new", "sigma_bill"):
        draws = [posterior[name].to_numpy() for posterior in posteriors]
        shape = draws[0].shape[2:] or (1,)
        means, errors = [], []
        for values in draws:
            flat = values.reshape(*values.shape[:2], *shape)
            ess = np.array([array_stats.ess(flat[..., i]) for i in range(shape[0])])
            means.append(flat.mean(axis=(0, 1)))
            errors.append(flat.std(axis=(0, 1)) / np.sqrt(ess))
        spread = np.hypot(*errors)
        free = spread > 1e-9  # the scale of the reference is held
        z = (means[0] - means[1])[free] / spread[free]
        assert np.abs(z).max() < 5, name
