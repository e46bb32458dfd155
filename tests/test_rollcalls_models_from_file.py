"""A user's PyMC model of one chamber: whether the tables of roll calls are about it."""

import numpy as np
import pymc as pm
import pytest

from tallgrass.own.description import describe
from tallgrass.own.model import prepared_model
from tallgrass.rollcalls.models.from_file import not_of_this_wing
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

CELLS = np.array([[1, -1, 0], [1, 1, -1], [-1, 0, 1], [-1, 1, 1]], np.int8)


@pytest.fixture(scope="module")
def votes():
    people = tuple(Legislator(s, s.upper(), "Democrat") for s in "abcd")
    return VoteMatrix(CELLS, people, tuple(map(RollCall, "123")), "small", "house")


def linear(votes, sign=-1.0, dims="legislator", labels=None, observed=True):
    row, column = np.nonzero(votes.cells)
    people = list(votes.slugs) if labels is None else labels
    with pm.Model(coords={"legislator": people, "rollcall": votes.vote_ids, "axis": [0]}) as model:
        xi = pm.Normal("xi", dims=dims)
        alpha = pm.Normal("alpha", 0, 2, dims="rollcall")
        beta = pm.LogNormal("beta", 0, 1, dims="rollcall")
        place = xi if dims == "legislator" else xi[:, 0]
        eta = beta[column] * place[row] + sign * alpha[column]
        if observed:
            pm.Bernoulli("vote", logit_p=eta, observed=votes.cells[row, column] > 0)
    return model


def reason(model, votes):
    return not_of_this_wing(model, prepared_model(model, describe(model), None).variables, votes)


def test_the_usual_likelihood_is_known_whatever_the_priors(votes):
    assert reason(linear(votes), votes) == ""


def test_a_term_of_the_density_may_stand_for_the_votes(votes):
    with linear(votes, observed=False) as model:
        eta = model["beta"] * model["xi"][:, None] - model["alpha"]
        logp = -pm.math.log1pexp(-votes.cells * eta)
        pm.Potential("votes", pm.math.where(votes.cells != 0, logp, 0.0).sum())
    assert reason(model, votes) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sign": 1.0}, "logit P"),
        ({"dims": ("legislator", "axis")}, "xi is by legislator x axis"),
        ({"labels": list("dcba")}, "labels of legislator"),
        ({"observed": False}, "no votes are observed"),
    ],
)
def test_another_model_is_told_apart_with_the_reason(votes, changes, words):
    assert words in reason(linear(votes, **changes), votes)


def test_a_model_without_one_of_the_variables_is_another(votes):
    with pm.Model() as model:
        pm.Normal("theta")
    assert reason(model, votes) == "it has no variable xi"
