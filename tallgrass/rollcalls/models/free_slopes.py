"""Free discriminations of roll calls, and the scale at which they have their prior."""

from typing import Any

import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.priors import PriorNumbers
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.models.base import free_rollcalls
from tallgrass.rollcalls.models.equal_slopes import Slopes
from tallgrass.rollcalls.votes import VoteMatrix


def add_free_slopes(
    votes: VoteMatrix, prior: PriorNumbers, n_rollcalls: Any, sides: "NDArray[Any]"
) -> Slopes:
    """Every roll call its own discrimination; the scale is that at which they have their prior.

    Parameters
    ----------
    sides : ndarray, shape (n_legislators,)
        Who is at v = -1 (0) and at v = +1 (1) on average.
    """
    rollcalls, log_b = free_rollcalls(votes, prior, sides)
    log_s = co.log_scale(rollcalls.b, log_b, prior, pm.Flat("eps_s"), n_rollcalls)
    beta = pm.Deterministic("beta", rollcalls.b / pt.exp(log_s), dims="rollcall")
    log_beta = None if log_b is None else log_b - log_s
    log_density = (
        co.prior_logp(prior, beta, log_beta) - n_rollcalls * log_s + rollcalls.log_jacobian
    )
    return Slopes(rollcalls, log_s, beta, log_density)
