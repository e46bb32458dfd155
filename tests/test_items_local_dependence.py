"""Yen's Q3: against a plain reference, at the nominal rate, and where answers do depend."""

import numpy as np
import pytest
from item_data import table
from scipy import stats
from scipy.special import expit

from tallgrass.items import local_dependence as module
from tallgrass.items.curves import curves_of
from tallgrass.items.engines import calibrate_map, estimate
from tallgrass.items.local_dependence import local_dependence
from tallgrass.items.misfit import _pair_check
from tallgrass.items.priors import PriorChoice
from tallgrass.items.responses import Responses

N_USERS, N_ITEMS = 1000, 20


def answers(seed, item_model="2pl", n_users=N_USERS, n_items=N_ITEMS, joined=0.0):
    """Answers of a model; of the share ``joined`` of users the second item copies the first."""
    generator = np.random.default_rng(seed)
    a = np.exp(0.3 * generator.normal(size=n_items)) if item_model != "1pl" else 1.2
    theta, b = generator.normal(size=(n_users, 1)), generator.normal(size=n_items)
    chance = expit(a * (theta - b))
    if item_model == "3pl":
        chance = 0.2 + 0.8 * chance
    uniform = generator.random((n_users, n_items))
    given = (uniform < chance).astype(int)
    if item_model == "graded":
        given += uniform < expit(a * (theta - b - 1.0))
    copies = generator.random(n_users) < joined
    given[copies, 1] = given[copies, 0]
    return graded(given) if item_model == "graded" else table(given)


def graded(given):
    plain = table(given > 0)
    user, item = (index.ravel() for index in np.indices(given.shape))
    return Responses(plain.users, plain.items, user, item, given.ravel().astype(np.int8), True)


def part_of(responses, share, seed=1):
    """Some of the answers; every user keeps one at least."""
    chosen = np.random.default_rng(seed).random(len(responses)) < share
    chosen |= responses.item == responses.user % len(responses.items)
    columns = (responses.user[chosen], responses.item[chosen], responses.correct[chosen])
    return Responses(responses.users, responses.items, *columns)


def found(responses, item_model="2pl"):
    if item_model == "2pl":
        mode = calibrate_map(responses)
        return local_dependence(responses, mode.theta, curves_of(mode.a, mode.b))
    mode = estimate(item_model, responses, PriorChoice())
    b = mode.thresholds if mode.thresholds.size else mode.b
    curves = curves_of(mode.a, b, mode.c if mode.c.size else None)
    return local_dependence(responses, mode.theta, curves)


@pytest.mark.parametrize("share", [1.0, 0.6, 0.08])
def test_q3_is_the_correlation_of_residuals_of_users_who_answered_both(share, monkeypatch):
    """By a loop over pairs with numpy's corrcoef; complete, with gaps, and sparse."""
    monkeypatch.setattr(module, "FEWEST", 3)
    responses = part_of(answers(1, n_users=3000), share)
    generator = np.random.default_rng(2)
    theta, a = generator.normal(size=len(responses.users)), np.exp(generator.normal(size=20) / 4)
    b = generator.normal(size=20)
    residual = np.full((len(theta), 20), np.nan)
    chance = expit(a[responses.item] * (theta[responses.user] - b[responses.item]))
    residual[responses.user, responses.item] = responses.correct - chance
    pairs = local_dependence(responses, theta, curves_of(a, b)).pairs
    assert len(pairs) == 190
    for pair in pairs.itertuples(index=False):
        two = residual[:, [responses.items.index(pair.item), responses.items.index(pair.other)]]
        both = two[np.isfinite(two).all(axis=1)]
        assert pair.n == len(both)
        assert pair.q3 == pytest.approx(np.corrcoef(both.T)[0, 1], abs=1e-10)


@pytest.mark.parametrize("item_model", ["1pl", "2pl", "3pl", "graded"])
def test_independent_items_are_not_flagged_and_called_at_the_nominal_rate_at_most(item_model):
    """760 pairs of four data sets; a fifth of the variance is taken by the estimated slopes."""
    tables = [found(answers(seed, item_model), item_model) for seed in range(4)]
    assert sum(result.n_flagged for result in tables) == 0
    z = np.concatenate([result.pairs["z"] for result in tables])
    assert abs(z.mean()) < 0.25
    assert 0.8 < z.std() < 1.1
    called = int((np.abs(z) > stats.norm.isf(0.025)).sum())
    assert stats.binomtest(called, len(z), 0.05, alternative="greater").pvalue > 0.001


def test_the_mean_of_q3_is_the_one_that_is_expected_of_estimated_abilities():
    """Yen's -1 / (n - 1) is near it, 0 is not."""
    results = [found(answers(seed, n_items=10)) for seed in range(6)]
    q3 = np.mean([result.mean for result in results])
    expected = np.mean([result.pairs["expected"].mean() for result in results])
    assert q3 == pytest.approx(expected, abs=0.01)
    assert q3 < -0.05


@pytest.mark.parametrize("item_model", ["1pl", "2pl", "3pl", "graded"])
def test_a_pair_that_copies_is_flagged_and_it_alone(item_model):
    result = found(answers(11, item_model, joined=0.4), item_model)
    assert result.worst == "i000, i001"
    assert result.metrics["q3/n_flagged"] == 1
    assert result.metrics["q3/worst"] > 0.2
    assert result.metrics["q3/worst_z"] > 6


def test_a_flagged_pair_questions_the_fit_and_independent_ones_do_not():
    check = _pair_check(found(answers(11, joined=0.4)))
    assert check.status == "questioned"
    assert "1 of 190 pairs of items" in check.words
    assert "i000 with i001" in check.words
    assert _pair_check(found(answers(11))).status == "fits"


def test_gaps_by_design_do_not_make_pairs_dependent():
    result = found(part_of(answers(5, n_users=3000), 0.4))
    z = result.pairs["z"]
    assert result.n_flagged == 0
    assert 0.8 < z.std() < 1.15


def test_of_many_items_and_users_a_part_is_looked_at_and_the_rest_is_named(monkeypatch):
    monkeypatch.setattr(module, "MOST_ITEMS", 12)
    monkeypatch.setattr(module, "MOST_USERS", 400)
    responses = part_of(answers(3), 0.7)
    result = found(responses)
    assert (result.n_items, result.n_users, result.n_pairs) == (12, 400, 66)
    assert result.left_out == (
        "the 8 items with the fewest responses and 600 users, chosen at random"
    )
    counts = np.bincount(responses.item)
    kept = {responses.items.index(name) for name in {*result.pairs["item"], *result.pairs["other"]}}
    assert min(counts[list(kept)]) >= max(np.delete(counts, list(kept)))


def test_pairs_that_few_users_answered_are_not_looked_at():
    result = found(part_of(answers(3, n_users=200), 0.3))
    assert result.n_pairs == 0
    assert result.worst == ""
    assert result.metrics == {"q3/n_pairs": 0.0, "q3/n_flagged": 0.0}
