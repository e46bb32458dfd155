"""Bills of both chambers in the joint model, with one pair of parameters per bill.

A bill is a House roll call, with the Senate roll call matched to it, or an unmatched Senate roll
call. House and matched bills have parameters in the House's gauge, Senate-only bills in the
Senate's, where a matched bill has slope ``k b`` and intercept ``a - b delta``.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, numbers, size
from tallgrass.rollcalls.chambers import JointVotes
from tallgrass.rollcalls.coordinates import rollcalls_positive
from tallgrass.rollcalls.models.base import Point, information
from tallgrass.rollcalls.start import Floats, fitted_logits


class Layout(NamedTuple):
    """The bill of every roll call.

    ``house`` and ``senate`` are by roll call of the chamber, ``combined`` in the order of
    ``JointVotes.combined``. ``senate_only`` is true for bills in the Senate's gauge.
    """

    house: NDArray[np.int64]
    senate: NDArray[np.int64]
    combined: NDArray[np.int64]
    senate_only: NDArray[np.bool_]

    @property
    def bridging(self) -> NDArray[np.bool_]:
        """Which Senate roll calls belong to a matched bill."""
        return self.senate < len(self.house)


class Bills(NamedTuple):
    """Intercepts and slopes of every bill in its gauge; ``log_b`` if slopes are positive."""

    a: Any
    b: Any
    log_b: Any
    log_jacobian: Any


def layout(joint: JointVotes) -> Layout:
    """The layout of the bills: House roll calls in their order, then Senate-only ones."""
    n_house, n_senate = len(joint.house.rollcalls), len(joint.senate.rollcalls)
    of_house, of_senate = joint.matched
    only = np.setdiff1d(np.arange(n_senate), of_senate)
    senate = np.zeros(n_senate, np.int64)
    senate[of_senate] = of_house
    senate[only] = n_house + np.arange(len(only))
    combined = np.zeros(n_house + n_senate, np.int64)
    combined[joint.columns["house"]] = np.arange(n_house)
    combined[joint.columns["senate"]] = senate
    return Layout(np.arange(n_house), senate, combined, np.arange(n_house + len(only)) >= n_house)


def free_bills(joint: JointVotes, delta: Any, k: Any, positive: bool) -> Bills:
    """Free variables of the bills, at the positions where their votes are most informative.

    Signed: logits at the party centres of the bill's chamber; for a matched bill, at the centres of
    both chambers, weighted by information: ``(1 - w) (-/+1) + w (delta -/+ k)``. Positive:
    log-slope and scaled logit at one position, as
    :func:`tallgrass.rollcalls.coordinates.rollcalls_positive`.
    """
    w, pivot_house, pivot_senate = map(numbers, _information(joint))
    n = size(len(layout(joint).senate_only))
    if positive:
        log_b, kappa = pm.Flat("log_b", shape=n), pm.Flat("kappa", shape=n)
        pivot = (1 - w) * pivot_house + w * (delta + k * pivot_senate)
        a, b, log_jacobian = rollcalls_positive(log_b, kappa, pivot)
        return Bills(a, b, log_b, log_jacobian)
    left, right = (pm.Flat(f"logit_{side}", shape=n) for side in ("democrat", "republican"))
    half_gap = 1 - w + w * k
    b = (right - left) / (2 * half_gap)
    a = b * w * delta - (right + left) / 2
    return Bills(a, b, None, -pt.sum(pt.log(half_gap)))


def in_senate(bills: Bills, joint: JointVotes, delta: Any, k: Any) -> tuple[Any, Any]:
    """Intercept and slope of every Senate roll call in the Senate's gauge."""
    bill_layout = layout(joint)
    bill, bridging = integers(bill_layout.senate), numbers(bill_layout.bridging)
    a, b = bills.a[bill], bills.b[bill]
    return a - bridging * b * delta, b * (1 + bridging * (k - 1))


def bill_start(joint: JointVotes, v: Floats, positive: bool) -> Point:
    """Starting values of :func:`free_bills` given positions v, at ``delta = 0`` and ``k = 1``."""
    a, b = fitted_logits(_votes_by_bill(joint), v, positive)
    if not positive:
        return {"logit_democrat": -b - a, "logit_republican": b - a}
    w, pivot_house, pivot_senate = _information(joint)
    pivot = (1 - w) * pivot_house + w * pivot_senate
    return {"log_b": np.log(b), "kappa": (b * pivot - a) / (1 + b)}


def _votes_by_bill(joint: JointVotes) -> NDArray[np.int8]:
    """All members x all bills: both chambers' votes on a matched bill in one column."""
    bill_layout = layout(joint)
    cells = np.zeros((len(joint.combined.slugs), len(bill_layout.senate_only)), np.int8)
    cells[np.ix_(joint.rows["house"], bill_layout.house)] = joint.house.cells
    cells[np.ix_(joint.rows["senate"], bill_layout.senate)] = joint.senate.cells
    return cells


def _information(joint: JointVotes) -> tuple[Floats, Floats, Floats]:
    """By bill: the Senate's share of its information, and the pivot in each chamber's gauge.

    A Senate-only bill has share 0, and its pivot, in its own gauge, stands as the House's.
    """
    bill_layout = layout(joint)
    of_house, of_senate = (
        information(votes, votes.party_index) for votes in (joint.house, joint.senate)
    )
    n = len(bill_layout.senate_only)
    share, pivots = np.zeros(n), np.zeros((2, n))
    pivots[0, bill_layout.house] = (of_house[1] - of_house[0]) / of_house.sum(axis=0)
    in_senate = (of_senate[1] - of_senate[0]) / of_senate.sum(axis=0)
    bridging = bill_layout.bridging
    bill = bill_layout.senate[bridging]
    pivots[0, bill_layout.senate[~bridging]] = in_senate[~bridging]
    pivots[1, bill] = in_senate[bridging]
    total = of_senate.sum(axis=0)[bridging]
    share[bill] = total / (total + of_house.sum(axis=0)[bill])
    return share, pivots[0], pivots[1]
