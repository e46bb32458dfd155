"""The dynamic model in the variables of its definition: plain positions, a slow reference.

All positions are free but those of the reference sitting, whose party means are held at -1 and +1.
delta and k of a sitting are the middle of, and half the gap between, its members' party means.
"""

from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tallgrass.inference.constants import integers, numbers, size
from tallgrass.inference.kernel.blocks import blocks_loglik, packed
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.base import Model, Point, add_likelihood, jittered
from tallgrass.rollcalls.models.dynamic_members import (
    career_coordinates,
    groups_of,
    mu_logp,
    steps_logp,
)
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Start, centred_positions

PUBLIC = ("xi", "delta", "k", "tau", "mu_new", "sigma_new", "sigma_bill", "alpha", "beta")


def build_textbook(careers: Careers, spec: ModelSpec, start: Start) -> Model:
    """The model in plain positions, difficulties and discriminations."""
    import pytensor

    priors, groups = spec.priors, groups_of(careers)
    n_sittings = len(careers.sittings)
    of_column = careers.sitting_of_column
    held = careers.sitting_of_row == careers.reference_sitting
    with pm.Model(coords=career_coordinates(careers)) as graph:
        x = _positions(careers, held)
        sums = pt.inc_subtensor(numbers(np.zeros(len(groups.sizes)))[integers(groups.of_row)], x)
        means = sums / numbers(groups.sizes)
        lower, upper = means[::2], means[1::2]
        delta = pm.Deterministic("delta", (lower + upper) / 2, dims="sitting")
        k = pm.Deterministic("k", (upper - lower) / 2, dims="sitting")
        # Half a gap is positive: the parties of a sitting do not change sides.
        log_k = pt.switch(k > 0, pt.log(pt.abs(k)), -np.inf)
        free = np.arange(n_sittings) != careers.reference_sitting
        for name, level in (("delta", delta), ("log_k", log_k)):
            scores = (level - priors[name].mu) / priors[name].sigma
            pm.Potential(f"{name}_prior", -pt.sum(pt.switch(numbers(free) > 0, scores**2, 0)) / 2)

        tau = priors["tau"].variable("tau")
        pm.Potential("steps", steps_logp(careers, spec, x, tau, pt.log(tau)))
        mu = pm.Flat("mu_new", dims="group")
        pm.Potential("mu_walk", mu_logp(careers, spec, mu))
        sigma = priors["sigma_new"].variable("sigma_new", dims="party")
        new = careers.links.new
        spread = sigma[integers(careers.party_of_row[new])]
        distance = (x[integers(new)] - mu[integers(groups.of_row[new])]) / spread
        pm.Potential("new", -pt.sum(distance**2) / 2 - pt.sum(pt.log(spread)))

        # Names of the sampled variables sort as the sittings do; the public ones as the votes.
        alpha = pm.Flat("plain_alpha", shape=size(len(of_column)))
        beta = pm.Flat("plain_beta", shape=size(len(of_column)))
        columns, rows = integers(np.argsort(careers.columns)), integers(np.argsort(careers.rows))
        pm.Deterministic("alpha", alpha[columns], dims="rollcall")
        pm.Deterministic("beta", beta[columns], dims="rollcall")
        pm.Deterministic("xi", x[rows], dims="legislator")
        sigma_bill = priors["sigma_bill"].variable("sigma_bill", dims="sitting")
        _add_bills(careers, spec, (alpha, beta), (delta, k), sigma_bill)
        if spec.likelihood == "gather":
            positions, bills = graph["xi"], (graph["alpha"], graph["beta"])
            add_likelihood(careers.combined, "gather", positions, *bills)
        else:
            cells, shapes = packed([s.votes.cells for s in careers.sittings])
            shared = pytensor.shared(cells, name="vote_cells", borrow=True)
            pm.Potential("votes", blocks_loglik(shared, integers(shapes), x, alpha, beta))
    public = (*PUBLIC, *(["sigma_dif"] if len(careers.bridges.house) else []))
    return Model(graph, public, partial(_start, careers, start, held))


def _positions(careers: Careers, held: Any) -> Any:
    """All positions; those of the reference sitting from deviations that sum to zero by party."""
    groups = groups_of(careers)
    base = np.where(held, np.where(careers.party_of_row == 1, 1.0, -1.0), 0.0)
    x = pt.set_subtensor(
        numbers(base)[integers(np.flatnonzero(~held))],
        pm.Flat("position", shape=size(int(np.sum(~held)))),
    )
    free_rows = groups.free_rows[held[groups.free_rows]]
    y = pm.Flat("deviation", shape=size(len(free_rows)))
    sums = pt.inc_subtensor(
        numbers(np.zeros(len(groups.sizes)))[integers(groups.of_row[free_rows])], y
    )
    x = x + numbers(held * groups.weights) * sums[integers(groups.of_row)]
    return pt.inc_subtensor(x[integers(free_rows)], y)


def _add_bills(
    careers: Careers,
    spec: ModelSpec,
    bills: tuple[Any, Any],
    link: tuple[Any, Any],
    sigma_bill: Any,
) -> None:
    """Density of alpha and beta: that of the logits at the party means, and 2 k a bill."""
    alpha, beta = bills
    delta, k = link
    bridges, of_column = careers.bridges, integers(careers.sitting_of_column)
    pm.Potential("bill_coordinates", pt.sum(pt.log(pt.abs(k[of_column]))))
    own = np.ones(len(careers.sitting_of_column))
    own[bridges.senate] = 0.0
    house, senate = integers(bridges.house), integers(bridges.senate)
    if len(bridges.house):
        sigma_dif = spec.priors["sigma_dif"].variable("sigma_dif", dims="session")
        sessions = np.array([careers.sessions.index(s.session) for s in careers.sittings])
        spread = sigma_dif[integers(sessions[bridges.house_sitting])]
    for side in (-1.0, 1.0):
        logits = beta * (delta + side * k)[of_column] - alpha
        scores = numbers(own) * logits / sigma_bill[of_column]
        logp = -pt.sum(scores**2) / 2 - pt.sum(numbers(own) * pt.log(sigma_bill[of_column]))
        if len(bridges.house):
            centre = (delta + side * k)[integers(bridges.senate_sitting)]
            expected = beta[house] * centre - alpha[house]
            distance = (logits[senate] - expected) / spread
            logp += -pt.sum(distance**2) / 2 - pt.sum(pt.log(spread))
        pm.Potential(f"bills_{'left' if side < 0 else 'right'}", logp)


def _start(careers: Careers, start: Start, held: Any, generator: np.random.Generator) -> Point:
    """Scores of each sitting, party means at -1 and +1; everything else jittered about 0."""
    n, n_columns = len(careers.sitting_of_row), len(careers.sitting_of_column)
    scores = generator.normal(size=n) if start.scores is None else start.scores[careers.rows]
    v = np.empty(n)
    for first, last in zip(careers.bounds[:-1], careers.bounds[1:], strict=True):
        party = careers.party_of_row[first:last].astype(np.int8)
        v[first:last] = centred_positions(scores[first:last], party)
    groups = groups_of(careers)
    deviations = [
        co.zero_sum_inverse(v[groups.of_row == g] - 2.0 * (g % 2) + 1.0)
        for g in range(len(groups.sizes))
        if g // 2 == careers.reference_sitting
    ]
    point = {
        "position": v[~held],
        "deviation": np.concatenate(deviations),
        "tau_log__": np.log(0.2) * np.ones(()),
        "mu_new": np.tile([-1.0, 1.0], len(careers.sittings)),
        "sigma_new_log__": np.full(len(PARTIES), np.log(0.3)),
        "plain_alpha": np.zeros(n_columns),
        "plain_beta": np.zeros(n_columns),
        "sigma_bill_log__": np.full(len(careers.sittings), np.log(3.0)),
    }
    if len(careers.bridges.house):
        point["sigma_dif_log__"] = np.full(len(careers.sessions), np.log(2.0))
    fixed = set() if start.scores is None else {"position", "deviation"}
    return jittered(point, generator, fixed)
