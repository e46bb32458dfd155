"""Both chambers drawn from the anchored joint model's own prior, fitted, and ranked.

Run by hand for the long evidence, from the project's root:

    python tests/joint_simulation.py 200
"""

import sys
from dataclasses import replace

import numpy as np
from toy_chambers import toy_chambers

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.chambers import JointVotes, joint_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.joint_members import group_index
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.trace import sample

SPEC = ModelSpec(model="joint")
SAMPLER = SamplerSpec(draws=600, tune=800, chains=2, target_accept=0.95)
NAMES = ("delta", "log_k", "sigma_dif", "sigma_bill")
_KEPT = 100  # draws, so far apart that they are nearly independent


def design() -> JointVotes:
    """Names, parties and matched bills of every simulated legislature."""
    return toy_chambers(house=(9, 11), senate=(8, 10), rollcalls=(36, 30), matched=20)


def draw(joint: JointVotes, generator: np.random.Generator) -> tuple[dict, JointVotes]:
    """Parameters from the prior, and the votes of a legislature that has them."""
    delta, log_k = generator.normal(), 0.5 * generator.normal()
    k, sigma_bill = np.exp(log_k), abs(5 * generator.normal())
    sigma_dif, tau = abs(2 * generator.normal()), abs(generator.normal(size=4))
    group, v = group_index(joint), np.zeros(len(joint.combined.slugs))
    for g in range(4):
        # N(0, tau) in the n - 1 dimensions of the vectors of sum zero, about the party's centre
        y = tau[g] * generator.normal(size=(group == g).sum())
        v[group == g] = y - y.mean() + (2 * (g % 2) - 1)
    sides = np.array([-1.0, 1.0])[:, None]
    house = sigma_bill * generator.normal(size=(2, len(joint.house.rollcalls)))
    senate = sigma_bill * generator.normal(size=(2, len(joint.senate.rollcalls)))
    in_house, in_senate = joint.matched
    a, b = -house.sum(axis=0) / 2, (house[1] - house[0]) / 2
    expected = b[in_house] * (delta + sides * k) - a[in_house]
    senate[:, in_senate] = expected + sigma_dif * generator.normal(size=(2, len(in_house)))
    chambers = {}
    for name, logits in (("house", house), ("senate", senate)):
        votes = getattr(joint, name)
        positions = v[joint.rows[name]]
        a, b = -logits.sum(axis=0) / 2, (logits[1] - logits[0]) / 2
        eta = np.outer(positions, b) - a
        cells = np.where(generator.logistic(size=eta.shape) < eta, 1, -1)
        cells[generator.random(eta.shape) < 0.05] = 0
        chambers[name] = replace(votes, cells=cells.astype(np.int8))
    truth = {"delta": delta, "log_k": log_k, "sigma_dif": sigma_dif, "sigma_bill": sigma_bill}
    return truth, replace(joint, **chambers)


def ranks(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, int]:
    """Ranks of the truth among 100 draws, whether 90 % intervals hold it, and divergences.

    Shapes (n, parameters); the order of the parameters is NAMES.
    """
    joint, places, covered, divergent = design(), [], [], 0
    for number in range(n):
        generator = np.random.default_rng((seed, number))
        truth, votes = draw(joint, generator)
        start = joint_start(votes, "pca")
        sampler = SAMPLER.model_copy(update={"seed": number})
        model = build_model(votes, SPEC, start)
        trace = sample(model, votes.combined, sampler, start.scores).trace
        divergent += int(trace["sample_stats"]["diverging"].sum())
        posterior = trace["posterior"]
        row, inside = [], []
        for name in NAMES:
            values = np.log(posterior["k"]) if name == "log_k" else posterior[name]
            draws = values.to_numpy().ravel()
            thinned = draws[np.linspace(0, len(draws) - 1, _KEPT).astype(int)]
            row.append((thinned < truth[name]).sum())
            low, high = np.quantile(draws, [0.05, 0.95])
            inside.append(low <= truth[name] <= high)
        places.append(row)
        covered.append(inside)
    return np.array(places), np.array(covered), divergent


if __name__ == "__main__":
    from scipy.stats import kstest

    found, inside, bad = ranks(int(sys.argv[1]))
    for i, name in enumerate(NAMES):
        fractions = (found[:, i] + np.random.default_rng(0).random(len(found))) / (_KEPT + 1)
        p = kstest(fractions, "uniform").pvalue
        share = inside[:, i].mean()
        sys.stdout.write(f"{name}: coverage of 90 % {share:.3f}, uniform p = {p:.3f}\n")
    sys.stdout.write(f"{bad} divergences in {len(found)} fits\n")
