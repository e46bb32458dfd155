"""The joint model in its first published form, with a hierarchy of chambers and groups.

    mu_global ~ N(0, 2),  sigma_chamber, sigma_party ~ HalfNormal(1)
    mu_chamber_c ~ N(mu_global, sigma_chamber)
    mu_group ~ N(mu_chamber, sigma_party), the lower mean for the Democrats, in each chamber
    sigma_within_g ~ HalfNormal(1), or HalfNormal(0.5) for a group of fewer than 20
    xi_i ~ N(mu_group, sigma_within)        alpha_j ~ N(0, 2),  beta_j ~ beta_prior
    logit P(yea) = beta_j xi_i - alpha_j,   a matched bill with one alpha and beta in both chambers

``build_seed_textbook`` samples these variables directly, which does not converge on real votes.
``build_seed`` samples the same posterior in coordinates in which it is nearly round. In the House
``xi = d + s v``, in the Senate ``xi = d + delta s + k s v``, with v as in
:mod:`tallgrass.rollcalls.models.joint_members`. The group means of v are exact, so delta and k are
the place and scale of the Senate's members. d is Gaussian given all else; mu_global and mu_chamber
are integrated out and drawn from their conditionals.
"""

from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.rollcalls.group_means import PartyMeans, means_given_gap
from tallgrass.rollcalls.models import joint_bills as bills
from tallgrass.rollcalls.models.base import (
    Model,
    Point,
    add_likelihood,
    free_name,
    jittered,
    vote_coordinates,
)
from tallgrass.rollcalls.models.joint_members import (
    Members,
    group_index,
    member_start,
    members,
)
from tallgrass.rollcalls.spec import SMALL_PARTY, SMALL_PARTY_SCALE, ModelSpec
from tallgrass.rollcalls.start import Start

PUBLIC = (
    *("xi", "delta", "k", "mu_global", "mu_chamber", "mu_group"),
    *("sigma_chamber", "sigma_party", "sigma_within", "alpha", "beta"),
)


def build_seed(joint: JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The seed form in canonical coordinates."""
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    layout = bills.layout(joint)
    with pm.Model(coords=_coordinates(joint)) as graph:
        people = members(joint)
        delta, log_k = pm.Flat("delta"), pm.Flat("log_k")
        k = pm.Deterministic("k", pt.exp(log_k))
        free = bills.free_bills(joint, delta, k, priors["beta"].positive)

        # The scale s makes the discriminations as large as their prior expects, in House units.
        senate_only = numbers(layout.senate_only)
        stretch = senate_only * log_k
        n_bills = number(len(layout.senate_only))
        log_b = None if free.log_b is None else free.log_b - stretch
        eps_s = pm.Flat("eps_s")
        b = free.b * pt.exp(-stretch)
        log_s = co.log_scale(b, log_b, priors["beta"], eps_s, n_bills)
        s = pt.exp(log_s)
        beta = b / s
        log_beta = None if log_b is None else log_b - log_s
        pm.Potential(
            "discrimination",
            co.prior_logp(priors["beta"], beta, log_beta)
            - pt.sum(log_s + stretch)
            + free.log_jacobian,
        )
        log_scales = log_s + numbers([0.0, 0.0, 1.0, 1.0]) * log_k
        log_sigma = log_scales + people.log_tau
        sigma = pt.exp(log_sigma)
        pm.Deterministic("sigma_within", sigma, dims="group")
        scaled = sigma / numbers(_spread_scales(joint, spec))
        pm.Potential("members", people.log_density + pt.sum(log_sigma - scaled**2 / 2))

        _add_groups(joint, spec, people, (delta, k, s), free, beta, sigma)
        order = integers(layout.combined)
        pm.Deterministic("beta", beta[order], dims="rollcall")
        pm.Deterministic("alpha", graph["bill_alpha"][order], dims="rollcall")
        n_house = size(len(layout.house))
        add_likelihood(
            joint.house,
            spec.likelihood,
            people.house,
            free.a[:n_house],
            free.b[:n_house],
            "votes_house",
        )
        of_senate = bills.in_senate(free, joint, delta, k)
        add_likelihood(joint.senate, spec.likelihood, people.senate, *of_senate, "votes_senate")
    start_of = partial(_start, joint, spec, start)
    return Model(graph, PUBLIC, start_of, trajectory="normal")


def _add_groups(
    joint: JointVotes,
    spec: ModelSpec,
    people: Members,
    link: tuple[Any, Any, Any],
    free: bills.Bills,
    beta: Any,
    sigma: Any,
) -> None:
    """Group means, chamber means, the centre of the scale, and xi and alpha, which depend on it."""
    delta, k, s = link
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    # The members' means minus the House's centre d, and the variance of a group mean given them.
    means = [-s, s, (delta - k) * s, (delta + k) * s]
    variance = [sigma[g] ** 2 / number(n) for g, n in enumerate(joint.group_sizes)]
    eps_gap, eps_level = pm.Flat("eps_gap", shape=2), pm.Normal("eps_level", shape=2)
    mu: list[Any] = []
    order: Any = 0.0
    for c in (0, 1):
        pair = slice(2 * c, 2 * c + 2)
        group_means = _ordered(means[pair], variance[pair], eps_gap[c], eps_level[c])
        mu += group_means.mu
        order += group_means.log_density

    z = pm.Normal("z_chamber")
    sigma_chamber = pm.Deterministic("sigma_chamber", priors["sigma_chamber"].sigma * pt.abs(z))
    sigma_party = pm.HalfNormal("sigma_party", priors["sigma_party"].sigma)
    half = [(mu[1] - mu[0]) / 2, (mu[3] - mu[2]) / 2]
    middle = [(mu[1] + mu[0]) / 2, (mu[3] + mu[2]) / 2]
    apart = 2 * sigma_chamber**2 + sigma_party**2
    about = priors["mu"].sigma ** 2 + sigma_chamber**2 / 2 + sigma_party**2 / 4
    hierarchy = -(half[0] ** 2 + half[1] ** 2) / sigma_party**2 - 2 * pt.log(sigma_party)
    hierarchy -= ((middle[0] - middle[1]) ** 2 / apart + pt.log(apart) + pt.log(about)) / 2

    # The centre d: intercept + beta d = alpha minus its prior mean, and the mean of the groups is
    # about mu_global.
    senate_only, alpha = numbers(bills.layout(joint).senate_only), priors["alpha"]
    intercept = free.a + senate_only * beta * delta * s - alpha.mu
    offset = (middle[0] + middle[1]) / 2 - priors["mu"].mu
    d, location = co.centre(
        intercept, beta, alpha.sigma**-2, [offset], [about], pm.Normal("eps_mid")
    )
    # Group means of the members -> (d, log s, delta, log k): 3 log s + log k.
    pm.Potential("groups", hierarchy + order + location + 3 * pt.log(s) + pt.log(k))

    pm.Deterministic("xi", d + s * people.on_house_scale(delta, k), dims="legislator")
    pm.Deterministic("bill_alpha", intercept + alpha.mu + beta * d)
    pm.Deterministic("mu_group", d + pt.stack(mu), dims="group")
    # mu_global and mu_chamber given the groups: conjugate.
    chamber_means = d + pt.stack(middle)
    of_chamber = sigma_chamber**2 + sigma_party**2 / 2
    precision = priors["mu"].sigma ** -2 + 2 / of_chamber
    mean = priors["mu"].mu * priors["mu"].sigma ** -2 + pt.sum(chamber_means) / of_chamber
    mu_global = pm.Deterministic(
        "mu_global", mean / precision + pm.Normal("eps_global") / pt.sqrt(precision)
    )
    share = sigma_chamber**2 / of_chamber
    spread = sigma_chamber * sigma_party / pt.sqrt(2 * of_chamber)
    mu_chamber = mu_global + share * (chamber_means - mu_global)
    mu_chamber += spread * pm.Normal("eps_chamber", shape=2)
    pm.Deterministic("mu_chamber", mu_chamber, dims="chamber")


def _ordered(means: list[Any], variance: list[Any], eps_gap: Any, eps_level: Any) -> PartyMeans:
    """Ordered group means, as by :func:`ordered_party_means`, but without a prior."""
    total, members_gap = variance[0] + variance[1], means[1] - means[0]
    r = pt.sqrt(total) / members_gap
    ratio = pt.exp(r * eps_gap)
    surplus = members_gap * (ratio - 1)
    mu = means_given_gap(means[1], variance, total, members_gap * ratio, surplus, eps_level)
    return PartyMeans(mu, -(surplus**2) / (2 * total) + r * eps_gap)


def build_seed_textbook(joint: JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The seed form in the variables of its definition, as a reference."""
    priors, group = spec.priors, group_index(joint)
    layout = bills.layout(joint)
    with pm.Model(coords=_coordinates(joint)) as graph:
        mu_global = priors["mu"].variable("mu_global")
        sigma_chamber = priors["sigma_chamber"].variable("sigma_chamber")
        sigma_party = priors["sigma_party"].variable("sigma_party")
        offset = pm.Normal("chamber_offset", 0, 1, shape=2)
        chamber = pm.Deterministic("mu_chamber", mu_global + sigma_chamber * offset, dims="chamber")
        groups = pm.Normal("group_offset", 0, 1, shape=4)
        ordered = pt.concatenate([pt.sort(groups[:2]), pt.sort(groups[2:])])
        mu = pm.Deterministic(
            "mu_group", chamber[np.array([0, 0, 1, 1])] + sigma_party * ordered, dims="group"
        )
        unit = priors["sigma_within"].variable("sigma_unit", dims="group")
        scales = numbers(_spread_scales(joint, spec) / priors["sigma_within"].sigma)
        sigma = pm.Deterministic("sigma_within", scales * unit, dims="group")
        xi_offset = pm.Normal("xi_offset", 0, 1, dims="legislator")
        xi = pm.Deterministic("xi", mu[group] + sigma[group] * xi_offset, dims="legislator")
        n = len(layout.senate_only)
        bill_alpha = priors["alpha"].variable("bill_alpha", shape=size(n))
        bill_beta = priors["beta"].variable("bill_beta", shape=size(n))
        pm.Deterministic("alpha", bill_alpha[layout.combined], dims="rollcall")
        pm.Deterministic("beta", bill_beta[layout.combined], dims="rollcall")
        for votes, name, bill in zip(
            (joint.house, joint.senate), CHAMBERS, (layout.house, layout.senate), strict=True
        ):
            positions = xi[joint.rows[name]]
            label = f"votes_{name}"
            add_likelihood(
                votes, spec.likelihood, positions, bill_alpha[bill], bill_beta[bill], label
            )
        means = [pt.mean(xi[np.flatnonzero(group == g)]) for g in range(4)]
        half_gap = (means[1] - means[0]) / 2
        pm.Deterministic("delta", (means[3] + means[2] - means[1] - means[0]) / 2 / half_gap)
        pm.Deterministic("k", (means[3] - means[2]) / 2 / half_gap)
    scores = np.zeros(len(group)) if start.scores is None else start.scores
    point = {
        "mu_global": np.zeros(()),
        "sigma_chamber_log__": np.zeros(()),
        "sigma_party_log__": np.zeros(()),
        "chamber_offset": np.zeros(2),
        "group_offset": np.zeros(4),
        "sigma_unit_log__": np.zeros(4),
        "xi_offset": scores,
        "bill_alpha": np.zeros(n),
        free_name(priors["beta"], "bill_beta"): np.zeros(n),
    }
    fixed = set() if start.scores is None else {"xi_offset"}
    return Model(graph, PUBLIC, partial(jittered, point, fixed=fixed))


def _coordinates(joint: JointVotes) -> dict[str, Any]:
    return vote_coordinates(joint.combined) | {"group": GROUPS, "chamber": CHAMBERS}


def _spread_scales(joint: JointVotes, spec: ModelSpec) -> Any:
    """Scale of the half-normal prior of sigma_within, by group."""
    share = np.where(joint.group_sizes < SMALL_PARTY, SMALL_PARTY_SCALE, 1.0)
    return share * spec.priors["sigma_within"].sigma


def _start(
    joint: JointVotes, spec: ModelSpec, start: Start, generator: np.random.Generator
) -> Point:
    """The start of one chain: scores of each chamber, spread a little, and bills fitted to both."""
    point, v = member_start(joint, start, generator)
    point |= bills.bill_start(joint, v, spec.priors["beta"].positive)
    names = ("eps_s", "eps_mid", "eps_global", "z_chamber", "sigma_party_log__")
    point |= {name: np.zeros(()) for name in names}
    point |= {name: np.zeros(2) for name in ("eps_gap", "eps_level", "eps_chamber")}
    point = jittered(point, generator, {"deviation"})
    point["delta"], point["log_k"] = (np.array(0.1 * generator.normal()) for _ in range(2))
    return point
