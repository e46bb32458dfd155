"""Simulation-based calibration of the dynamic model (Talts and others, 2018).

The truth is drawn from the model's prior by code that shares nothing with the model's two forms.
The prior is no sequence of draws, because the party means of the reference sitting are held, and
delta and k of the others, which are functions of the positions, have priors of their own: so
careers are drawn forward in time, and of many a few are taken by their weights (importance
resampling). Roll calls and votes follow. Ranks of the truth among the draws of the posterior are
then uniform.

    python tests/career_ranks.py 200 2
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
from scipy import stats
from scipy.special import expit
from toy_careers import toy_careers

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import sample

SIZES, ROLLCALLS = (5, 6), 20
SAMPLER = SamplerSpec(draws=2000, tune=500, chains=2)
RANKS = 100  # draws of the posterior among which the truth is ranked
BATCH, OF_A_BATCH = 400_000, 10
WIDEST = 5.0  # sigma_new, which is half-normal
MU_STEP, SIGMA_BILL = 0.5, 5.0  # of the defaults that the module of the model states


@cache
def careers_without_votes() -> Careers:
    """Three sessions of one chamber, the last of which sets the scale."""
    return toy_careers(sizes=SIZES, rollcalls=ROLLCALLS)


def members_prior(careers: Careers, n: int, generator: np.random.Generator) -> dict:
    """Draws of positions, tau, mu_new and sigma_new forward in time, and the logs of their weights.

    The last member of each party in the reference sitting stands where the party's mean asks for;
    the density of the step that this takes, or of the distance of a new member, is in the weight.
    The first axis of everything is that of the n draws.
    """
    links, rows = careers.links, len(careers.sitting_of_row)
    gaps = zip(links.current, links.previous, links.gap, strict=True)
    before = {int(current): (int(previous), float(gap)) for current, previous, gap in gaps}
    times = np.array([s.time for s in careers.sittings])
    reference, party = careers.reference_sitting, careers.party_of_row
    tau = 0.5 * np.abs(generator.normal(size=n))
    # More small ones than the prior has: their weights below have no bound.
    sigma = WIDEST * generator.random(size=(n, 2)) ** 2
    mu = np.empty((n, len(times), 2))
    mu[:, reference] = generator.normal(size=(n, 2)) + np.array([-1.0, 1.0])
    for t in range(reference - 1, -1, -1):
        step = MU_STEP * np.sqrt(times[t + 1] - times[t]) * generator.normal(size=(n, 2))
        mu[:, t] = mu[:, t + 1] + step
    x = np.empty((n, rows))
    log_weight = (-(sigma**2) / 2 + np.log(sigma) / 2).sum(axis=1)
    for row in range(rows):  # sitting after sitting, so that the one before is known
        t, g = int(careers.sitting_of_row[row]), int(party[row])
        kind, centre, spread = stats.norm, mu[:, t, g], sigma[:, g]
        if row in before:
            previous, gap = before[row]
            kind, centre, spread = stats.t(4), x[:, previous], tau * np.sqrt(gap)
        group = np.flatnonzero((careers.sitting_of_row == t) & (party == g))
        if t == reference and row == group[-1]:
            x[:, row] = (2 * g - 1) * len(group) - x[:, group[:-1]].sum(axis=1)
            log_weight += kind.logpdf((x[:, row] - centre) / spread) - np.log(spread)
        else:
            x[:, row] = centre + spread * kind.rvs(size=n, random_state=generator)
    scales = np.empty((2, n, len(times)))
    for t in range(len(times)):
        means = [x[:, (careers.sitting_of_row == t) & (party == g)].mean(axis=1) for g in (0, 1)]
        scales[:, :, t] = (means[0] + means[1]) / 2, (means[1] - means[0]) / 2
        if t != reference:
            half = np.maximum(scales[1, :, t], 1e-300)  # parties that change sides weigh nothing
            log_weight += -(scales[0, :, t] ** 2) / 2 - (np.log(half) / 0.5) ** 2 / 2
    drawn = {"x": x, "tau": tau, "sigma_new": sigma, "mu_new": mu.reshape(n, -1)}
    return drawn | {"delta": scales[0], "k": scales[1], "log_weight": log_weight}


def truths(n: int, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Independent draws of the prior, a few out of each batch."""
    careers, generator = careers_without_votes(), np.random.default_rng(seed)
    drawn: list[dict[str, np.ndarray]] = []
    while len(drawn) < n:
        batch = members_prior(careers, BATCH, generator)
        log_weight = batch.pop("log_weight")
        weight = np.exp(log_weight - log_weight.max())
        # So that few of a batch are its heaviest draw, whose weight has no bound.
        effective = weight.sum() ** 2 / (weight**2).sum()
        assert effective > 20 * OF_A_BATCH, effective
        chosen = generator.choice(BATCH, OF_A_BATCH, p=weight / weight.sum())
        drawn += [with_rollcalls({k: v[i] for k, v in batch.items()}, generator) for i in chosen]
    return drawn[:n]


def with_rollcalls(
    truth: dict[str, np.ndarray], generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """The truth with roll calls drawn by their logits at the party means."""
    of = careers_without_votes().sitting_of_column
    truth["sigma_bill"] = SIGMA_BILL * np.abs(generator.normal(size=3))
    left, right = truth["sigma_bill"][of] * generator.normal(size=(2, len(of)))
    truth["beta"] = (right - left) / (2 * truth["k"][of])
    truth["alpha"] = truth["beta"] * truth["delta"][of] - (left + right) / 2
    return truth


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
