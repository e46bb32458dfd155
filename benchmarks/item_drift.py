"""Are stated probabilities of drift right, and who is found: python benchmarks/item_drift.py map 8.

Simulated cohorts of 200, 600 and 2,000 users who answer 40 items each. 24 of the items are anchors,
a third of which moved by 0.3, a third by 0.6 and a third not at all; or with ``few`` 6 of 24 moved.
Anchors that drifted are dropped until nothing changes, as ``--purify`` does.
"""

import sys
import time

import numpy as np
import pandas as pd

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items import tables
from tallgrass.items.drift import drift_table, drifted_anchors, undrifted
from tallgrass.items.engines import (
    calibrate_gibbs,
    calibrate_linked,
    calibrate_map,
    calibrate_mml,
)
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.run import MOST_ROUNDS

FREE = PriorChoice(free=True)
N_ITEMS, N_ANCHORS = 40, 24
LIMIT = 0.25  # of b, the default of drift_b
SIZES = {200: 4, 600: 2, 2000: 1}  # users, and how many sets for one of the largest
BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
SAMPLER = SamplerSpec(draws=400, tune=100, chains=2, seed=1)


def simulated(n_users: int, moved: int, seed: int) -> tuple[Responses, Anchors, np.ndarray]:
    """Answers of a cohort 0.3 abler than the anchors', the anchors, and how much harder each is."""
    generator = np.random.default_rng(seed)
    log_a, b = 0.2 * generator.normal(size=N_ITEMS), generator.normal(size=N_ITEMS)
    theta = 0.3 + generator.normal(size=n_users)
    drift = np.zeros(N_ANCHORS)
    rows = generator.permutation(N_ANCHORS)[:moved]
    drift[rows] = np.repeat([0.3, 0.6], moved // 2) * generator.choice([-1, 1], moved)
    p = 1 / (1 + np.exp(-np.exp(log_a) * (theta[:, None] - b)))
    user, item = (x.ravel() for x in np.indices(p.shape))
    names = tuple(f"i{j:02d}" for j in range(N_ITEMS))
    right = (generator.random(p.shape) < p).ravel().astype(np.int8)
    responses = Responses(tuple(f"u{i:04d}" for i in range(n_users)), names, user, item, right)
    before = Anchors(names[:N_ANCHORS], np.exp(log_a[:N_ANCHORS]), b[:N_ANCHORS] - drift)
    return responses, before, drift


def calibrated(engine: str, responses: Responses, kept: Anchors | None) -> tables.Calibrated:
    """One calibration with these anchors."""
    priors = item_priors(responses, kept, FREE)
    if engine == "gibbs":
        drawn = calibrate_gibbs(responses, kept, SAMPLER, most_draws=400, choice=FREE)
        return tables.of_trace(drawn.trace, responses, priors)
    if engine == "map":
        found = calibrate_map(responses, kept, choice=FREE)
    elif engine == "mml":
        found = calibrate_linked(responses, kept)
    else:
        found = calibrate_mml(responses, fixed=kept)
    return tables.of_estimates(found, responses, priors)


def tried(engine: str, n_users: int, moved: int, seed: int) -> pd.DataFrame:
    """The table of drift of one cohort, with the true drift."""
    responses, anchors, drift = simulated(n_users, moved, seed)
    flagged: tuple[str, ...] = ()
    for _ in range(MOST_ROUNDS + 1):
        kept = undrifted(anchors, flagged)
        table = drift_table(
            calibrated(engine, responses, kept), responses, anchors, 0.2, LIMIT, FREE
        )
        found = drifted_anchors(table)
        if set(found) == set(flagged) or len(found) == N_ANCHORS:
            break
        flagged = found
    true = table["item"].map(dict(zip(anchors.items, drift, strict=True)))
    return table.assign(true=true, n_users=n_users, flagged=table["drifted"] | table["suspect"])


def main() -> None:
    """Print what was stated, what happened, and who was flagged."""
    engine, n_sets = sys.argv[1], int(sys.argv[2])
    moved = 6 if "few" in sys.argv[3:] else 16
    began = time.perf_counter()
    everything = pd.concat(
        tried(engine, n_users, moved, seed)
        for n_users, times in SIZES.items()
        for seed in range(times * n_sets)
    )
    everything["exceeds"] = everything["true"].abs() > LIMIT
    print(f"{engine}, {moved} of {N_ANCHORS} anchors moved: {time.perf_counter() - began:.0f} s\n")
    for n_users, rows in everything.groupby("n_users"):
        print(f"{n_users} responses an item, {len(rows)} anchors")
        share = rows.groupby(rows["true"].abs())["flagged"].mean()
        print("  flagged: " + ", ".join(f"{d:g}: {100 * v:.0f} %" for d, v in share.items()))
        stated = pd.cut(rows["p_b"], BINS, include_lowest=True)
        for _, part in rows.groupby(stated, observed=True):
            print(f"  stated {part['p_b'].mean():.2f}, happened {part['exceeds'].mean():.2f} "
                  f"({len(part)})")  # fmt: skip
        a = rows["p_a"]  # no a changed
        often = (a > 0.8).mean()
        print(f"  of a, which never changed: stated {a.mean():.2f}, above 0.8 in {often:.3f}")


if __name__ == "__main__":
    main()
