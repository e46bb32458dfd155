"""Stated probabilities of drift, and who is found: 0, 0.3, 0.6 with 200 to 2,000 responses."""

import numpy as np
import pandas as pd
import pytest
from item_data import cohort, sparse_cohort
from scipy.stats import norm

from tallgrass.items import tables
from tallgrass.items.drift import drift_table, drifted_anchors, undrifted
from tallgrass.items.engines import calibrate_linked, calibrate_map
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.run import MOST_ROUNDS
from tallgrass.items.spec import CalibrationSpec

FREE = PriorChoice(free=True)
N_ANCHORS, N_MOVED = 24, 6


def mode(responses, anchors):
    return calibrate_map(responses, anchors, choice=FREE, most_work=1e9)


def drift_of(n_users, seed):
    """The drift table of one cohort with its true drift: 6 of 24 anchors moved, each in turn."""
    generator = np.random.default_rng(seed)
    drift = np.zeros(N_ANCHORS)
    moved = generator.choice(N_ANCHORS, N_MOVED, replace=False)
    drift[moved] = generator.choice([-0.6, -0.3, 0.3, 0.6], N_MOVED)
    data = cohort(n_users, 40, N_ANCHORS, mean=0.3, seed=seed, drift=drift)
    truth = dict(zip(data.anchors.items, drift, strict=True))
    table = purified(data)
    return table.assign(true=table["item"].map(truth), n_users=n_users)


def purified(data, engine=mode):
    """The drift table when anchors that drifted were dropped until nothing changes."""
    anchors, flagged = data.anchors, ()
    for _ in range(MOST_ROUNDS):
        kept = undrifted(anchors, flagged)
        found = engine(data.responses, kept)
        priors = item_priors(data.responses, kept, FREE)
        calibrated = tables.of_estimates(found, data.responses, priors)
        table = drift_table(calibrated, data.responses, anchors, 0.2, 0.25, FREE)
        if set(drifted_anchors(table)) == set(flagged):
            break
        flagged = drifted_anchors(table)
    return table


@pytest.fixture(scope="module")
def tried():
    sizes = {200: 24, 600: 14, 2000: 7}
    return pd.concat(
        drift_of(n_users, seed) for n_users, repeats in sizes.items() for seed in range(repeats)
    )


@pytest.mark.slow
def test_what_is_stated_at_80_percent_happens_in_about_80(tried):
    # The statement: the anchor is harder by more than the 20 % quantile of what is stated of it.
    for drift, rows in tried.groupby(tried["true"].abs()):
        stated = rows["b_alone"] - norm.ppf(0.8) * rows["b_alone_sd"]
        happened = rows["b_before"] + rows["true"] > stated
        # At least 150 anchors of a drift: a standard error of 0.03, more by the shared scale.
        assert np.mean(happened) == pytest.approx(0.8, abs=0.08), drift


@pytest.mark.slow
def test_probabilities_of_drift_beyond_the_threshold_are_about_what_happens(tried):
    exceeds = tried["true"].abs() > CalibrationSpec().drift_b
    # Equal shares of 0, 0.3 and 0.6, of which the two latter lie beyond the threshold of 0.25.
    weight = exceeds.map({True: 2 / 3 / exceeds.mean(), False: 1 / 3 / (1 - exceeds.mean())})
    near = tried["p_b"].between(0.7, 0.9)
    assert near.sum() > 50
    happened = np.average(exceeds[near], weights=weight[near])
    assert happened == pytest.approx(tried.loc[near, "p_b"].mean(), abs=0.15)


@pytest.mark.slow
def test_anchors_that_did_not_move_are_seldom_flagged_and_those_that_did_are_found(tried):
    flagged = tried["drifted"] | tried["suspect"]
    many = tried["n_users"] == 2000
    still = tried["true"] == 0
    assert flagged[still].mean() < 0.03
    assert flagged[many & (tried["true"].abs() == 0.6)].mean() > 0.95


def test_few_responses_do_not_make_anchors_drift_where_no_prior_holds_them():
    data = [cohort(200, 40, N_ANCHORS, mean=0.3, seed=seed) for seed in (1, 2)]
    table = pd.concat(purified(one, calibrate_linked) for one in data)
    flagged = table["drifted"] | table["suspect"]
    # By chance alone many estimates are beyond the threshold.
    assert (table["b_change"].abs() > CalibrationSpec().drift_b).mean() > 0.08
    assert flagged.mean() < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("engine", [mode, calibrate_linked])
def test_in_a_bank_of_500_anchors_that_moved_are_found_and_few_others(engine):
    """50 of 60 anchors stayed; each item has 600 responses, and the cohort is 0.3 abler."""
    drift = np.zeros(60)
    drift[:10] = [0.6, -0.6] * 5
    table = purified(sparse_cohort(6000, 500, 50, drift, seed=3), engine)
    moved = table["item"].isin([f"i{j:03d}" for j in range(10)])
    flagged = table["drifted"] | table["suspect"]
    assert flagged[moved].mean() >= 0.8
    assert flagged[~moved].mean() <= 0.04
    assert (table["p_b"][moved] > 0.8).mean() >= 0.9
    assert (table["p_b"][~moved] > 0.8).mean() <= 0.04
