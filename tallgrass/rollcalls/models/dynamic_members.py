"""Members of many sittings: the density of their careers on the common scale.

A group is a party in a sitting. In every group the deviations from the party's mean sum to zero.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, number, numbers
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.careers import Careers, group_of_row, group_sizes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import (
    SPREAD,
    TYPICAL_SPREAD,
    Point,
    vote_coordinates,
)
from tallgrass.rollcalls.models.career_gauge import (
    DEGREES,
    TYPICAL_STEP,
    Gauge,
    gauge_start,
    standard_positions,
)
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, Start

_LEAST_SPREAD = 1e-9  # below it rounding hides steps; no prior has a share worth naming there
_REFERENCE_SPREAD = 1.0  # of the new members' mean about the party's in the reference session


class Groups(NamedTuple):
    """Where the members of each party in each sitting stand among all rows.

    ``of_row`` is the group of every row, ``free_rows`` all rows but the last of each group,
    ``weights`` those of :func:`tallgrass.rollcalls.coordinates.zero_sum_weights`.
    """

    sizes: NDArray[np.int64]
    of_row: NDArray[np.int64]
    free_rows: NDArray[np.int64]
    weights: Floats


def career_coordinates(careers: Careers) -> dict[str, Any]:
    """PyMC coordinates of the dynamic model."""
    names = careers.names
    return vote_coordinates(careers.combined) | {
        "sitting": names,
        "session": careers.sessions,
        "group": [f"{name} {party}" for name in names for party in PARTIES],
    }


def groups_of(careers: Careers) -> Groups:
    """The groups, sitting after sitting, Democrats first."""
    of_row = group_of_row(careers)
    sizes = group_sizes(careers)
    order = np.argsort(of_row, kind="stable")
    last = np.cumsum(sizes) - 1
    weights = np.empty(len(of_row))
    weights[order] = np.concatenate([co.zero_sum_weights(n) for n in sizes])
    return Groups(sizes, of_row, np.delete(order, last), weights)


class Spreads(NamedTuple):
    """Log of tau and of sigma_new (by party), and the log-Jacobian of their free variables."""

    log_tau: Any
    log_sigma: Any
    log_jacobian: Any


def free_spreads() -> Spreads:
    """The free variables ``eps_tau`` and ``eps_sigma``, and the spreads that they give.

    Spreads that are next to nothing are refused: a first step of a chain that leads there would
    find differences of positions that are rounding alone, and the chain would never leave.
    """
    tau = co.log_spread_of_few(pm.Flat("eps_tau"))
    sigma = co.log_spread_of_few(pm.Flat("eps_sigma", shape=len(PARTIES)))
    log_tau, log_sigma = tau.log_tau + np.log(TYPICAL_STEP), sigma.log_tau + np.log(TYPICAL_SPREAD)
    least = pt.minimum(log_tau, pt.min(log_sigma))
    log_jacobian = tau.log_jacobian + pt.sum(sigma.log_jacobian)
    refused = pt.switch(least > np.log(_LEAST_SPREAD), log_jacobian, -np.inf)
    return Spreads(log_tau, log_sigma, refused)


def add_careers(careers: Careers, spec: ModelSpec, x: Any, mu: Any, spreads: Spreads) -> None:
    """Density of positions x and means mu on the common scale: steps of careers, new members."""
    links, priors = careers.links, spec.priors
    log_tau, log_sigma = spreads.log_tau, spreads.log_sigma
    tau = pm.Deterministic("tau", pt.exp(log_tau))
    pm.Potential("tau_prior", co.prior_logp(priors["tau"].numbers(), tau, log_tau) + log_tau)
    pm.Potential("steps", steps_logp(careers, spec, x, tau, log_tau))

    groups = groups_of(careers)
    pm.Deterministic("mu_new", mu, dims="group")
    pm.Potential("mu_walk", mu_logp(careers, spec, mu))
    new = integers(links.new)
    party = careers.party_of_row[links.new]
    distance = x[new] - mu[integers(groups.of_row[links.new])]
    counts = numbers(np.bincount(party, minlength=len(PARTIES)))
    squares = pt.inc_subtensor(numbers(np.zeros(len(PARTIES)))[integers(party)], distance**2)
    sigma = pm.Deterministic("sigma_new", pt.exp(log_sigma), dims="party")
    prior = co.prior_logp(priors["sigma_new"].numbers(), sigma) + pt.sum(log_sigma)
    pm.Potential("new", prior - pt.sum(squares / (2 * sigma**2)) - pt.sum(counts * log_sigma))


def steps_logp(careers: Careers, spec: ModelSpec, x: Any, tau: Any, log_tau: Any) -> Any:
    """Log-density of the steps of all careers, up to a constant."""
    links = careers.links
    step = (x[integers(links.current)] - x[integers(links.previous)]) / tau
    squares = step**2 / numbers(links.gap)
    if spec.walk == "t4":
        logp = -(DEGREES + 1) / 2 * pt.sum(pt.log1p(squares / DEGREES))
    else:
        logp = -pt.sum(squares) / 2
    return logp - number(len(links.gap)) * log_tau


def mu_logp(careers: Careers, spec: ModelSpec, mu: Any) -> Any:
    """Log-density of the walk of the new members' means, up to a constant."""
    before, after, gap, first, centre = _mu_walk(careers)
    prior = spec.priors["mu_walk"].numbers()
    step = mu[integers(after)] - mu[integers(before)] - prior.mu * numbers(gap)
    scores = step / (prior.sigma * numbers(np.sqrt(np.abs(gap))))
    start = (mu[integers(first)] - numbers(centre)) / _REFERENCE_SPREAD
    return -(pt.sum(scores**2) + pt.sum(start**2)) / 2


def _mu_walk(careers: Careers) -> tuple[Any, ...]:
    """Pairs of groups that follow each other, their gaps, and each chamber's reference groups."""
    before, after, gap, first = [], [], [], []
    for chamber in careers.chambers:
        own = [i for i, s in enumerate(careers.sittings) if s.chamber == chamber]
        first.append(careers.chamber_reference(chamber))
        before += own[:-1]
        after += own[1:]
        times = [careers.sittings[i].time for i in own]
        gap += list(np.diff(times))
    parties = np.arange(len(PARTIES))
    pairs = [(len(PARTIES) * np.array(part)[:, None] + parties).ravel() for part in (before, after)]
    groups = (len(PARTIES) * np.array(first)[:, None] + parties).ravel()
    centre = np.tile([-1.0, 1.0], len(first))
    return (*pairs, np.repeat(gap, len(PARTIES)), groups, centre)


def member_start(
    careers: Careers, gauge: Gauge, start: Start, generator: np.random.Generator
) -> tuple[Point, Floats]:
    """Starting values of the members' variables, and their positions v, sitting after sitting."""
    n = len(careers.sitting_of_row)
    scores = generator.normal(size=n) if start.scores is None else start.scores[careers.rows]
    v = standard_positions(careers, scores)
    v = standard_positions(careers, v + SPREAD * TYPICAL_SPREAD * generator.normal(size=n))
    point = {
        **gauge_start(careers, gauge, v, TYPICAL_SPREAD),
        "eps_sigma": np.full(len(PARTIES), co.log_spread_of_few_inverse(0.0)),
        "eps_tau": np.array(co.log_spread_of_few_inverse(0.0)),
        "offset_new": np.zeros(len(gauge.means)),
        "party_step": np.zeros(len(gauge.means) - len(PARTIES)),
    }
    return point, v
