"""The dynamic model on many sessions: seconds, memory and R-hat, on simulated votes.

python benchmarks/careers.py                       # 40 sessions x 100 members x 500 roll calls
python benchmarks/careers.py --sessions 7 --members 125 --rollcalls 250
"""

import argparse
import resource
import sys
import time

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.sources.simulated_careers import CareerDesign, simulate_careers
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES, sample


def main() -> None:
    """Simulate, sample, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (
        ("sessions", 40),
        ("members", 100),
        ("rollcalls", 500),
        ("draws", 300),
        ("tune", 300),
        ("chains", 4),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    design = CareerDesign(
        sessions=options.sessions,
        house_members=options.members,
        senate_members=0,
        rollcalls=options.rollcalls,
        matched=0,
    )
    simulated = simulate_careers(options.seed, design)
    sittings = tuple(
        Sitting(session, chamber, int(session[:4]) / 2, votes)
        for (session, chamber), votes in simulated.votes.items()
    )
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    careers = Careers(sittings, match_persons(seats))
    began = time.perf_counter()
    start = careers_start(careers, "pca")
    spec = RunSpec(model="dynamic", chamber="house", session="simulated")
    model = build_model(careers, spec, start)
    prepared = time.perf_counter() - began
    sampler = SamplerSpec(
        draws=options.draws, tune=options.tune, chains=options.chains, seed=options.seed
    )
    sampled = sample(model, careers.combined, sampler, start.scores)
    diagnostics = diagnose(sampled.trace, VARIABLES)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{careers.combined.n_observations:,} votes, {model.n_parameters:,} parameters: "
        f"prepared in {prepared:.0f} s, compiled in {sampled.compile_s:.0f} s, {options.chains} x "
        f"({options.tune} + {options.draws}) draws in {sampled.sampling_s:.0f} s, "
        f"{diagnostics.steps_per_draw:.0f} steps a draw; R-hat {diagnostics.worst('rhat'):.4f}, "
        f"bulk ESS {diagnostics.worst('ess_bulk'):.0f}, "
        f"{sum(diagnostics.divergences)} divergences; peak memory {peak:,.0f} MiB\n"
    )


if __name__ == "__main__":
    main()
