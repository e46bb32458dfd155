"""Both chambers on one scale: two-parameter logistic model with bills that differ by chamber.

The scale is the House's: its party means are at -1 and +1.

    House:  xi_i = v_i            Senate:  xi_i = delta + k v_i
    v_i = -/+1 + y_i,   y of a group of n sums to zero and is N(0, tau_g) in its n - 1 dimensions
    delta ~ N(0, 1),   log k ~ N(0, 0.5),   tau_g ~ HalfNormal(1)
    logits of a bill at the two party means of its chamber ~ N(0, sigma_bill)
    a matched bill in the Senate: its logits at the Senate's party means are those that the House's
    alpha and beta give there, plus N(0, sigma_dif) each
    sigma_bill ~ HalfNormal(5),   sigma_dif ~ HalfNormal(2)
    logit P(yea) = beta_j xi_i - alpha_j

With ``dif=false`` a matched bill has one alpha and one beta in both chambers. The likelihood is
that of Clinton, Jackman and Rivers (2004); bills that bridge chambers as in Shor, Berry and
McCarty (2010); item deviations as differential item functioning (Holland and Wainer, 1993).

The bill's logits at the party means are the variables that are sampled (``coordinates.py`` says
why they are nearly independent). With a = -(eR + eD) / 2 and b = (eR - eD) / 2 in the positions v
of its chamber, a House bill has ``alpha = a``, ``beta = b`` and a Senate bill ``beta = b / k``,
``alpha = a + beta delta``.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tallgrass import coordinates as co
from tallgrass.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.models.base import Model, Point, add_likelihood, jittered, vote_coordinates
from tallgrass.specs import ModelSpec
from tallgrass.start import Start, centred_positions, rollcall_logits
from tallgrass.votes import PARTIES

PUBLIC = ("xi", "delta", "k", "mu_group", "sigma_within", "sigma_bill", "alpha", "beta")
NON_CENTRED = 20  # fewer members than this: deviations in units of the spread
FEW_MEMBERS = 15  # fewer members than this: warn
SPREAD = 0.5  # how far chains start from the scores, in units of a typical spread
_TYPICAL_SPREAD = 0.3


class _Chamber(NamedTuple):
    v: Any  # positions in the chamber's own gauge
    tau: list[Any]  # spread of each party in it


def build_joint(joint: JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The joint model of two chambers, anchored at the House's party means."""
    combined = joint.combined
    priors = spec.priors
    coords = vote_coordinates(combined) | {"group": GROUPS, "chamber": CHAMBERS}
    sizes = joint.group_sizes
    with pm.Model(coords=coords) as graph:
        house, senate = (
            _positions(joint, c, sizes[2 * i : 2 * i + 2], priors["sigma_within"].sigma)
            for i, c in enumerate(CHAMBERS)
        )
        delta = pm.Normal("delta", priors["delta"].mu, priors["delta"].sigma)
        log_k = pm.Normal("log_k", priors["log_k"].mu, priors["log_k"].sigma)
        k = pm.Deterministic("k", pt.exp(log_k))
        sigma_bill = pm.HalfNormal("sigma_bill", priors["sigma_bill"].sigma)

        at_house = _logits("house", len(joint.house.rollcalls))
        of_house = co.rollcalls_from_logits(*at_house)
        # Constants, not shared variables: numba takes no call of more than 30 arguments.
        rows = joint.matched
        a, b = of_house.a[rows[0]], of_house.b[rows[0]]
        expected = (b * (delta - k) - a, b * (delta + k) - a)
        at_senate = _senate_logits(joint, spec, expected, rows[1], sigma_bill)
        of_senate = co.rollcalls_from_logits(*at_senate)
        pm.Potential("bills_house", _normal(at_house, sigma_bill, len(joint.house.rollcalls)))

        add_likelihood(joint.house, spec.likelihood, house.v, of_house.a, of_house.b, "votes_house")
        add_likelihood(
            joint.senate, spec.likelihood, senate.v, of_senate.a, of_senate.b, "votes_senate"
        )
        beta_senate = of_senate.b / k
        parts = {
            "xi": ((house.v, delta + k * senate.v), joint.rows, "legislator"),
            "beta": ((of_house.b, beta_senate), joint.columns, "rollcall"),
            "alpha": (
                (of_house.a, of_senate.a + beta_senate * delta),
                joint.columns,
                "rollcall",
            ),
        }
        for name, (values, places, dimension) in parts.items():
            order = np.argsort(np.concatenate([places[c] for c in CHAMBERS]))
            pm.Deterministic(name, pt.concatenate(values)[order], dims=dimension)
        one = pt.ones_like(k)
        pm.Deterministic("mu_group", pt.stack([-one, one, delta - k, delta + k]), dims="group")
        spreads = [*house.tau, *(k * tau for tau in senate.tau)]
        pm.Deterministic("sigma_within", pt.stack(spreads), dims="group")
    return Model(
        graph,
        (*PUBLIC, *(["sigma_dif"] if spec.dif else [])),
        partial(_start, joint, spec, start),
        warnings=_warnings(joint),
        constants={"chamber_index": ("legislator", joint.chamber_index)},
    )


def _positions(joint: JointVotes, chamber: str, sizes: Any, scale: float) -> _Chamber:
    """Free positions of a chamber's members, with the prior of their deviations and spreads."""
    party = getattr(joint, chamber).party_index
    deviations, spreads = [], []
    for name, n in zip(PARTIES, map(int, sizes), strict=True):
        label = f"{name.lower()}_{chamber}"
        free, eps = pm.Flat(f"deviation_{label}", shape=n - 1), pm.Flat(f"eps_tau_{label}")
        jacobian: Any = 0.0
        if n < NON_CENTRED:
            log_tau = eps + np.log(_TYPICAL_SPREAD)
            y, jacobian = free * pt.exp(log_tau), (n - 1) * log_tau
        else:
            y, log_tau = free, co.log_spread(pt.sum(free**2), n, eps)
        tau = pt.exp(log_tau)
        members = -(n - 1) * log_tau - pt.sum(y**2) / (2 * tau**2)
        pm.Potential(f"members_{label}", members + jacobian - (tau / scale) ** 2 / 2 + log_tau)
        deviations.append(y)
        spreads.append(tau)
    return _Chamber(co.standardised_positions(deviations, party), spreads)


def _logits(label: str, n: int) -> tuple[Any, Any]:
    left, right = (pm.Flat(f"logit_{party.lower()}_{label}", shape=n) for party in PARTIES)
    return left, right


def _normal(logits: tuple[Any, Any], sigma: Any, n: int) -> Any:
    """Log-density of n pairs of N(0, sigma), without its constants."""
    squares = pt.sum(logits[0] ** 2) + pt.sum(logits[1] ** 2)
    return -squares / (2 * sigma**2) - 2 * n * pt.log(sigma)


def _senate_logits(
    joint: JointVotes, spec: ModelSpec, expected: tuple[Any, Any], matched: Any, sigma_bill: Any
) -> list[Any]:
    """Logits of every Senate roll call at the Senate's party means, with their prior."""
    n, n_matched = len(joint.senate.rollcalls), len(joint.matched[1])
    only = np.setdiff1d(np.arange(n), joint.matched[1])
    free = _logits("senate", len(only))
    pm.Potential("bills_senate", _normal(free, sigma_bill, len(only)))
    used = expected
    if spec.dif:
        sigma_dif = pm.HalfNormal("sigma_dif", spec.priors["sigma_dif"].sigma)
        used = _logits("dif", n_matched)
        deviations = (used[0] - expected[0], used[1] - expected[1])
        pm.Potential("deviations", _normal(deviations, sigma_dif, n_matched))
    empty = pt.zeros(n)
    return [
        pt.set_subtensor(pt.set_subtensor(empty[only], own)[matched], bridging)
        for own, bridging in zip(free, used, strict=True)
    ]


def _start(
    joint: JointVotes, spec: ModelSpec, start: Start, generator: np.random.Generator
) -> Point:
    """One chain's start: each chamber's scores spread a little, its bills fitted to them."""
    point: Point = {name: np.zeros(()) for name in ("delta", "log_k")}
    point["sigma_bill_log__"] = np.array(np.log(3.0))
    fixed, fitted = set(point), {}
    for chamber in CHAMBERS:
        votes, rows = getattr(joint, chamber), joint.rows[chamber]
        party, n = votes.party_index, len(rows)
        scores = generator.normal(size=n) if start.scores is None else start.scores[rows]
        v = centred_positions(scores, party)
        v = centred_positions(v + SPREAD * _TYPICAL_SPREAD * generator.normal(size=n), party)
        for g, name in enumerate(PARTIES):
            label = f"{name.lower()}_{chamber}"
            y = co.zero_sum_inverse(v[party == g] - 2.0 * g + 1.0)
            tau = np.sqrt(max(np.mean(y**2), _TYPICAL_SPREAD**2)) if len(y) else _TYPICAL_SPREAD
            small = len(y) + 1 < NON_CENTRED
            point[f"deviation_{label}"] = y / tau if small else y
            point[f"eps_tau_{label}"] = np.array(np.log(tau / _TYPICAL_SPREAD) if small else 0.0)
            fixed.add(f"deviation_{label}")
        a, b = rollcall_logits(votes, v, positive=False)
        fitted[chamber] = {"democrat": -b - a, "republican": b - a}
    only = np.setdiff1d(np.arange(len(joint.senate.rollcalls)), joint.matched[1])
    for party_name in ("democrat", "republican"):
        point[f"logit_{party_name}_house"] = fitted["house"][party_name]
        point[f"logit_{party_name}_senate"] = fitted["senate"][party_name][only]
        if spec.dif:
            bridging = fitted["senate"][party_name][joint.matched[1]]
            point[f"logit_{party_name}_dif"] = bridging
    if spec.dif:
        point["sigma_dif_log__"] = np.array(np.log(2.0))
        fixed.add("sigma_dif_log__")
    # The link starts near "the same scale"; every bill is jittered as in the other models.
    point = jittered(point, generator, fixed)
    point["delta"], point["log_k"] = (np.array(0.1 * generator.normal()) for _ in range(2))
    return point


def _warnings(joint: JointVotes) -> tuple[str, ...]:
    found = [
        f"the {group} group has {n} members only: its spread leans on the prior"
        for group, n in zip(GROUPS, joint.group_sizes, strict=True)
        if n < FEW_MEMBERS
    ]
    if len(joint.matched[0]) < 10:
        found.append(f"{len(joint.matched[0])} matched bills carry the link between the chambers")
    return tuple(found)
