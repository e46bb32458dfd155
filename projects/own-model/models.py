"""Models of your own for ``tallgrass run --model projects/own-model/models.py:FUNCTION``.

A function takes the votes and the run's spec, and returns a PyMC model. ``votes.cells`` has shape
(legislators, roll calls): 1 yea, -1 nay, 0 not observed.
"""

import numpy as np
import pymc as pm
import pytensor.tensor as pt


def rasch(votes, spec):
    """Rasch: every roll call discriminates alike, so xi is how readily somebody votes yea."""
    row, column = np.nonzero(votes.cells)
    yea = votes.cells[row, column] > 0
    coords = {"legislator": votes.slugs, "rollcall": votes.vote_ids}
    with pm.Model(coords=coords) as model:
        spread = pm.HalfNormal("spread", 2)
        xi = pm.Normal("xi", 0, spread, dims="legislator")
        alpha = pm.Normal("alpha", 0, 3, dims="rollcall")
        beta = pm.Deterministic("beta", pt.ones(len(votes.rollcalls)), dims="rollcall")
        pm.Bernoulli("vote", logit_p=beta[column] * xi[row] - alpha[column], observed=yea)
    return model


def plane(votes, spec):
    """Two dimensions, the first held in place by the parties, all votes as one term."""
    party = np.where(votes.party_index < 0, 0.0, 2.0 * votes.party_index - 1.0)
    coords = {"legislator": votes.slugs, "rollcall": votes.vote_ids, "axis": ["party", "other"]}
    with pm.Model(coords=coords) as model:
        centre = pt.stack([pt.as_tensor(party), pt.zeros(len(party))], axis=1)
        place = pm.Normal("place", centre, 0.5, dims=("legislator", "axis"), initval=centre.eval())
        slope = pm.Normal("slope", 0, 2, dims=("rollcall", "axis"))
        difficulty = pm.Normal("difficulty", 0, 3, dims="rollcall")
        eta = place @ slope.T - difficulty
        logp = -pt.softplus(-votes.cells * eta)
        pm.Potential("votes", pt.where(pt.as_tensor(votes.cells != 0), logp, 0.0).sum())
    return model


def three_parameters(responses, spec):
    """Test items with guessing (Birnbaum 1968), for ``tallgrass calibrate --model``."""
    coords = {"user": responses.users, "item": responses.items}
    with pm.Model(coords=coords) as model:
        theta = pm.Normal("theta", 0, 1, dims="user")
        a = pm.LogNormal("a", 0, 0.3, dims="item")
        b = pm.Normal("b", 0, 1.5, dims="item")
        guess = pm.Beta("guess", 5, 17, dims="item")
        knows = pm.math.sigmoid(a[responses.item] * (theta[responses.user] - b[responses.item]))
        right = guess[responses.item] + (1 - guess[responses.item]) * knows
        pm.Bernoulli("correct", right, observed=responses.correct)
    return model
