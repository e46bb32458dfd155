"""Time MAP and a sweep of Gibbs, up to ten million responses: python benchmarks/item_growth.py."""

import resource
import time

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import calibrate_gibbs, calibrate_map
from tallgrass.lab.benchmark.items import Size, simulate

N_ITEMS, PER_USER = 2000, 50


def main() -> None:
    """Print a line per size, with processor time, which other programs hardly affect."""
    short, long = (SamplerSpec(draws=draws, tune=10, chains=1) for draws in (10, 40))
    few = simulate(Size(60, 10, 0, 8), 1).responses
    calibrate_gibbs(few, None, short)  # machine code
    calibrate_map(few)
    for n_users in (20_000, 60_000, 200_000):
        responses = simulate(Size(n_users, N_ITEMS, 0, PER_USER), 1).responses
        began = time.process_time()
        estimates = calibrate_map(responses)
        map_s = time.process_time() - began
        times_s = []
        for spec in (short, long):
            began = time.process_time()
            calibrate_gibbs(responses, None, spec)
            times_s.append(time.process_time() - began)
        sweep_s = (times_s[1] - times_s[0]) / (long.draws - short.draws)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(
            f"{len(responses):>10,} responses: MAP {map_s:.1f} s, {estimates.iterations} passes; "
            f"Gibbs {1e3 * sweep_s:.1f} ms per sweep, {1e9 * sweep_s / len(responses):.1f} ns per "
            f"response; peak {peak:.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
