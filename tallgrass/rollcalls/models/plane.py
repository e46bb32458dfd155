"""Two-parameter logistic model of one chamber in two dimensions.

    logit P(yea) = beta_j xi_i + beta_2j xi_2i - alpha_j
    axis 1 (xi, beta): as in the model of one dimension
    axis 2 (xi_2, beta_2): no difference between the parties, uncorrelated with axis 1 within them

    hierarchical:  xi_i ~ N(mu_g, sigma_g),  mu_D < mu_R ~ N(0, 2),  sigma_g ~ HalfNormal(1)
                   xi_2i ~ N(0, sigma_2g) with sum zero in each party,  sigma_2g ~ HalfNormal(1)
    flat:          xi_i ~ N(0, 1),  xi_2i ~ N(0, 1) with sum zero in each party
    both:          sum over members of (xi_i - the party's mean) xi_2i = 0
                   alpha_j ~ N(0, 5),  beta_j ~ N(0, 1),  beta_2j ~ N(0, 1)

Likelihood: Clinton, Jackman and Rivers (2004), whose rotation this fixes by what the axes mean
(:mod:`tallgrass.rollcalls.models.plane_members`). Members are normal given that the two axes are
uncorrelated: their density on one linear form is divided out, ``+ log(u' D u) / 2`` with u the unit
vector along xi_2 and D the members' variances on axis 1. Without parties the two halves of the
order of the first principal component stand in for them (flat only).
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.constants import number, numbers, size
from tallgrass.inference.kernel.several import several_vote_loglik
from tallgrass.inference.priors import PriorNumbers
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.group_means import ordered_party_means
from tallgrass.rollcalls.models.base import (
    Model,
    Point,
    free_rollcalls,
    information_pivot,
    jittered,
    logit_names,
    vote_coordinates,
)
from tallgrass.rollcalls.models.hierarchical import party_warnings, require_parties, spread_priors
from tallgrass.rollcalls.models.plane_members import (
    PlaneMembers,
    moved,
    plane_member_start,
    plane_members,
)
from tallgrass.rollcalls.models.plane_textbook import build_plane_textbook
from tallgrass.rollcalls.plane_start import PlaneStart, plane_information, plane_start
from tallgrass.rollcalls.reflection import AXIS_2
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Start, two_groups
from tallgrass.rollcalls.votes import VoteMatrix

FLAT = ("xi", "xi_2", "alpha", "beta", "beta_2")
HIERARCHICAL = (*FLAT[:2], "mu_party", "sigma_within", "sigma_within_2", *FLAT[2:])

LEAST_MEMBERS = 3  # of a party: fewer have no division within
LEAST_ROLLCALLS = 10  # fewer say nothing about a second axis


class _Scaled(NamedTuple):
    """Members and roll calls, and the scale of each axis."""

    members: PlaneMembers
    rollcalls: co.RollCalls
    log_s: tuple[Any, Any]
    beta: tuple[Any, Any]
    log_density: Any  # of the discriminations


def build_plane(votes: VoteMatrix, spec: ModelSpec, start: Start) -> Model:
    """The flat or hierarchical model of one chamber in two dimensions.

    Raises
    ------
    DataError
        When a party of a hierarchical model is missing, or somebody belongs to neither; when a
        party or a half has fewer than three members; when there are fewer than ten roll calls.
    """
    hierarchical = spec.model == "hierarchical"
    if hierarchical:
        require_parties(votes)
        _require_two_groups(votes)
    groups = two_groups(votes, start.pca)
    _require_enough(votes, groups)
    positive = spec.priors["beta"].positive
    reference = plane_start(votes, groups, replace(start, kind="pca"), positive)
    if spec.coordinates == "textbook":
        model = build_plane_textbook(votes, spec, start, groups)
        model = replace(model, public=HIERARCHICAL if hierarchical else FLAT)
    else:
        information = plane_information(votes, groups, reference)
        with pm.Model(coords=vote_coordinates(votes)) as graph:
            scaled = _add_axes(votes, spec, groups, information)
            if hierarchical:
                _add_party_level(spec, groups, scaled)
            else:
                _add_standard_normal(spec, groups, scaled)
        chain = partial(_chain_start, votes, spec, start, groups, information)
        # In place: without it PyTensor's fusion of this graph gives wrong gradients.
        public = HIERARCHICAL if hierarchical else FLAT
        model = Model(graph, public, chain)
    direction = reference.v[1] if start.second is None else start.second
    return replace(
        model,
        warnings=party_warnings(votes) if hierarchical else (),
        constants={AXIS_2: ("legislator", direction)},
    )


def _require_two_groups(votes: VoteMatrix) -> None:
    if len(votes.groups) > 2:
        raise DataError(
            "two dimensions take two groups: axis 1 is the line between them",
            ", ".join(votes.groups),
            "name two with groups=FILE.csv (others left empty), use model=flat, or use dims=1",
        )


def _require_enough(votes: VoteMatrix, groups: NDArray[np.int8]) -> None:
    sizes = np.bincount(groups, minlength=2)
    if sizes.min() < LEAST_MEMBERS:
        raise DataError(
            f"two dimensions need at least {LEAST_MEMBERS} members in each party (or half), "
            "because the second axis is what divides them within",
            f"{sizes[0]} and {sizes[1]} members",
            "use dims=1",
        )
    if len(votes.rollcalls) < LEAST_ROLLCALLS:
        raise DataError(
            f"two dimensions need at least {LEAST_ROLLCALLS} roll calls after the filters",
            len(votes.rollcalls),
            "use dims=1, or a smaller minority_threshold",
        )


def _add_axes(
    votes: VoteMatrix, spec: ModelSpec, groups: NDArray[np.int8], information: NDArray[np.float64]
) -> _Scaled:
    """Positions, roll calls, scales, and the likelihood, which sees no scale."""
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    n_rollcalls = number(len(votes.rollcalls))
    members = plane_members(groups, information, spreads=spec.model == "hierarchical")
    rollcalls, log_b = free_rollcalls(votes, priors["beta"], groups)
    c = pm.Flat("slope_2", shape=size(len(votes.rollcalls)))
    log_s = (
        co.log_scale(rollcalls.b, log_b, priors["beta"], pm.Flat("eps_s"), n_rollcalls),
        co.log_scale(c, None, priors["beta_2"], pm.Flat("eps_s_2"), n_rollcalls),
    )
    beta = rollcalls.b / pt.exp(log_s[0]), c / pt.exp(log_s[1])
    log_beta = None if log_b is None else log_b - log_s[0]
    log_density = (
        co.prior_logp(priors["beta"], beta[0], log_beta)
        + co.prior_logp(priors["beta_2"], beta[1])
        - n_rollcalls * (log_s[0] + log_s[1])
        + rollcalls.log_jacobian
    )
    cells = pytensor.shared(votes.cells, name="vote_cells", borrow=True)
    slopes = rollcalls.b, c
    pm.Potential("votes", several_vote_loglik(cells, members.v, rollcalls.a, slopes))
    pm.Potential("discrimination", log_density)
    pm.Potential("coordinates", members.log_jacobian)
    pm.Deterministic("beta", beta[0], dims="rollcall")
    pm.Deterministic("beta_2", beta[1], dims="rollcall")
    pm.Deterministic("xi_2", pt.exp(log_s[1]) * members.v[1], dims="legislator")
    return _Scaled(members, rollcalls, log_s, beta, log_density)


def _add_centre(scaled: _Scaled, mid: Any) -> None:
    pm.Deterministic("alpha", scaled.rollcalls.a + scaled.beta[0] * mid, dims="rollcall")
    xi = mid + pt.exp(scaled.log_s[0]) * scaled.members.v[0]
    pm.Deterministic("xi", xi, dims="legislator")


def _add_party_level(spec: ModelSpec, groups: NDArray[np.int8], scaled: _Scaled) -> None:
    """Party means and spreads; axis 1 as in the model of one dimension."""
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    sizes = np.bincount(groups, minlength=2)
    n, total = numbers(sizes), number(len(groups))
    members, log_s, s = scaled.members, scaled.log_s, pt.exp(scaled.log_s[0])
    assert members.log_tau is not None
    log_sigma = [scale + tau for scale, tau in zip(log_s, members.log_tau, strict=True)]
    sigma = [pt.exp(spread) for spread in log_sigma]
    pm.Deterministic("sigma_within", sigma[0], dims="party")
    pm.Deterministic("sigma_within_2", sigma[1], dims="party")

    member_variance = [sigma[0][g] ** 2 / n[g] for g in (0, 1)]
    location = co.location(
        scaled.rollcalls.a,
        scaled.beta[0],
        priors["alpha"],
        s,
        [priors["mu"].sigma ** 2 + variance for variance in member_variance],
        priors["mu"],
        pm.Normal("eps_mid"),
    )
    means = ordered_party_means(
        (location.mid - s, location.mid + s),
        member_variance,
        priors["mu"],
        pm.Flat("eps_gap"),
        pm.Normal("eps_level"),
    )
    pm.Deterministic("mu_party", pt.stack(means.mu), dims="party")
    _add_centre(scaled, location.mid)
    # + log s: party means -> (mid, s). Powers of the scales cancel in what follows.
    pm.Potential("location", location.log_density + log_s[0] + means.log_density)
    # The members are normal given that the axes are uncorrelated: less one normal density.
    form = pt.sum(members.squares[1] * pt.exp(2 * members.log_tau[0])) / total
    log_density = 0.5 * pt.log(form)
    prior = _spread_prior(spec, sizes)
    for axis in (0, 1):
        tau, squares = members.log_tau[axis], members.squares[axis]
        log_density -= pt.sum((n - 1) * tau + squares / (2 * pt.exp(2 * tau)) - log_sigma[axis])
        log_density += co.prior_logp(prior, sigma[axis], log_sigma[axis])
    pm.Potential("members", log_density)


def _spread_prior(spec: ModelSpec, sizes: NDArray[np.int64]) -> PriorNumbers:
    """Prior of the spreads within the parties as one of a vector, narrower for a small party."""
    by_party = spread_priors(spec, sizes)
    return (
        by_party[0]
        .numbers()
        ._replace(
            mu=numbers([prior.mu for prior in by_party]),
            sigma=numbers([prior.sigma for prior in by_party]),
        )
    )


def _add_standard_normal(spec: ModelSpec, groups: NDArray[np.int8], scaled: _Scaled) -> None:
    """Members N(0, 1) on both axes."""
    alpha = spec.priors["alpha"].numbers()
    n = number(len(groups))
    sizes = np.bincount(groups, minlength=2)
    mean = (sizes[1] - sizes[0]) / len(groups)  # of v_1
    between = number(float((sizes * (np.array([-1.0, 1.0]) - mean) ** 2).sum()))
    log_s, squares = scaled.log_s, scaled.members.squares
    s = pt.exp(log_s[0])
    # sum xi^2 = n (mid + s mean)^2 + s^2 sum (v - mean)^2
    location = co.centre(
        scaled.rollcalls.a - alpha.mu,
        scaled.beta[0],
        alpha.sigma**-2,
        (s * number(mean),),
        (1 / n,),
        pm.Normal("eps_mid"),
    )
    _add_centre(scaled, location.mid)
    within = pt.exp(2 * log_s[0]) * (pt.sum(squares[0]) + between) + n * pt.exp(2 * log_s[1])
    pm.Potential("location", location.log_density)
    pm.Potential("members", -within / 2 + (n - 2) * (log_s[0] + log_s[1]))


def _chain_start(
    votes: VoteMatrix,
    spec: ModelSpec,
    start: Start,
    groups: NDArray[np.int8],
    information: NDArray[np.float64],
    generator: np.random.Generator,
) -> Point:
    """The start of one chain: positions, spread a little, and roll calls fitted to them."""
    positive = spec.priors["beta"].positive
    first = plane_start(votes, groups, start, positive, generator)
    v = moved(first.v, groups, generator)
    members = plane_member_start(v, groups, information, spec.model == "hierarchical")
    point = _rollcall_point(votes, first, positive, groups)
    names = ["eps_s", "eps_s_2", "eps_mid"]
    names += ["eps_gap", "eps_level"] if spec.model == "hierarchical" else []
    point |= {name: np.zeros(()) for name in names}
    fixed = {"deviation", "deviation_2"}
    return jittered(members | point, generator, fixed)


def _rollcall_point(
    votes: VoteMatrix, first: PlaneStart, positive: bool, groups: NDArray[np.int8]
) -> Point:
    a, b, c = first.a, first.b, first.c
    if not positive:
        return dict(zip(logit_names(votes), (-b - a, b - a), strict=True)) | {"slope_2": c}
    kappa = (b * information_pivot(votes, groups) - a) / (1 + b)
    return {"log_b": np.log(b), "kappa": kappa, "slope_2": c}
