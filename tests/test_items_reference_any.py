"""Fit of items and users of any model: false alarms where it holds, and hits where it does not."""

import numpy as np
import pytest

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import calibrate_other_nuts, estimate
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.responses import Responses
from tallgrass.items.tables import of_estimates, of_trace, with_fit

MODELS = ("1pl", "3pl", "graded")


def simulated(model, n_users=500, n_items=20, per_user=12, seed=1):
    """Answers to random sets of items of one model, abilities and difficulties."""
    generator = np.random.default_rng(seed)
    theta, b = generator.normal(size=n_users), generator.normal(size=n_items)
    a = np.full(n_items, 1.1) if model == "1pl" else np.exp(0.2 * generator.normal(size=n_items))
    item = np.argsort(generator.random((n_users, n_items)), axis=1)[:, :per_user].ravel()
    user = np.repeat(np.arange(n_users), per_user)
    cuts = b[:, None] + (np.array([-0.8, 0.0, 0.8]) if model == "graded" else np.zeros(1))
    p = 1 / (1 + np.exp(-a[item, None] * (theta[user, None] - cuts[item])))
    if model == "3pl":
        p = 0.2 + 0.8 * p
    answers = (generator.random((len(user), 1)) < p).sum(axis=1).astype(np.int8)
    users = tuple(f"u{i:04d}" for i in range(n_users))
    items = tuple(f"i{j:02d}" for j in range(n_items))
    return Responses(users, items, user, item, answers, model == "graded"), theta, b


def found(model, responses, engine="map"):
    """The tables with the fit of items and users."""
    choice = PriorChoice(model=model)
    estimates = estimate(model, responses, choice if engine == "map" else None)
    tables = of_estimates(estimates, responses, item_priors(responses, None, choice))
    return with_fit(tables, responses, model=model)


@pytest.mark.parametrize("model", MODELS)
def test_what_fits_is_not_accused(model):
    tables = found(model, simulated(model)[0])
    z = tables.items[["infit_z", "outfit_z"]].to_numpy()
    assert (np.abs(z) > 3).sum() <= 1
    # Of an item: the mean of 20 deviates that share a correction.
    assert abs(z.mean()) < 1.0
    of_users = tables.users["outfit_z"].abs()
    assert 0.01 < (of_users > 2).mean() < 0.08


# A lower asymptote takes up a part of guessing.
@pytest.mark.parametrize(("model", "of_item", "of_user"), [("1pl", 4, 3), ("3pl", 2, 1.5),
                                                           ("graded", 4, 3)])  # fmt: skip
def test_an_item_answered_at_random_and_a_user_who_guesses_stand_out(model, of_item, of_user):
    r, theta, b = simulated(model, n_users=800, per_user=16)
    answers, highest = r.correct.copy(), int(r.correct.max())
    generator = np.random.default_rng(2)
    at_random = r.item == 5
    answers[at_random] = generator.integers(0, highest + 1, int(at_random.sum()))
    able = int(np.argmax(theta))
    own = r.user == able  # right where it is hard, wrong where it is easy
    answers[own] = np.where(b[r.item[own]] > 0, highest, 0)
    tables = found(model, Responses(r.users, r.items, r.user, r.item, answers, r.graded))
    items, users = tables.items, tables.users
    assert items["infit_z"].idxmax() == 5
    assert items["infit_z"][5] > of_item
    assert users["outfit_z"][able] > of_user
    assert (np.delete(items["infit_z"].to_numpy(), 5) < 2).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "engine"), [("1pl", "mml"), ("3pl", "map"), ("graded", "map"), ("graded", "mml")]
)
def test_false_alarms_come_at_most_at_the_nominal_rate(model, engine):
    sets = [found(model, simulated(model, seed=10 + k)[0], engine) for k in range(5)]
    items = np.concatenate([tables.items["outfit_z"].abs() for tables in sets])
    users = np.concatenate([tables.users["outfit_z"].abs() for tables in sets])
    # 100 items: 0.046 beyond 2 has a standard error of 0.02, more as a set shares one correction.
    assert (items > 2).mean() < 0.1
    assert (items > 3).mean() <= 0.04
    # Outfit of 12 answers has a heavier tail than the normal 0.3 %, as of 2pl.
    assert 0.015 < (users > 2).mean() < 0.06
    assert (users > 3).mean() < 0.02


@pytest.mark.slow
def test_draws_and_their_mode_place_items_alike():
    responses, _, _ = simulated("3pl")
    choice = PriorChoice(model="3pl")
    spec = SamplerSpec(draws=300, tune=300, chains=2, seed=1)
    trace = calibrate_other_nuts("3pl", responses, None, spec, choice=choice).trace
    drawn = with_fit(of_trace(trace, responses, item_priors(responses, None, choice)), responses,
                     model="3pl")  # fmt: skip
    z = drawn.items["outfit_z"], found("3pl", responses).items["outfit_z"]
    assert np.corrcoef(*z)[0, 1] > 0.9
    assert np.abs(z[0] - z[1]).max() < 1.0
