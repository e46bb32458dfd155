"""What draws=auto costs in bias and coverage, on simulated legislatures.

Run: python benchmarks/auto_draws.py 100. Parameters are drawn from the prior of the hierarchical
model and votes from them. Each legislature is sampled once, with the most draws; the rule then
looks at the draws as it would while they are made, as often as it ever may, and stops where they
are enough. The draws until then are compared with as many that no rule chose, and with the truth.
"""

import sys

import numpy as np

from tallgrass.inference.enough import ChainSoFar, Looks
from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.thresholds import Thresholds
from tallgrass.lab.sbc.truth import Design, draw_parameters, draw_votes
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample

LEGISLATORS, ROLLCALLS = 14, 100
SAMPLER = SamplerSpec(draws=8000, tune=500, chains=4)
STEP = 10  # draws between looks that the rule may take
LEVEL = 0.9
VARIABLES = ("xi", "alpha", "beta", "mu_party", "sigma_within")


def stopped_at(chains: list[ChainSoFar]) -> int:
    """Draws a chain at which the rule stops."""
    looks, most = Looks(Thresholds()), len(chains[0].draws)
    for n in range(STEP, most + 1, STEP):
        if looks.enough([ChainSoFar(*(part[:n] for part in one)) for one in chains], len(chains)):
            return n
    return most


def covered(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the central interval of draws (chain, draw, entry) holds the truth."""
    tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = np.quantile(draws.reshape(-1, draws.shape[2]), tails, axis=0)
    return (low <= truth) & (truth <= high)


def main(n: int) -> None:
    """Print draws, coverage, and errors of posterior means in Monte Carlo standard errors."""
    design = Design(parties=True, n_legislators=LEGISLATORS, n_rollcalls=ROLLCALLS)
    spec, stops, auto, fixed, errors = ModelSpec(model="hierarchical"), [], [], [], []
    for number in range(n):
        generator = np.random.default_rng((7, number))
        parameters = draw_parameters(spec, design, generator)
        votes = draw_votes(parameters, design, generator)
        start = make_start(votes, "pca")
        sampler = SAMPLER.model_copy(update={"seed": number})
        trace = sample(build_model(votes, spec, start), votes, sampler, start.scores).trace
        posterior, stats = trace["posterior"], trace["sample_stats"]
        draws = np.concatenate([posterior[name].to_numpy() for name in VARIABLES], axis=2)
        truth = np.concatenate([parameters[name] for name in VARIABLES])
        rows = zip(draws, stats["energy"].to_numpy(), stats["diverging"].to_numpy(), strict=True)
        stop = stopped_at([ChainSoFar(*row) for row in rows])
        until, late = draws[:, :stop], draws[:, -stop:]
        stops.append(stop)
        auto.append(covered(until, truth))
        fixed.append(covered(late, truth))  # of the same number, which no rule chose
        if 2 * stop <= draws.shape[1]:
            rest = draws[:, stop:]
            variance = [
                part.var((0, 1), ddof=1) / rank_diagnostics(part).ess_bulk for part in (until, rest)
            ]
            errors.append((until.mean((0, 1)) - rest.mean((0, 1))) / np.sqrt(sum(variance)))
    counted = np.array(stops)
    print(f"{n} legislatures, {LEGISLATORS} x {ROLLCALLS}, 4 chains")
    print(f"stopped at {np.median(counted):.0f} draws a chain ({counted.min()} to {counted.max()})")
    for name, hits in (("draws=auto", auto), ("as many, fixed", fixed)):
        means = np.array([one.mean() for one in hits])
        se = means.std(ddof=1) / np.sqrt(n)
        print(f"coverage of {LEVEL:.0%} intervals, {name}: {means.mean():.4f} (se {se:.4f})")
    z = np.concatenate(errors) if errors else np.full(2, np.nan)
    print(f"means against later draws, in standard errors: mean {z.mean():.3f}, sd {z.std():.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
