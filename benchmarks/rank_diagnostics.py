"""R-hat and ESS of 10,000 parameters: ArviZ against ours on the same draws.

Run: python benchmarks/rank_diagnostics.py. ArviZ gets a tenth of the parameters, and its time is
scaled to all of them.
"""

import time

import arviz_stats as az
import numpy as np
import xarray as xr

from tallgrass.inference.ranks import TAILS, rank_diagnostics

N_CHAINS, N_DRAWS, N_PARAMETERS, SHARE = 4, 1000, 10_000, 10


def main() -> None:
    """Print seconds, their ratio, and the largest relative difference."""
    generator = np.random.default_rng(1)
    # Autocorrelated, like draws.
    draws = generator.normal(size=(N_CHAINS, N_DRAWS, N_PARAMETERS))
    for t in range(1, N_DRAWS):
        draws[:, t] = 0.5 * draws[:, t - 1] + np.sqrt(0.75) * draws[:, t]
    rank_diagnostics(draws[:, :, :2])  # machine code
    began = time.perf_counter()
    ours = rank_diagnostics(draws)
    ours_s = time.perf_counter() - began
    part = draws[:, :, : N_PARAMETERS // SHARE]
    data = xr.Dataset({"x": (("chain", "draw", "entry"), part)})
    began = time.perf_counter()
    theirs = [
        az.rhat(data)["x"].to_numpy(),
        az.ess(data, method="bulk")["x"].to_numpy(),
        az.ess(data, method="tail", prob=TAILS)["x"].to_numpy(),
    ]
    theirs_s = (time.perf_counter() - began) * SHARE
    apart = max(
        float(np.max(np.abs(mine[: part.shape[2]] / other - 1.0)))
        for mine, other in zip(ours, theirs, strict=True)
    )
    print(f"{N_PARAMETERS} parameters, {N_CHAINS} x {N_DRAWS} draws")
    print(
        f"ArviZ {theirs_s:.1f} s (from a {SHARE}th), ours {ours_s:.2f} s: {theirs_s / ours_s:.0f}"
    )
    print(f"largest relative difference {apart:.1e}")


if __name__ == "__main__":
    main()
