"""The joint model returns the posterior of its own prior: ranks uniform, intervals that cover.

Thresholds come from the binomial distribution at one chance in a thousand over all parameters.
"""

import pytest
from joint_recovery import NAMES as KNOWN
from joint_recovery import covered as intervals_cover
from joint_simulation import NAMES, ranks
from scipy.stats import binom, kstest

N = 16
CHANCE = 1e-3


@pytest.mark.slow
def test_the_truth_of_simulated_chambers_ranks_as_one_of_the_draws():
    found, covered, _ = ranks(N)
    for i, name in enumerate(NAMES):
        fractions = (found[:, i] + 0.5) / 101
        assert kstest(fractions, "uniform").pvalue > CHANCE / len(NAMES), name
        least, most = binom.ppf([CHANCE / 8, 1 - CHANCE / 8], N, 0.9)
        assert least <= covered[:, i].sum() <= most, name


@pytest.mark.slow
def test_intervals_hold_the_known_link_of_simulated_legislatures():
    held = intervals_cover(16)
    # Of 16 each and all together: intervals that hold 60 % and not 90 would fail 19 times in 20.
    for of, name in ((held.sum(), "all"), *zip(held.sum(axis=0), KNOWN, strict=True)):
        n = held.size if name == "all" else len(held)
        assert of >= binom.ppf(CHANCE / (1 + len(KNOWN)), n, 0.9), name
