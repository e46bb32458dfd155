"""Simulated legislatures of known delta, k and deviations, fitted: do 90 % intervals hold them?

Run by hand for the long evidence, from the project's root:

    python tests/joint_recovery.py 50
"""

import sys

import numpy as np

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.chambers import join_chambers, joint_start
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.sources import SimulationDesign, simulate
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.trace import sample

NAMES = ("delta", "k", "sigma_dif")
DESIGN = SimulationDesign(
    house_members=40,
    senate_members=30,
    house_rollcalls=60,
    senate_rollcalls=50,
    matched=30,
    independents=0,
    delta=0.3,
    k=0.8,
    sigma_dif=1.5,
)


def covered(n: int) -> np.ndarray:
    """Whether the 90 % intervals of NAMES hold the truth, shape (n, 3)."""
    found = []
    for seed in range(n):
        legislature = simulate(seed, DESIGN)
        chambers, means = [], []
        for name in ("house", "senate"):
            chamber = legislature.chamber(name)
            chambers.append(filter_votes(chamber.votes, 0.0, 0, True)[0])
            party = chamber.votes.party_index
            means.append([chamber.xi[party == g].mean() for g in range(len(PARTIES))])
        joint = join_chambers(*chambers)
        start = joint_start(joint, "pca")
        model = build_model(joint, ModelSpec(model="joint"), start)
        sampler = SamplerSpec(draws=500, tune=500, chains=2, seed=seed)
        posterior = sample(model, joint.combined, sampler, start.scores).trace["posterior"]
        # The scale is the House members' own party means, not those they were drawn about.
        (left, right), (senate_left, senate_right) = means
        half = (right - left) / 2
        truth = {
            "delta": (senate_left + senate_right - left - right) / 2 / half,
            "k": (senate_right - senate_left) / 2 / half,
            "sigma_dif": DESIGN.sigma_dif,
        }
        row = []
        for name in NAMES:
            low, high = np.quantile(posterior[name].to_numpy(), [0.05, 0.95])
            row.append(low <= truth[name] <= high)
        found.append(row)
    return np.array(found)


if __name__ == "__main__":
    for name, share in zip(NAMES, covered(int(sys.argv[1])).mean(axis=0), strict=True):
        sys.stdout.write(f"{name}: coverage of 90 % {share:.3f}\n")
