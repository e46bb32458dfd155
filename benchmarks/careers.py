"""The dynamic model on many sessions: seconds, memory and R-hat, on simulated votes.

python benchmarks/careers.py                       # 40 sessions x 100 members x 500 roll calls
python benchmarks/careers.py --sessions 7 --members 125 --rollcalls 250
python benchmarks/careers.py --sessions 7 --members 125 --rollcalls 250 --workers 2   # Dask workers
"""

import argparse
import resource
import sys
import time

import xarray as xr

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.sources.simulated_careers import CareerDesign, simulate_careers
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES, sample


def careers_of(options: argparse.Namespace) -> Careers:
    """The simulated sessions of one chamber."""
    design = CareerDesign(
        sessions=options.sessions,
        house_members=options.members,
        senate_members=0,
        rollcalls=options.rollcalls,
        matched=0,
    )
    sittings = tuple(
        Sitting(session, chamber, int(session[:4]) / 2, votes)
        for (session, chamber), votes in simulate_careers(options.seed, design).votes.items()
    )
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    return Careers(sittings, match_persons(seats))


def sampled_chains(options: argparse.Namespace, chains: int, seed: int) -> tuple[xr.DataTree, str]:
    """Draws of some chains, made in this process, and a line about what it took."""
    careers = careers_of(options)
    began = time.perf_counter()
    start = careers_start(careers, "pca")
    model = build_model(
        careers, RunSpec(model="dynamic", chamber="house", session="simulated"), start
    )
    prepared = time.perf_counter() - began
    sampler = SamplerSpec(draws=options.draws, tune=options.tune, chains=chains, seed=seed)
    sampled = sample(model, careers.combined, sampler, start.scores)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return sampled.trace, (
        f"{careers.combined.n_observations:,} votes, {model.n_parameters:,} parameters: "
        f"prepared in {prepared:.0f} s, compiled in {sampled.compile_s:.0f} s, {chains} x "
        f"({options.tune} + {options.draws}) draws in {sampled.sampling_s:.0f} s; "
        f"peak memory of the process {peak:,.0f} MiB"
    )


def on_workers(options: argparse.Namespace) -> list[tuple[xr.DataTree, str]]:
    """The chains dealt out to Dask workers, a process each, as one would to other machines."""
    from distributed import Client, LocalCluster

    chains = options.chains // options.workers
    with (
        LocalCluster(n_workers=options.workers, threads_per_worker=1) as cluster,
        Client(cluster) as client,
    ):
        jobs = [
            client.submit(sampled_chains, options, chains, options.seed + i, pure=False)
            for i in range(options.workers)
        ]
        return list(client.gather(jobs))


def main() -> None:
    """Simulate, sample, and print a line for every process, and one of all chains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (
        ("sessions", 40),
        ("members", 100),
        ("rollcalls", 500),
        ("draws", 300),
        ("tune", 300),
        ("chains", 4),
        ("seed", 1),
        ("workers", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    began = time.perf_counter()
    if options.workers:
        parts = on_workers(options)
    else:
        parts = [sampled_chains(options, options.chains, options.seed)]
    seconds = time.perf_counter() - began
    for _, line in parts:
        sys.stdout.write(line + "\n")
    posteriors = [
        tree["posterior"].to_dataset().drop_vars("chain", errors="ignore") for tree, _ in parts
    ]
    statistics = [
        tree["sample_stats"].to_dataset().drop_vars("chain", errors="ignore") for tree, _ in parts
    ]
    trace = parts[0][0].copy()
    trace["posterior"] = xr.DataTree(xr.concat(posteriors, "chain"))
    trace["sample_stats"] = xr.DataTree(xr.concat(statistics, "chain"))
    diagnostics = diagnose(trace, VARIABLES)
    sys.stdout.write(
        f"in all {seconds:.0f} s; R-hat {diagnostics.worst('rhat'):.4f}, "
        f"bulk ESS {diagnostics.worst('ess_bulk'):.0f}, "
        f"{diagnostics.steps_per_draw:.0f} steps a draw, "
        f"{sum(diagnostics.divergences)} divergences\n"
    )


if __name__ == "__main__":
    main()
