"""The two-dimensional model in textbook coordinates: the reference that the fast form must equal.

Every variable is drawn from its prior in turn, so this is also how one simulates from the model.
That the axes are uncorrelated within the parties is a condition on normal variables: given the
condition ``u' e = 0``, a vector ``e ~ N(0, D)`` is ``e - D u (u' e) / (u' D u)`` of an
unconditional one (conditioning by kriging; Rue and Held, 2005, section 2.3.3).
"""

from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, numbers
from tallgrass.inference.kernel.several import several_vote_loglik
from tallgrass.rollcalls.models.base import (
    Model,
    Point,
    free_name,
    jittered,
    textbook_rollcalls,
    vote_coordinates,
)
from tallgrass.rollcalls.plane_start import plane_start
from tallgrass.rollcalls.spec import SMALL_PARTY, SMALL_PARTY_SCALE, ModelSpec
from tallgrass.rollcalls.start import Start
from tallgrass.rollcalls.votes import VoteMatrix


def build_plane_textbook(
    votes: VoteMatrix, spec: ModelSpec, start: Start, groups: NDArray[np.int8]
) -> Model:
    """The flat or hierarchical model; the caller names its public variables."""
    priors, sizes = spec.priors, np.bincount(groups, minlength=2)
    group, n_members = integers(groups), numbers(sizes)
    by_group = numbers(groups == np.array([[0], [1]]))
    small = numbers(np.where(sizes < SMALL_PARTY, SMALL_PARTY_SCALE, 1.0))

    def group_means(x: Any) -> Any:
        return (pt.dot(by_group, x) / n_members)[group]

    with pm.Model(coords=vote_coordinates(votes)) as graph:
        mu: Any = pt.zeros(2)
        sigma = sigma_2 = pt.ones(2)
        if spec.model == "hierarchical":
            unsorted = priors["mu"].variable("mu_party_unsorted", dims="party")
            mu = pm.Deterministic("mu_party", pt.sort(unsorted), dims="party")
            unit = priors["sigma"].variable("sigma_unit", dims="party")
            sigma = pm.Deterministic("sigma_within", small * unit, dims="party")
            unit_2 = priors["sigma"].variable("sigma_unit_2", dims="party")
            sigma_2 = pm.Deterministic("sigma_within_2", small * unit_2, dims="party")
        offset = pm.Normal("xi_offset", 0, 1, dims="legislator")
        offset_2 = pm.Normal("xi_2_offset", 0, 1, dims="legislator")
        second = sigma_2[group] * (offset_2 - group_means(offset_2))
        free = sigma[group] * offset
        level = mu[group] + group_means(free)
        about = free - group_means(free)
        turned = sigma[group] ** 2 * second
        about = about - turned * pt.sum(second * about) / pt.sum(second * turned)
        xi = pm.Deterministic("xi", level + about, dims="legislator")
        xi_2 = pm.Deterministic("xi_2", second, dims="legislator")
        alpha, beta = textbook_rollcalls(spec)
        beta_2 = priors["beta_2"].variable("beta_2", dims="rollcall")
        if spec.likelihood == "gather":
            row, column = np.nonzero(votes.cells)
            yea = (votes.cells[row, column] > 0).astype(np.int64)
            logit = beta[column] * xi[row] + beta_2[column] * xi_2[row] - alpha[column]
            pm.Bernoulli("votes", logit_p=logit, observed=yea)
        else:
            cells = pytensor.shared(votes.cells, name="vote_cells", borrow=True)
            pm.Potential("votes", several_vote_loglik(cells, (xi, xi_2), alpha, (beta, beta_2)))
    # In place: without it PyTensor's fusion of this graph gives wrong gradients.
    return Model(graph, (), partial(_start, votes, spec, start, groups))


def _start(
    votes: VoteMatrix,
    spec: ModelSpec,
    start: Start,
    groups: NDArray[np.int8],
    generator: np.random.Generator,
) -> Point:
    positive = spec.priors["beta"].positive
    first = plane_start(votes, groups, start, positive, generator)
    side = np.where(groups == 1, 1.0, -1.0)
    offsets = {"xi_offset": first.v[0] - side, "xi_2_offset": first.v[1]}
    if spec.model == "flat":
        offsets["xi_offset"] = first.v[0]
    point: Point = {
        **offsets,
        "alpha": first.a,
        free_name(spec.priors["beta"], "beta"): np.log(first.b) if positive else first.b,
        "beta_2": first.c,
    }
    if spec.model == "hierarchical":
        name = free_name(spec.priors["sigma"], "sigma_unit")
        point |= {
            "mu_party_unsorted": np.array([-1.0, 1.0]),
            name: np.zeros(2),
            name.replace("sigma_unit", "sigma_unit_2"): np.zeros(2),
        }
    return jittered(point, generator, set(offsets))
