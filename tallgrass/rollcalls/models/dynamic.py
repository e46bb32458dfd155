"""Two-parameter logistic model of many sessions on one scale, carried by members who return.

Sitting t is one chamber in one session; the reference sitting's party means are at -1 and +1.

    x_it = delta_t + k_t v_it,   v_t with party means at -1 and +1;  reference: delta = 0, k = 1
    a member who served before:  x_it ~ t_4(x_i,before, tau sqrt(gap)),  gap in bienniums
    a new member of party g:     x_it ~ N(mu_gt, sigma_new_g)
    mu_gt ~ N(mu_g,before, 0.5 sqrt(gap)),  in the chamber's reference session N(-/+1, 1)
    delta_t ~ N(0, 1),  log k_t ~ N(0, 0.5),  tau ~ HalfNormal(0.5),  sigma_new_g ~ HalfNormal(1)
    logits of a bill at the two party means of its sitting ~ N(0, sigma_bill_t)
    sigma_bill_t ~ HalfNormal(5)
    logit P(yea) = beta_j x_it - alpha_j

The first line's delta and k are functions of the positions: the middle and half the gap between the
means of the parties' members. With both chambers each session's Senate is a sitting too, and the
logits of a bill that both chambers voted on are, at the Senate's party means, those by the House's
alpha and beta plus N(0, sigma_dif_t), as in :mod:`tallgrass.rollcalls.models.joint`. The random
walk is that of Martin and Quinn (2002), with t_4 steps, so that a member who moves far does not
pull at all the others; the anchored scale is that of the joint model.

The votes of a sitting are read in its own gauge, in which the likelihood does not see the scale.
The sampled variables of the members are those of
:mod:`tallgrass.rollcalls.models.career_positions`, their density is in
:mod:`tallgrass.rollcalls.models.dynamic_members`, and the same posterior in plain positions in
:mod:`tallgrass.rollcalls.models.dynamic_textbook`.
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import scipy

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.inference.kernel.blocks import blocks_loglik, packed
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.careers import FEW_COMMON, Careers, group_sizes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import Model, Point, jittered, party_shares
from tallgrass.rollcalls.models.career_gauge import Gauge, make_gauge
from tallgrass.rollcalls.models.career_positions import means_of_groups, positions
from tallgrass.rollcalls.models.dynamic_members import (
    add_careers,
    career_coordinates,
    free_spreads,
    member_start,
)
from tallgrass.rollcalls.models.dynamic_textbook import build_textbook
from tallgrass.rollcalls.spec import FEW_MEMBERS, ModelSpec
from tallgrass.rollcalls.start import Floats, Start, rollcall_logits

SIDES = ("democrat", "republican")
PUBLIC = ("xi", "delta", "k", "tau", "mu_new", "sigma_new", "sigma_bill", "alpha", "beta")
_TYPICAL_DIF = 2.0  # sigma_dif at the start of chains


class Link(NamedTuple):
    """The scale of every sitting, shape (n_sittings,)."""

    delta: Any
    k: Any


def build_dynamic(careers: Careers, spec: ModelSpec, start: Start) -> Model:
    """The dynamic model of many sessions, in the coordinates of the spec."""
    build = _canonical if spec.coordinates == "canonical" else build_textbook
    model = build(careers, spec, start)
    constants = {"sitting_index": ("legislator", careers.in_combined_order(careers.sitting_of_row))}
    return replace(model, warnings=_warnings(careers), constants=constants)


def _canonical(careers: Careers, spec: ModelSpec, start: Start) -> Model:
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    gauge = make_gauge(careers, spec, start)
    with pm.Model(coords=career_coordinates(careers)) as graph:
        spreads = free_spreads()
        x, mu, log_density = positions(careers, gauge, spreads.log_tau, spreads.log_sigma)
        link = _scales(careers, priors, x)
        add_careers(careers, spec, x, mu, spreads)
        pm.Potential("members", log_density + spreads.log_jacobian)

        a, b = _bills(careers, spec, link)
        cells, shapes = packed([s.votes.cells for s in careers.sittings])
        sitting = integers(careers.sitting_of_row)
        v = (x - link.delta[sitting]) / link.k[sitting]
        votes = blocks_loglik(_bytes(cells), integers(shapes), v, a, b)
        pm.Potential("votes", votes)

        of_column = integers(careers.sitting_of_column)
        beta = b / link.k[of_column]
        alpha = a + beta * link.delta[of_column]
        columns, rows = integers(np.argsort(careers.columns)), integers(np.argsort(careers.rows))
        pm.Deterministic("alpha", alpha[columns], dims="rollcall")
        pm.Deterministic("beta", beta[columns], dims="rollcall")
        pm.Deterministic("xi", x[rows], dims="legislator")
    public = (*PUBLIC, *(["sigma_dif"] if _has_bridges(careers) else []))
    start_of = partial(_start, careers, gauge, start)
    return Model(graph, public, start_of, trajectory="normal")


def _bytes(cells: Any) -> Any:
    import pytensor

    # A shared variable, not a constant: the compiled code does not depend on the votes.
    return pytensor.shared(cells, name="vote_cells", borrow=True)


def _has_bridges(careers: Careers) -> bool:
    return len(careers.bridges.house) > 0


def _scales(careers: Careers, priors: dict[str, Any], x: Any) -> Link:
    """Delta and log k, the middle and half the gap of the parties of a sitting, with their priors.

    The reference sitting has 0 and 1. Parties that change sides have no scale.
    """
    means = means_of_groups(careers, x)
    free = numbers(np.arange(len(careers.sittings)) != careers.reference_sitting)
    delta, half = (means[1::2] + means[::2]) / 2, (means[1::2] - means[::2]) / 2
    log_k = pt.switch(half > 0, pt.log(pt.abs(half)), -np.inf)
    for name, level in (("delta", delta), ("log_k", log_k)):
        prior = priors[name]
        scores = free * (level - prior.mu) / prior.sigma
        pm.Potential(f"{name}_prior", -pt.sum(scores**2) / 2)
    k = pm.Deterministic("k", half, dims="sitting")
    pm.Deterministic("delta", delta, dims="sitting")
    return Link(delta, k)


def _bills(careers: Careers, spec: ModelSpec, link: Link) -> tuple[Any, Any]:
    """Intercepts and slopes of all roll calls in the gauges of their sittings.

    Free variables are the logits at the party means, in the coordinates of
    :func:`tallgrass.rollcalls.coordinates.deviations`: those of a matched bill in the Senate from
    what the House's bill leads to, all others from 0.
    """
    n_sittings, n = len(careers.sittings), len(careers.sitting_of_column)
    free = [pm.Flat(f"logit_{side}", shape=size(n)) for side in SIDES]
    spread = co.log_spread_of_few(pm.Flat("eps_bill", shape=size(n_sittings)))
    sigma = pm.Deterministic("sigma_bill", pt.exp(spread.log_tau), dims="sitting")
    prior = co.prior_logp(spec.priors["sigma_bill"].numbers(), sigma)
    pm.Potential("spreads_of_bills", prior + pt.sum(spread.log_tau + spread.log_jacobian))
    own = np.ones(n)
    own[careers.bridges.senate] = 0.0
    of_column = sigma[integers(careers.sitting_of_column)]
    logits = []
    for z, (information, estimate), side in zip(free, _information(careers), SIDES, strict=True):
        bills = co.deviations(z, 0.0, of_column, numbers(information), numbers(estimate))
        density = bills.log_jacobian - (bills.value / of_column) ** 2 / 2 - pt.log(of_column)
        pm.Potential(f"bills_{side}", pt.sum(numbers(own) * density))
        logits.append(bills.value)
    if _has_bridges(careers):
        logits = _matched(careers, spec, link, free, logits)
    a, b, _ = co.rollcalls_from_logits(*logits)
    return a, b


def _matched(
    careers: Careers, spec: ModelSpec, link: Link, free: list[Any], logits: list[Any]
) -> list[Any]:
    """The logits, those of matched bills in the Senate about what the House's bills lead to."""
    bridges = careers.bridges
    house, senate = integers(bridges.house), integers(bridges.senate)
    in_house, in_senate = integers(bridges.house_sitting), integers(bridges.senate_sitting)
    sessions = np.array([careers.sessions.index(s.session) for s in careers.sittings])
    of_bill = integers(sessions[bridges.house_sitting])
    sigma = pm.HalfNormal("sigma_dif", number(spec.priors["sigma_dif"].sigma), dims="session")
    sigma_dif = sigma[of_bill]
    a, b, _ = co.rollcalls_from_logits(logits[0][house], logits[1][house])
    k = link.k[in_senate] / link.k[in_house]
    delta = (link.delta[in_senate] - link.delta[in_house]) / link.k[in_house]
    matched = []
    for party, z in enumerate(free):
        expected = b * (delta + (2 * party - 1) * k) - a
        information, estimate = map(numbers, _information(careers)[party, :, bridges.senate].T)
        deviations = co.deviations(z[senate], expected, sigma_dif, information, estimate)
        pm.Potential(
            f"deviations_{SIDES[party]}",
            pt.sum(
                deviations.log_jacobian
                - (deviations.value / sigma_dif) ** 2 / 2
                - pt.log(sigma_dif)
            ),
        )
        matched.append(pt.set_subtensor(logits[party][senate], expected + deviations.value))
    return matched


def _information(careers: Careers) -> Floats:
    """Information and estimate of the logits at the party means, shape (2 parties, 2, columns)."""
    shares = [party_shares(s.votes, s.votes.party_index) for s in careers.sittings]
    both = [np.stack([s.information, scipy.special.logit(s.share)], axis=1) for s in shares]
    return np.concatenate(both, axis=2)


def _start(careers: Careers, gauge: Gauge, start: Start, generator: np.random.Generator) -> Point:
    """The start of one chain: scores of each sitting, spread a little, and bills fitted to them."""
    point, v = member_start(careers, gauge, start, generator)
    ends = zip(careers.bounds[:-1], careers.bounds[1:], strict=True)
    fitted = [
        rollcall_logits(s.votes, v[first:last], positive=False)
        for s, (first, last) in zip(careers.sittings, ends, strict=True)
    ]
    a, b = (np.concatenate(part) for part in zip(*fitted, strict=True))
    bridges, of = careers.bridges, careers.sitting_of_column
    logits = np.stack([direction * b - a for direction in (-1, 1)])
    spread = np.sqrt(np.bincount(of, (logits**2).mean(axis=0)) / np.bincount(of))
    for side, values, known in zip(SIDES, logits, _information(careers), strict=True):
        point[f"logit_{side}"] = co.deviations_inverse(
            values, np.zeros_like(values), spread[of], *known
        )
        if _has_bridges(careers):
            expected = values[bridges.house]  # at equal scales
            point[f"logit_{side}"][bridges.senate] = co.deviations_inverse(
                values[bridges.senate], expected, _TYPICAL_DIF, *known[:, bridges.senate]
            )
    point["eps_bill"] = np.array([co.log_spread_of_few_inverse(x) for x in np.log(spread)])
    fixed = {"career", "party_step", "eps_tau", "eps_bill"}
    if _has_bridges(careers):
        point["sigma_dif_log__"] = np.full(len(careers.sessions), np.log(_TYPICAL_DIF))
        fixed.add("sigma_dif_log__")
    return jittered(point, generator, fixed)


def _warnings(careers: Careers) -> tuple[str, ...]:
    warnings = []
    sizes = group_sizes(careers).reshape(-1, len(PARTIES))
    small = [
        f"{sitting.name}: {n} {party}s"
        for sitting, of_sitting in zip(careers.sittings, sizes, strict=True)
        for party, n in zip(PARTIES, of_sitting, strict=True)
        if n < FEW_MEMBERS
    ]
    if small:
        warnings.append("few members of a party, so its mean moves with each: " + "; ".join(small))
    few = careers.few_links(FEW_COMMON)
    if few:
        warnings.append("few members carry the scale between " + "; ".join(few))
    if careers.both and not careers.linked_chambers:
        warnings.append(
            "nothing links the chambers but the priors of delta and k: positions of the House and "
            "of the Senate cannot be compared"
        )
    return tuple(warnings)
