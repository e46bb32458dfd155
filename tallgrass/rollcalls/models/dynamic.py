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

Every sitting is sampled in its own gauge, in which the likelihood does not see the scale. The
sampled variables of the scale are steps of delta and log k away from the reference; those of the
members are in :mod:`tallgrass.rollcalls.models.career_gauge`, their density in
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
from tallgrass.rollcalls.models.career_gauge import (
    Gauge,
    make_gauge,
    positions,
    sitting_of_group,
)
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
    log_k: Any
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
        link = _scales(careers, priors)
        spreads = free_spreads()
        people = positions(careers, gauge, spreads.log_tau, spreads.log_sigma)
        sitting, of_group = integers(careers.sitting_of_row), integers(sitting_of_group(careers))
        x = link.delta[sitting] + link.k[sitting] * people.v
        mu = link.delta[of_group] + link.k[of_group] * people.mu
        add_careers(careers, spec, x, mu, spreads)
        pm.Potential("members", people.log_density + spreads.log_jacobian)
        # On the common scale: n - 2 deviations and two party means of each sitting, and two mu.
        counts = numbers(np.diff(careers.bounds) + 1.0)
        pm.Potential("positions", pt.sum(counts * link.log_k))

        a, b = _bills(careers, spec, link)
        cells, shapes = packed([s.votes.cells for s in careers.sittings])
        votes = blocks_loglik(_bytes(cells), integers(shapes), people.v, a, b)
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
    return Model(graph, public, start_of, trajectory="normal", in_place=True)


def _bytes(cells: Any) -> Any:
    import pytensor

    # A shared variable, not a constant: the compiled code does not depend on the votes.
    return pytensor.shared(cells, name="vote_cells", borrow=True)


def _has_bridges(careers: Careers) -> bool:
    return len(careers.bridges.house) > 0


def steps_to_levels(careers: Careers) -> Floats:
    """The matrix that makes levels of delta or log k from their steps away from the reference.

    A sitting's level is that of the sitting before it on the way from the reference, plus a step;
    the first sitting of the other chamber on that way is the one of the reference session, or the
    last one. Shape (n_sittings, n_sittings - 1); the row of the reference is zero. Without that row
    its determinant is 1 or -1.
    """
    n, reference = len(careers.sittings), careers.reference_sitting
    levels = np.zeros((n, n))
    done = {reference}
    for chamber in careers.chambers:
        own = [i for i, s in enumerate(careers.sittings) if s.chamber == chamber]
        first = careers.chamber_reference(chamber)
        if first not in done:
            levels[first] = levels[reference]
            levels[first, first] = 1.0
            done.add(first)
        at = own.index(first)
        for way in (own[at + 1 :], own[:at][::-1]):
            before = first
            for i in way:
                levels[i] = levels[before]
                levels[i, i] = 1.0
                before = i
    return np.delete(levels, reference, axis=1)


def _scales(careers: Careers, priors: dict[str, Any]) -> Link:
    """Free variables ``delta_step`` and ``log_k_step``, and the levels with their priors."""
    n = len(careers.sittings)
    matrix = numbers(steps_to_levels(careers))
    free = numbers(np.arange(n) != careers.reference_sitting)
    levels = {}
    for name in ("delta", "log_k"):
        levels[name] = pt.dot(matrix, pm.Flat(f"{name}_step", shape=size(n - 1)))
        prior = priors[name]
        scores = free * (levels[name] - prior.mu) / prior.sigma
        pm.Potential(f"{name}_prior", -pt.sum(scores**2) / 2)
    delta, log_k = levels["delta"], levels["log_k"]
    k = pm.Deterministic("k", pt.exp(log_k), dims="sitting")
    pm.Deterministic("delta", delta, dims="sitting")
    return Link(delta, log_k, k)


def _bills(careers: Careers, spec: ModelSpec, link: Link) -> tuple[Any, Any]:
    """Intercepts and slopes of all roll calls in the gauges of their sittings.

    Free variables are the logits at the party means. Those of a matched bill in the Senate are in
    the coordinates of :func:`tallgrass.rollcalls.coordinates.deviations`.
    """
    n_sittings, n = len(careers.sittings), len(careers.sitting_of_column)
    free = [pm.Flat(f"logit_{side}", shape=size(n)) for side in SIDES]
    own = np.ones(n)
    own[careers.bridges.senate] = 0.0
    of_column = integers(careers.sitting_of_column)
    counts = np.bincount(careers.sitting_of_column, weights=own, minlength=n_sittings)
    squares = pt.inc_subtensor(
        numbers(np.zeros(n_sittings))[of_column],
        numbers(own) * (free[0] ** 2 + free[1] ** 2),
    )
    # The logits of a sitting determine their spread, and eps is the deviation from that. Counts are
    # raised by one, because all bills of a Senate may be matched.
    n_logits = numbers(2 * counts + 1)
    eps = pm.Flat("eps_bill", shape=size(n_sittings))
    log_sigma = 0.5 * pt.log((squares + 1) / n_logits) + eps / pt.sqrt(2 * n_logits)
    sigma = pm.Deterministic("sigma_bill", pt.exp(log_sigma), dims="sitting")
    prior = spec.priors["sigma_bill"].numbers()
    pm.Potential(
        "bills",
        co.prior_logp(prior, sigma)
        + pt.sum(log_sigma - squares / (2 * sigma**2) - (n_logits - 1) * log_sigma),
    )
    if _has_bridges(careers):
        free = _matched(careers, spec, link, free)
    a, b, _ = co.rollcalls_from_logits(*free)
    return a, b


def _matched(careers: Careers, spec: ModelSpec, link: Link, free: list[Any]) -> list[Any]:
    """The logits, those of matched bills in the Senate about what the House's bills lead to."""
    bridges = careers.bridges
    house, senate = integers(bridges.house), integers(bridges.senate)
    in_house, in_senate = integers(bridges.house_sitting), integers(bridges.senate_sitting)
    sessions = np.array([careers.sessions.index(s.session) for s in careers.sittings])
    of_bill = integers(sessions[bridges.house_sitting])
    sigma = pm.HalfNormal("sigma_dif", number(spec.priors["sigma_dif"].sigma), dims="session")
    sigma_dif = sigma[of_bill]
    a, b, _ = co.rollcalls_from_logits(free[0][house], free[1][house])
    k = link.k[in_senate] / link.k[in_house]
    delta = (link.delta[in_senate] - link.delta[in_house]) / link.k[in_house]
    logits = []
    for party, z in enumerate(free):
        expected = b * (delta + (2 * party - 1) * k) - a
        information, estimate = map(numbers, _information(careers)[:, party, bridges.senate])
        deviations = co.deviations(z[senate], expected, sigma_dif, information, estimate)
        pm.Potential(
            f"deviations_{SIDES[party]}",
            pt.sum(
                deviations.log_jacobian
                - (deviations.value / sigma_dif) ** 2 / 2
                - pt.log(sigma_dif)
            ),
        )
        logits.append(pt.set_subtensor(z[senate], expected + deviations.value))
    return logits


def _information(careers: Careers) -> Floats:
    """Information and estimate of the logits at the party means, shape (2, 2 parties, columns)."""
    shares = [party_shares(s.votes, s.votes.party_index) for s in careers.sittings]
    return np.concatenate(
        [np.stack([s.information, scipy.special.logit(s.share)]) for s in shares], axis=2
    )


def _start(careers: Careers, gauge: Gauge, start: Start, generator: np.random.Generator) -> Point:
    """The start of one chain: scores of each sitting, spread a little, and bills fitted to them."""
    point, v = member_start(careers, gauge, start, generator)
    ends = zip(careers.bounds[:-1], careers.bounds[1:], strict=True)
    fitted = [
        rollcall_logits(s.votes, v[first:last], positive=False)
        for s, (first, last) in zip(careers.sittings, ends, strict=True)
    ]
    a, b = (np.concatenate(part) for part in zip(*fitted, strict=True))
    bridges = careers.bridges
    n = len(careers.sittings)
    for party, side in enumerate(SIDES):
        direction = 2 * party - 1
        logits = direction * b - a
        if _has_bridges(careers):
            information, estimate = _information(careers)[:, party, bridges.senate]
            expected = logits[bridges.house]  # at equal scales
            logits[bridges.senate] = co.deviations_inverse(
                logits[bridges.senate], expected, _TYPICAL_DIF, information, estimate
            )
        point[f"logit_{side}"] = logits
    point["eps_bill"] = np.zeros(n)
    fixed = {"career", "eps_tau"}
    if _has_bridges(careers):
        point["sigma_dif_log__"] = np.full(len(careers.sessions), np.log(_TYPICAL_DIF))
        fixed.add("sigma_dif_log__")
    point = jittered(point, generator, fixed)
    # The scales start near those that the first estimates of the positions lead to.
    free = np.arange(n) != careers.reference_sitting
    steps = np.linalg.inv(steps_to_levels(careers)[free])
    for name, levels in zip(("delta_step", "log_k_step"), gauge.scales, strict=True):
        point[name] = steps @ levels[free] + 0.05 * generator.normal(size=n - 1)
    return point


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
