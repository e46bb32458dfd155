"""Simulation-based calibration of the item engines: python benchmarks/item_ranks.py gibbs 300."""

import sys
import time

from tallgrass.lab.sbc.item_ranks import rank_truth


def main() -> None:
    """Print the smallest p-value of tests that ranks are uniform."""
    engine, n_sets = sys.argv[1], int(sys.argv[2])
    began = time.perf_counter()
    ranks = rank_truth(engine, n_sets, seed=1)
    p = ranks.p_values
    print(f"{engine}: {n_sets} sets, {time.perf_counter() - began:.0f} s")
    print(f"smallest p-value {p.min():.4f} of {len(p)} ({ranks.names[int(p.argmin())]})")
    print(f"corrected for their number: {ranks.least_p:.3f}")


if __name__ == "__main__":
    main()
