"""Simulation-based calibration of the dynamic model (Talts and others, 2018).

The truth is drawn from the model's prior by NUTS in raw steps of the careers, which shares no code
with the model's two forms: the model's prior is no sequence of draws, because the party means of
the reference sitting are held, and delta and k of the others, which are functions of the positions,
have priors of their own. Roll calls and votes follow from it. Ranks of the truth among the draws
of the posterior are then uniform.

    python tests/career_ranks.py 200 2
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy.special import expit
from toy_careers import toy_careers

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import sample

SIZES, ROLLCALLS = (5, 6), 20
SAMPLER = SamplerSpec(draws=1000, tune=500, chains=2)
RANKS = 100  # draws of the posterior among which the truth is ranked
MU_STEP, SIGMA_BILL = 0.5, 5.0  # of the defaults that the module of the model states


@cache
def careers_without_votes() -> Careers:
    """Three sessions of one chamber, the last of which sets the scale."""
    return toy_careers(sizes=SIZES, rollcalls=ROLLCALLS)


def members_prior(careers: Careers) -> pm.Model:
    """The prior of positions, tau, mu_new and sigma_new, in raw steps.

    A member of each party in the reference sitting stands where the party's mean asks for; the
    density of its own step, or of its distance as a new member, is a factor.
    """
    links, n = careers.links, len(careers.sitting_of_row)
    before = {
        int(b): (int(a), float(g))
        for a, b, g in zip(links.previous, links.current, links.gap, strict=True)
    }
    times = np.array([s.time for s in careers.sittings])
    reference, party = careers.reference_sitting, careers.party_of_row
    with pm.Model() as graph:
        tau = pm.HalfNormal("tau", 0.5)
        sigma = pm.HalfNormal("sigma_new", 1.0, shape=2)
        mu = {}
        for g in (0, 1):
            mu[reference, g] = pm.Normal(f"mu_{reference}_{g}", 2 * g - 1, 1.0)
            for t in range(reference - 1, -1, -1):
                step = pm.Normal(f"step_{t}_{g}")
                mu[t, g] = mu[t + 1, g] + MU_STEP * np.sqrt(times[t + 1] - times[t]) * step
        raw_new, raw_step = pm.Normal("raw_new", shape=n), pm.StudentT("raw_step", 4, shape=n)
        held = [
            np.flatnonzero((careers.sitting_of_row == reference) & (party == g))[-1] for g in (0, 1)
        ]
        x = []
        for row in range(n):  # sitting after sitting, so that the one before is known
            t, g = int(careers.sitting_of_row[row]), int(party[row])
            if row in before:
                centre, spread, raw = (
                    x[before[row][0]],
                    tau * np.sqrt(before[row][1]),
                    raw_step[row],
                )
            else:
                centre, spread, raw = mu[t, g], sigma[g], raw_new[row]
            if row in held:
                others = [i for i in range(n) if careers.sitting_of_row[i] == t and party[i] == g]
                others.remove(row)  # rows of a sitting come before it, and it is the last
                position = (2 * g - 1) * (len(others) + 1) - sum(x[i] for i in others)
                score = (position - centre) / spread
                kind = pm.StudentT.dist(4) if row in before else pm.Normal.dist()
                pm.Potential(f"held_{g}", pm.logp(kind, score) - pt.log(spread))
                x.append(position)
            else:
                x.append(centre + spread * raw)
        for t in range(len(careers.sittings)):
            means = [
                sum(x[i] for i in np.flatnonzero((careers.sitting_of_row == t) & (party == g)))
                / int(((careers.sitting_of_row == t) & (party == g)).sum())
                for g in (0, 1)
            ]
            delta, k = (means[0] + means[1]) / 2, (means[1] - means[0]) / 2
            pm.Deterministic(f"delta_{t}", delta)
            pm.Deterministic(f"k_{t}", k)
            if t != reference:
                log_k = pt.switch(k > 0, pt.log(pt.abs(k)), -np.inf)
                pm.Potential(f"scale_{t}", -(delta**2) / 2 - (log_k / 0.5) ** 2 / 2)
        pm.Deterministic("x", pt.stack(x))
        pm.Deterministic("mu_new", pt.stack([mu[t, g] for t in range(len(times)) for g in (0, 1)]))
    return graph


def truths(n: int, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Draws of the prior that are far apart in their chains."""
    careers = careers_without_votes()
    with members_prior(careers):
        trace = pm.sample(
            draws=max(2000, 20 * n), tune=1000, chains=4, cores=2, target_accept=0.95,
            random_seed=seed, progressbar=False, quiet=True, nuts_sampler="nutpie",
        )  # fmt: skip
    posterior = trace["posterior"].to_dataset().stack(s=("chain", "draw"))
    chosen = np.linspace(0, posterior.sizes["s"] - 1, n).astype(int)
    generator = np.random.default_rng(seed)
    drawn = []
    for s in chosen:
        truth = {
            name: posterior[name].to_numpy()[..., s] for name in ("x", "tau", "sigma_new", "mu_new")
        }
        for name in ("delta", "k"):
            truth[name] = np.array([posterior[f"{name}_{t}"].to_numpy()[s] for t in range(3)])
        truth["sigma_bill"] = SIGMA_BILL * np.abs(generator.normal(size=3))
        of = careers.sitting_of_column
        left, right = truth["sigma_bill"][of] * generator.normal(size=(2, len(of)))
        truth["beta"] = (right - left) / (2 * truth["k"][of])
        truth["alpha"] = truth["beta"] * truth["delta"][of] - (left + right) / 2
        drawn.append(truth)
    return drawn


def with_votes(truth: dict[str, np.ndarray], seed: int) -> Careers:
    """The careers with votes that the truth leads to."""
    careers = careers_without_votes()
    generator = np.random.default_rng(seed)
    p = expit(np.outer(truth["x"], truth["beta"]) - truth["alpha"])
    cells = np.where(generator.random(p.shape) < p, 1, -1).astype(np.int8)
    sittings = []
    for i, sitting in enumerate(careers.sittings):
        rows, columns = careers.sitting_of_row == i, careers.sitting_of_column == i
        of_sitting = cells[rows][:, columns]
        sittings.append(Sitting(sitting.session, sitting.chamber, sitting.time,
                                replace(sitting.votes, cells=of_sitting)))  # fmt: skip
    return Careers(tuple(sittings), careers.persons)


def ranked(task: tuple[dict[str, np.ndarray], int]) -> dict[str, np.ndarray]:
    """Rank of the truth among the draws of the posterior, by name."""
    truth, seed = task
    careers = with_votes(truth, seed)
    spec = RunSpec(model="dynamic", chamber="house", session="simulated")
    start = careers_start(careers, "pca")
    model = build_model(careers, spec, start)
    sampler = SAMPLER.model_copy(update={"seed": seed})
    posterior = sample(model, careers.combined, sampler, start.scores).trace["posterior"]
    drawn = posterior.to_dataset().stack(s=("chain", "draw"))
    x = drawn["xi"].to_numpy()[careers.rows]
    links = careers.links
    free = np.arange(len(careers.sittings)) != careers.reference_sitting
    pairs = {
        "positions": (x, truth["x"]),
        "changes": (x[links.current] - x[links.previous],
                    truth["x"][links.current] - truth["x"][links.previous]),
        "delta": (drawn["delta"].to_numpy()[free], truth["delta"][free]),
        "k": (drawn["k"].to_numpy()[free], truth["k"][free]),
        "tau": (drawn["tau"].to_numpy()[None], truth["tau"][None]),
        "mu_new": (drawn["mu_new"].to_numpy(), truth["mu_new"]),
        "sigma_new": (drawn["sigma_new"].to_numpy(), truth["sigma_new"]),
        "sigma_bill": (drawn["sigma_bill"].to_numpy(), truth["sigma_bill"]),
        "beta": (drawn["beta"].to_numpy()[careers.columns], truth["beta"]),
    }  # fmt: skip
    thin = np.linspace(0, drawn.sizes["s"] - 1, RANKS - 1).astype(int)
    return {
        name: (values[:, thin] < known[:, None]).sum(axis=1)
        for name, (values, known) in pairs.items()
    }


def many(n: int, workers: int = 1, seed: int = 1) -> dict[str, np.ndarray]:
    """Ranks between 0 and 99 of n truths by name, shape (n, size)."""
    tasks = [(truth, seed + i) for i, truth in enumerate(truths(n, seed))]
    if workers == 1:
        results = list(map(ranked, tasks))
    else:
        with ProcessPoolExecutor(workers) as pool:
            results = list(pool.map(ranked, tasks))
    return {name: np.stack([result[name] for result in results]) for name in results[0]}


if __name__ == "__main__":
    from tallgrass.lab.sbc.uniformity import p_value, tail_probability

    os.environ.setdefault("TALLGRASS_PROGRESS", "none")
    how_many, cores = (int(text) for text in (*sys.argv[1:], "200", "2")[:2])
    for name, ranks in many(how_many, cores).items():
        fractions = (ranks + 0.5) / RANKS
        covered = ((fractions > 0.05) & (fractions < 0.95)).mean()
        least = min(p_value(tail_probability(column), how_many) for column in fractions.T)
        chance = (
            1 - (1 - least) ** ranks.shape[1]
        )  # of the least of that many, were they independent
        sys.stdout.write(
            f"{name:11s} {ranks.shape[1]:3d} numbers, in 90 % {covered:.3f}, chance {chance:.3f}\n"
        )
