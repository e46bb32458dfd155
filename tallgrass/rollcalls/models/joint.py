"""Two-parameter logistic model of both chambers on one scale; bills may differ by chamber.

The scale is the House's: its party means are at -1 and +1.

    House:  xi_i = v_i            Senate:  xi_i = delta + k v_i
    v_i = -/+1 + y_i,   y of a group of n sums to zero and is N(0, tau_g) in its n - 1 dimensions
    delta ~ N(0, 1),   log k ~ N(0, 0.5),   tau_g ~ HalfNormal(1)
    logits of a bill at the two party means of its chamber ~ N(0, sigma_bill)
    a matched bill in the Senate: its logits at the Senate's party means are those by the House's
    alpha and beta, plus N(0, sigma_dif) each
    sigma_bill ~ HalfNormal(5),   sigma_dif ~ HalfNormal(2)
    logit P(yea) = beta_j xi_i - alpha_j

With ``dif=false`` a matched bill has one alpha and one beta in both chambers. The likelihood
follows Clinton, Jackman and Rivers (2004), the bridging bills Shor, Berry and McCarty (2010), and
the deviations are differential item functioning (Holland and Wainer, 1993).

The sampled variables of a bill are its logits eD and eR at the party means, which are nearly
independent (see ``coordinates.py``). With a = -(eR + eD) / 2 and b = (eR - eD) / 2 in the positions
v of its chamber, a House bill has ``alpha = a``, ``beta = b`` and a Senate bill ``beta = b / k``,
``alpha = a + beta delta``. The seed form is in :mod:`tallgrass.rollcalls.models.joint_seed`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import scipy
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.rollcalls.models import joint_bills as bills
from tallgrass.rollcalls.models.base import (
    Model,
    Point,
    add_likelihood,
    jittered,
    party_shares,
    vote_coordinates,
)
from tallgrass.rollcalls.models.joint_members import member_start, members
from tallgrass.rollcalls.models.joint_seed import build_seed, build_seed_textbook
from tallgrass.rollcalls.spec import FEW_MEMBERS, ModelSpec
from tallgrass.rollcalls.start import Floats, Start, rollcall_logits

SIDES = ("democrat", "republican")
PUBLIC = ("xi", "delta", "k", "mu_group", "sigma_within", "sigma_bill", "alpha", "beta")
FEW_BILLS = 10  # fewer matched bills get a warning
_TYPICAL_DIF = 2.0  # sigma_dif at the start of chains


def build_joint(joint: JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The joint model of two chambers, in the form of the spec."""
    if spec.joint_form == "anchored":
        model = _anchored(joint, spec, start)
    elif spec.coordinates == "canonical":
        model = build_seed(joint, spec, start)
    else:
        model = build_seed_textbook(joint, spec, start)
    constants = {"chamber_index": ("legislator", joint.chamber_index)}
    return replace(model, warnings=_warnings(joint, spec), constants=constants)


def _anchored(joint: JointVotes, spec: ModelSpec, start: Start) -> Model:
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    with pm.Model(coords=vote_coordinates(joint.combined) | {"group": GROUPS}) as graph:
        people = members(joint)
        delta = pm.Normal("delta", priors["delta"].mu, priors["delta"].sigma)
        log_k = pm.Normal("log_k", priors["log_k"].mu, priors["log_k"].sigma)
        k = pm.Deterministic("k", pt.exp(log_k))
        sigma_bill = pm.HalfNormal("sigma_bill", priors["sigma_bill"].sigma)
        tau = pt.exp(people.log_tau)
        spreads = pt.sum(people.log_tau - (tau / priors["sigma_within"].sigma) ** 2 / 2)
        pm.Potential("members", people.log_density + spreads)

        add_bills = _deviating_bills if spec.dif else _common_bills
        of_house, of_senate, on_scale = add_bills(joint, spec, (delta, k), sigma_bill)
        add_likelihood(joint.house, spec.likelihood, people.house, *of_house, "votes_house")
        add_likelihood(joint.senate, spec.likelihood, people.senate, *of_senate, "votes_senate")

        pm.Deterministic("alpha", on_scale[0], dims="rollcall")
        pm.Deterministic("beta", on_scale[1], dims="rollcall")
        pm.Deterministic("xi", people.on_house_scale(delta, k), dims="legislator")
        side = numbers([-1.0, 1.0, -1.0, 1.0])
        in_senate = numbers([0.0, 0.0, 1.0, 1.0])
        pm.Deterministic("mu_group", side + in_senate * (delta + (k - 1) * side), dims="group")
        pm.Deterministic("sigma_within", tau * (1 + in_senate * (k - 1)), dims="group")
    public = (*PUBLIC, *(["sigma_dif"] if spec.dif else []))
    start_of = partial(_start, joint, spec, start)
    return Model(graph, public, start_of, trajectory="normal")


Pair = tuple[Any, Any]  # intercepts and slopes


def _deviating_bills(
    joint: JointVotes, spec: ModelSpec, link: Pair, sigma_bill: Any
) -> tuple[Pair, Pair, Pair]:
    """Every roll call has its own logits; a matched bill's in the Senate are about the House's.

    Returns a and b of the House's and of the Senate's roll calls in their chamber's gauge, and
    alpha and beta of all on the House's scale, in the order of ``combined``.
    """
    (delta, k), (of_house, of_senate) = link, joint.matched
    n_house, n_senate, n_matched = (
        len(joint.house.rollcalls),
        len(joint.senate.rollcalls),
        len(of_house),
    )
    # The House's roll calls, the Senate's matched ones, in the coordinates of
    # :func:`tallgrass.rollcalls.coordinates.deviations`, and the Senate's others.
    free = [pm.Flat(f"logit_{side}", shape=size(n_house + n_senate)) for side in SIDES]
    first_senate, first_unmatched = size(n_house), size(n_house + n_matched)
    left, right = (z[:first_senate] for z in free)
    a, b, _ = co.rollcalls_from_logits(left, right)
    bill, senate_order = integers(of_house), integers(np.argsort(_matched_first(joint)))
    sigma_dif = pm.HalfNormal("sigma_dif", number(spec.priors["sigma_dif"].sigma))
    squares = pt.sum(left**2 + right**2)
    logits = []
    for party, z in enumerate(free):
        expected = b[bill] * (delta + (2 * party - 1) * k) - a[bill]
        information, estimate = map(numbers, _information(joint)[:, party, of_senate])
        deviations = co.deviations(
            z[first_senate:first_unmatched], expected, sigma_dif, information, estimate
        )
        pm.Potential(
            f"deviations_{SIDES[party]}",
            pt.sum(deviations.log_jacobian)
            - pt.sum(deviations.value**2) / (2 * sigma_dif**2)
            - number(n_matched) * pt.log(sigma_dif),
        )
        unmatched = z[first_unmatched:]
        squares += pt.sum(unmatched**2)
        logits.append(pt.concatenate([expected + deviations.value, unmatched])[senate_order])
    n_free = n_house + n_senate - n_matched
    pm.Potential("bills", -squares / (2 * sigma_bill**2) - number(2 * n_free) * pt.log(sigma_bill))
    a_senate, b_senate, _ = co.rollcalls_from_logits(*logits)
    source = np.zeros(n_house + n_senate, np.int64)  # of every column of ``combined``
    for chamber, first in zip(CHAMBERS, (0, n_house), strict=True):
        columns = joint.columns[chamber]
        source[columns] = first + np.arange(len(columns))
    order, in_senate = integers(source), numbers(source >= n_house)
    return (
        (a, b),
        (a_senate, b_senate),
        _on_scale(
            pt.concatenate([a, a_senate])[order],
            pt.concatenate([b, b_senate])[order],
            in_senate,
            link,
        ),
    )


def _matched_first(joint: JointVotes) -> NDArray[np.int64]:
    """The Senate's roll calls, the matched ones first."""
    matched = joint.matched[1]
    others = np.setdiff1d(np.arange(len(joint.senate.rollcalls)), matched)
    return np.concatenate([matched, others])


def _common_bills(
    joint: JointVotes, spec: ModelSpec, link: Pair, sigma_bill: Any
) -> tuple[Pair, Pair, Pair]:
    """A matched bill is one bill in both chambers; returns the same as :func:`_deviating_bills`."""
    del spec
    layout = bills.layout(joint)
    n = len(layout.senate_only)
    free = bills.free_bills(joint, *link, positive=False)
    # The squares of the logits at the party centres: (-b - a)^2 + (b - a)^2.
    squares = 2 * pt.sum(free.a**2 + free.b**2)
    pm.Potential(
        "bills",
        -squares / (2 * sigma_bill**2) - number(2 * n) * pt.log(sigma_bill) + free.log_jacobian,
    )
    n_house = size(len(layout.house))
    a, b = free.a, free.b
    order = integers(layout.combined)
    senate_only = numbers(layout.senate_only[layout.combined])
    return (
        (a[:n_house], b[:n_house]),
        bills.in_senate(free, joint, *link),
        _on_scale(a[order], b[order], senate_only, link),
    )


def _on_scale(a: Any, b: Any, in_senate: Any, link: Pair) -> Pair:
    """Alpha and beta on the House's scale; ``in_senate`` is 1 if a and b are on the Senate's."""
    delta, k = link
    beta = b / (1 + in_senate * (k - 1))
    return a + in_senate * beta * delta, beta


def _start(
    joint: JointVotes, spec: ModelSpec, start: Start, generator: np.random.Generator
) -> Point:
    """The start of one chain: scores of each chamber, spread a little, and bills fitted to them."""
    point, v = member_start(joint, start, generator)
    point["sigma_bill_log__"] = np.array(np.log(3.0))
    fixed = {"deviation", "sigma_bill_log__"}
    if spec.dif:
        fitted = [
            rollcall_logits(votes, v[joint.rows[c]], positive=False)
            for c, votes in zip(CHAMBERS, (joint.house, joint.senate), strict=True)
        ]
        point |= _dif_start(joint, *fitted)
        point["sigma_dif_log__"] = np.array(np.log(_TYPICAL_DIF))
        fixed.add("sigma_dif_log__")
    else:
        point |= bills.bill_start(joint, v, positive=False)
    point = jittered(point, generator, fixed)
    # The link starts near equal scales.
    point["delta"], point["log_k"] = (np.array(0.1 * generator.normal()) for _ in range(2))
    return point


def _information(joint: JointVotes) -> Floats:
    """Information and estimate of every Senate roll call's logits at the party centres.

    From the share of yeas in each party; shape (2, 2 parties, Senate roll calls).
    """
    shares = party_shares(joint.senate, joint.senate.party_index)
    return np.stack([shares.information, scipy.special.logit(shares.share)])


def _dif_start(joint: JointVotes, house: Pair, senate: Pair) -> Point:
    """Starting values of the bills of :func:`_deviating_bills`, from fitted intercepts and slopes.

    At ``delta = 0``, ``k = 1`` and the typical sigma_dif.
    """
    of_house, of_senate = joint.matched
    point = {}
    for party, (side, information, estimate) in enumerate(
        zip(SIDES, *_information(joint), strict=True)
    ):
        at_house, at_senate = ((2 * party - 1) * b - a for a, b in (house, senate))
        at_senate[of_senate] = co.deviations_inverse(
            at_senate[of_senate],
            at_house[of_house],
            _TYPICAL_DIF,
            information[of_senate],
            estimate[of_senate],
        )
        point[f"logit_{side}"] = np.concatenate([at_house, at_senate[_matched_first(joint)]])
    return point


def _warnings(joint: JointVotes, spec: ModelSpec) -> tuple[str, ...]:
    warnings = [
        f"the {group} group has {n} members, so its spread depends mostly on the prior"
        for group, n in zip(GROUPS, joint.group_sizes, strict=True)
        if n < FEW_MEMBERS
    ]
    if len(joint.matched[0]) < FEW_BILLS:
        warnings.append(f"only {len(joint.matched[0])} matched bills link the chambers")
    if spec.joint_form == "seed" and spec.priors["beta"].positive:
        warnings.append(
            "positive discriminations fit the wrong model: they make yea the conservative side of "
            "every bill, and bills where it is not distort the ideal points; use "
            "joint_form=anchored or beta_prior=normal:0,1"
        )
    return tuple(warnings)
