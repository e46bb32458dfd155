"""The dynamic model beside MCMCpack's (Martin and Quinn 2002), on the same votes in one run.

Printed are the correlation of positions in every session, and the effective draws a second of
both: bulk ESS of positions, standardised in every draw, of the least and of the middle one, by the
seconds of sampling with warm-up. Needs R with MCMCpack (Debian: ``apt-get install
r-cran-mcmcpack``)::

    python benchmarks/careers_mcmcpack.py --simulated 24x60 --iterations 5000
    python benchmarks/careers_mcmcpack.py --session 'data/kansas-like/*' --chamber senate
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.career_reading import read_careers
from tallgrass.rollcalls.careers import Careers, careers_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.sources.simulated_careers import CareerDesign, simulate_careers
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import sample
from tallgrass.settings import load_settings

SCRIPT = Path(__file__).with_suffix(".R")
ITERATIONS = 20_000  # MCMCpack's default


def theirs(careers: Careers, scores: np.ndarray, iterations: int) -> tuple[pd.DataFrame, float]:
    """Draws of MCMCpack by person and session (from 1), and its seconds.

    Parameters
    ----------
    careers : Careers
        Of one chamber.
    scores : ndarray, shape (n_member_sessions,)
        Where positions start, sitting after sitting; the outermost ones fix the direction.
    iterations : int
        Sweeps after a tenth as many of warm-up.
    """
    persons = np.array(careers.persons.of_seat)
    names = {person: f"p{i:04d}" for i, person in enumerate(dict.fromkeys(persons))}
    votes = pd.DataFrame(index=list(names.values()))
    columns = []
    for i, sitting in enumerate(careers.sittings):
        rows = [names[person] for person in persons[careers.sitting_of_row == i]]
        cells = np.where(sitting.votes.cells == 0, np.nan, sitting.votes.cells == 1)
        heads = [f"t{i + 1}v{j}" for j in range(cells.shape[1])]
        columns.append(pd.DataFrame(cells, index=rows, columns=heads))
    votes = pd.concat([votes, *columns], axis=1)
    start = pd.Series(scores).groupby(persons).mean()[list(names)]
    sign = pd.Series("", index=start.index)
    sign[start.idxmin()], sign[start.idxmax()] = "-", "+"
    with tempfile.TemporaryDirectory() as folder:
        votes.to_csv(f"{folder}/votes.csv", na_rep="NA", float_format="%.0f")
        sessions = np.repeat(np.arange(len(columns)) + 1, [c.shape[1] for c in columns])
        pd.DataFrame({"session": sessions}).to_csv(f"{folder}/sessions.csv", index=False)
        start_of = {"person": names.values(), "score": start.to_numpy(), "sign": sign.to_numpy()}
        pd.DataFrame(start_of).to_csv(f"{folder}/start.csv", index=False)
        subprocess.run(
            ["Rscript", SCRIPT, folder, str(iterations)], check=True, stdout=subprocess.DEVNULL
        )
        draws = pd.read_csv(f"{folder}/draws.csv")
        seconds = float(Path(folder, "seconds.txt").read_text())
    return draws, seconds


def simulated_careers(members: int, rollcalls: int) -> Careers:
    """Three sessions of a House whose members' positions are drawn."""
    design = CareerDesign(
        sessions=3, house_members=members, senate_members=0, rollcalls=rollcalls, matched=0
    )
    sittings = tuple(
        Sitting(session, chamber, int(session[:4]) / 2, votes)
        for (session, chamber), votes in simulate_careers(1, design).votes.items()
    )
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    return Careers(sittings, match_persons(seats))


def column_of(careers: Careers) -> list[str]:
    """The column of MCMCpack's draws of every member-session, sitting after sitting."""
    persons = careers.persons.of_seat
    names = {person: f"p{i:04d}" for i, person in enumerate(dict.fromkeys(persons))}
    return [
        f"theta.{names[person]}.t{sitting + 1}"
        for person, sitting in zip(persons, careers.sitting_of_row, strict=True)
    ]


def ess(draws: np.ndarray, sitting: np.ndarray) -> np.ndarray:
    """Bulk ESS of draws of shape (chain, draw, n), each session's standardised in every draw.

    MCMCpack fixes the direction of its scale, not its width, which wanders.
    """
    draws = draws.copy()
    for t in np.unique(sitting):
        own = draws[..., sitting == t]
        spread = own.std(axis=-1, keepdims=True)
        draws[..., sitting == t] = (own - own.mean(axis=-1, keepdims=True)) / spread
    return np.array([array_stats.ess(draws[..., i]) for i in range(draws.shape[-1])])


def main() -> None:
    """Read, sample both, and print a line a session and one of the effective draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--session", default="data/kansas-like/*")
    parser.add_argument(
        "--simulated", metavar="MEMBERSxROLLCALLS", help="three sessions of a House of this size"
    )
    parser.add_argument("--chamber", default="senate", choices=["house", "senate"])
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    options = parser.parse_args()
    spec = RunSpec(model="dynamic", session=options.session, chamber=options.chamber)
    if options.simulated:
        careers = simulated_careers(*map(int, options.simulated.split("x")))
    else:
        careers, _ = read_careers(spec, load_settings())
    start = careers_start(careers, "pca")
    model = build_model(careers, spec, start)
    began = time.perf_counter()
    trace = sample(model, careers.combined, SamplerSpec(seed=1), start.scores).trace
    seconds = time.perf_counter() - began
    xi = trace["posterior"]["xi"].to_numpy()[..., careers.rows]
    assert start.scores is not None
    draws, their_seconds = theirs(careers, start.scores[careers.rows], options.iterations)
    columns = column_of(careers)
    other = draws[columns].to_numpy()[None]
    for i, sitting in enumerate(careers.sittings):
        rows = careers.sitting_of_row == i
        r = np.corrcoef(xi.mean((0, 1))[rows], other.mean((0, 1))[rows])[0, 1]
        print(f"{sitting.session}: r {r:.4f} of {rows.sum()} members")
    rates = [ess(d, careers.sitting_of_row) / s for d, s in ((xi, seconds), (other, their_seconds))]
    for name, rate, s in zip(
        ("tallgrass", "MCMCpack"), rates, (seconds, their_seconds), strict=True
    ):
        print(
            f"{name}: {s:.1f} s, ESS a second: least {rate.min():.2f}, median {np.median(rate):.1f}"
        )
    print(f"ratio: least {rates[0].min() / rates[1].min():.0f}, "
          f"median {np.median(rates[0]) / np.median(rates[1]):.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
