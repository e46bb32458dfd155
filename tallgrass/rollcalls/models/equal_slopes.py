"""Roll calls that divide equally sharply: the one-parameter (Rasch) form of the hierarchical model.

    logit P(yea) = d_j xi_i - alpha_j,   d_j = +1 or -1

Rasch (1960) has one difficulty an item and equal discriminations. Of a roll call one must know too
which side is for it: d_j is the direction in which the votes lie along the first principal
component, and is not estimated. The members' scale is free instead: the party means and spreads say
how sharply all roll calls divide.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tallgrass.inference.constants import numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.models.base import Point
from tallgrass.rollcalls.start import Floats, rollcall_logits, standardised
from tallgrass.rollcalls.votes import VoteMatrix


class Slopes(NamedTuple):
    """Roll calls, the scale of the members, discriminations, and the log-density of these."""

    rollcalls: co.RollCalls
    log_s: Any
    beta: Any
    log_density: Any


def directions(votes: VoteMatrix, pca: Floats) -> Floats:
    """+1 for a roll call whose yeas lie to the right, -1 to the left; shape (n_rollcalls,).

    Parameters
    ----------
    pca : ndarray, shape (n_legislators,)
        Scores whose direction is that of the scale.

    Examples
    --------
    >>> directions(votes, pca_scores(votes))[:3]  # doctest: +SKIP
    array([ 1., -1.,  1.])
    """
    _, slopes = rollcall_logits(votes, standardised(pca), False)
    return np.where(slopes >= 0, 1.0, -1.0)


def add_equal_slopes(votes: VoteMatrix, pca: Floats) -> Slopes:
    """Intercepts and the common scale; the positions v see the slopes ``d_j s``."""
    direction = numbers(directions(votes, pca))
    a = pm.Flat("intercept", shape=size(len(votes.rollcalls)))
    log_s = pm.Flat("log_s")
    rollcalls = co.RollCalls(a, direction * pt.exp(log_s), pt.constant(0.0))
    beta = pm.Deterministic("beta", direction, dims="rollcall")
    return Slopes(rollcalls, log_s, beta, pt.constant(0.0))


def equal_slopes_start(votes: VoteMatrix, v: Floats) -> Point:
    """Intercepts fitted to positions v, and the median steepness of the fitted slopes."""
    a, b = rollcall_logits(votes, v, False)
    return {"intercept": a, "log_s": np.log(np.median(np.abs(b)))}
