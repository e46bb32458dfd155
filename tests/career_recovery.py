"""Simulated careers of known positions, fitted: do 90 % intervals hold the truth?

Run by hand for the long evidence, from the project's root:

    python tests/career_recovery.py 100
"""

import sys

import numpy as np

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.sources.simulated_careers import CareerDesign, simulate_careers
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES, sample

NAMES = ("positions", "changes", "gap", "tau")
HOUSE = CareerDesign(
    sessions=4, house_members=50, senate_members=0, rollcalls=100, matched=0, drift=0.1, switchers=2
)
BOTH = CareerDesign(
    sessions=3, house_members=40, senate_members=24, rollcalls=80, matched=20, chamber_changes=4
)


def careers_of(simulated) -> Careers:
    """The simulated sittings, nothing filtered."""
    sittings = tuple(
        Sitting(session, chamber, int(session[:4]) / 2, votes)
        for (session, chamber), votes in simulated.votes.items()
    )
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    return Careers(sittings, match_persons(seats))


def covered(n: int, design: CareerDesign = HOUSE, draws: int = 500) -> tuple[np.ndarray, list]:
    """Share of the 90 % intervals that hold the truth, shape (n, 4), and R-hat of every fit."""
    shares, rhats = [], []
    for seed in range(n):
        simulated = simulate_careers(seed, design)
        careers = careers_of(simulated)
        chamber = "both" if careers.both else "house"
        spec = RunSpec(model="dynamic", chamber=chamber, session="simulated")
        start = careers_start(careers, "pca")
        model = build_model(careers, spec, start)
        sampler = SamplerSpec(draws=draws, tune=400, chains=2, seed=seed)
        trace = sample(model, careers.combined, sampler, start.scores).trace
        rhats.append(diagnose(trace, VARIABLES).worst("rhat"))
        posterior = trace["posterior"]
        xi = posterior["xi"].to_numpy().reshape(-1, len(careers.rows))[:, careers.rows]
        truth = np.concatenate([simulated.x[s.session, s.chamber] for s in careers.sittings])
        links = careers.links
        k = posterior["k"].to_numpy().reshape(-1, len(careers.sittings))
        free = np.arange(len(careers.sittings)) != careers.reference_sitting
        scales = [simulated.scale(s.session, s.chamber)[1] for s in careers.sittings]
        pairs = (
            (xi, truth),
            (xi[:, links.current] - xi[:, links.previous],
             truth[links.current] - truth[links.previous]),
            (k[:, free], np.array(scales)[free]),
            (posterior["tau"].to_numpy().reshape(-1, 1), np.array([simulated.tau])),
        )  # fmt: skip
        row = []
        for values, known in pairs:
            low, high = np.quantile(values, [0.05, 0.95], axis=0)
            row.append(((low <= known) & (known <= high)).mean())
        shares.append(row)
    return np.array(shares), rhats


if __name__ == "__main__":
    for label, design in (("one chamber", HOUSE), ("both chambers", BOTH)):
        found, rhats = covered(int(sys.argv[1]), design)
        for name, share in zip(NAMES, found.mean(axis=0), strict=True):
            sys.stdout.write(f"{label}, {name}: coverage of 90 % {share:.3f}\n")
        worst = np.quantile(rhats, [0.5, 1.0])
        sys.stdout.write(f"{label}, R-hat: median {worst[0]:.3f}, highest {worst[1]:.3f}\n")
        sys.stdout.flush()
