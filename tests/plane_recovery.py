"""Legislatures drawn from the model in two dimensions, sampled, and held against the truth.

The truth is a draw from the textbook form, so ranks of the truth among the posterior's draws are
uniform (simulation-based calibration; Talts and others, 2018) and intervals cover as they say. The
reflection of axis 2 is arbitrary: of numbers that change with it, the sign that agrees with the
posterior is taken.

    python tests/plane_recovery.py 200 2
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pymc as pm
from toy import toy_votes

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample

SIZES, ROLLCALLS = (12, 26), 150  # one party is small
# Parties that stand apart and are divided within, as in legislatures: else the axes could change
# places, or the two reflections of axis 2 meet.
SPEC = {
    "dims": 2,
    "model": "hierarchical",
    "mu_prior": "normal:0,3",
    "sigma_prior": "lognormal:-0.4,0.4",
    "beta_2_prior": "normal:0,1.5",
    "alpha_prior": "normal:0,1.5",
}
SAMPLER = SamplerSpec(draws=500, tune=500, chains=2)
MEMBERS = 12  # whose positions are ranked


NAMES = ["xi", "xi_2", "alpha", "beta", "beta_2", "sigma_within", "sigma_within_2", "mu_party"]


def simulated(seed, sizes=SIZES, rollcalls=ROLLCALLS):
    """Votes of a legislature drawn from the priors, and the truth by name."""
    empty = toy_votes(*sizes, rollcalls, seed=seed, missing=0.0)
    (truth,) = truths(empty, 1, seed)
    return voted(empty, truth, seed), truth


def truths(empty, n, seed):
    """n draws from the priors, by name: the graph takes longer to compile than a fit of it."""
    spec = ModelSpec(**SPEC, coordinates="textbook")
    graph = build_model(empty, spec, make_start(empty, "pca")).graph
    drawn = pm.draw([graph[name] for name in NAMES], draws=n, random_seed=seed)
    # A single draw has no axis of its own.
    return [
        {name: values if n == 1 else values[i] for name, values in zip(NAMES, drawn, strict=True)}
        for i in range(n)
    ]


def voted(empty, truth, seed):
    """The votes of a legislature that has these parameters."""
    logits = np.outer(truth["xi"], truth["beta"]) + np.outer(truth["xi_2"], truth["beta_2"])
    generator = np.random.default_rng(seed)
    yea = generator.random(logits.shape) < 1 / (1 + np.exp(truth["alpha"] - logits))
    cells = np.where(yea, 1, -1).astype(np.int8)
    cells[generator.random(cells.shape) < 0.05] = 0
    return replace(empty, cells=cells)


def one(seed, empty, truth):
    """Rank of the truth among 100 draws, and whether the 90 % interval has it, by name."""
    votes = voted(empty, truth, seed)
    model = build_model(votes, ModelSpec(**SPEC), make_start(votes, "pca"))
    sampled = sample(model, votes, SAMPLER.model_copy(update={"seed": seed}))
    posterior = sampled.trace["posterior"].to_dataset().stack(s=("chain", "draw"))
    draws = {name: posterior[name].to_numpy() for name in truth}
    if draws["xi_2"].mean(axis=1) @ truth["xi_2"] < 0:
        truth["xi_2"], truth["beta_2"] = -truth["xi_2"], -truth["beta_2"]
    quantities = {
        "xi": (draws["xi"][:MEMBERS], truth["xi"][:MEMBERS]),
        "xi_2": (draws["xi_2"][:MEMBERS], truth["xi_2"][:MEMBERS]),
        "sigma_within": (draws["sigma_within"], truth["sigma_within"]),
        "sigma_within_2": (draws["sigma_within_2"], truth["sigma_within_2"]),
        "mu_party": (draws["mu_party"], truth["mu_party"]),
        "scale_2": (np.sqrt((draws["beta_2"] ** 2).mean(0))[None], scale(truth["beta_2"])),
        "angle": angles(draws, truth),
    }
    ranks, covered = {}, {}
    for name, (drawn, true) in quantities.items():
        thin = drawn[:, :: drawn.shape[1] // 100][:, :100]
        ranks[name] = (thin < np.asarray(true)[:, None]).sum(axis=1)
        low, high = np.quantile(drawn, (0.05, 0.95), axis=1)
        covered[name] = (low <= true) & (true <= high)
    return ranks, covered


def scale(beta_2):
    return np.sqrt((beta_2**2).mean())[None]


def angles(draws, truth, few=10):
    """Angles of the first roll calls, about the true ones."""
    true = np.arctan2(truth["beta_2"], truth["beta"])[:few]
    drawn = np.arctan2(draws["beta_2"], draws["beta"])[:few]
    return np.angle(np.exp(1j * (drawn - true[:, None]))), np.zeros(few)


def many(n, workers=1, first=0):
    """Ranks and coverage of n legislatures, each joined by name."""
    empty = toy_votes(*SIZES, ROLLCALLS, seed=first, missing=0.0)
    given = range(first, first + n), [empty] * n, truths(empty, n, first)
    if workers == 1:
        results = list(map(one, *given))
    else:
        with ProcessPoolExecutor(workers) as pool:
            results = list(pool.map(one, *given))
    names = results[0][0]
    ranks = {name: np.stack([r[name] for r, _ in results]) for name in names}
    covered = {name: np.stack([c[name] for _, c in results]) for name in names}
    return ranks, covered


if __name__ == "__main__":
    from scipy import stats

    how_many, cores = (int(text) for text in (*sys.argv[1:], "200", "2")[:2])
    all_ranks, all_covered = many(how_many, cores)
    for name, r in all_ranks.items():
        p = [stats.chisquare(np.bincount(x // 10, minlength=11)[:10]).pvalue for x in r.T % 100]
        line = f"{name:15s} coverage {all_covered[name].mean():.3f}  least p {min(p):.4f}\n"
        sys.stdout.write(line)
