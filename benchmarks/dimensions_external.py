"""Two dimensions beside others' of the same votes: NOMINATE's, and those of pscl.

Canonical correlations of the two planes: the correlations of the best axis of one with the best
axis of the other, and of the next ones, whatever the rotation. The members file of Voteview has
NOMINATE's; for the 109th Senate pscl (Jackman) samples its own data (R; Debian: ``apt-get install
r-cran-pscl``)::

    python benchmarks/dimensions_external.py nominate FOLDER/S116_votes.csv.gz
    python benchmarks/dimensions_external.py pscl --iterations 5000
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample
from tallgrass.settings import load_settings

SCRIPT = Path(__file__).with_name("dimensions_pscl.R")


def ours(session: str) -> pd.DataFrame:
    """Posterior means of both axes by ICPSR number, and the R-hat of the run in ``attrs``."""
    spec = RunSpec(model="hierarchical", dims=2, session=session, chamber="senate")
    votes = read(spec, load_settings()).votes
    start = make_start(votes, "pca")
    sampled = sample(build_model(votes, spec, start), votes, SamplerSpec(seed=1))
    posterior = sampled.trace["posterior"]
    axes = {name: posterior[name].mean(("chain", "draw")).to_numpy() for name in ("xi", "xi_2")}
    numbers = [int(re.findall(r"\d+", slug)[-1]) for slug in votes.slugs]
    table = pd.DataFrame(axes, index=numbers)
    table.attrs["rhat"] = diagnose(sampled.trace).worst("rhat")
    return table


def nominate(votes: str) -> pd.DataFrame:
    """Both dimensions of NOMINATE for this Congress alone (Nokken and Poole 2004)."""
    members = pd.read_csv(re.sub(r"_votes\.csv(\.gz)?$", "_members.csv", votes))
    return members.set_index("icpsr")[["nokken_poole_dim1", "nokken_poole_dim2"]].dropna()


def pscl(iterations: int) -> pd.DataFrame:
    """Both dimensions by pscl."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["Rscript", SCRIPT, f"{folder}/ideal.csv", str(iterations)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return pd.read_csv(f"{folder}/ideal.csv").set_index("icpsr")


def canonical_correlations(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of two planes of points, shape (n, 2) each; largest first."""
    bases = [np.linalg.qr(x - x.mean(axis=0))[0] for x in (left, right)]
    return np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)


def main() -> None:
    """Sample, match by number, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("against", choices=["nominate", "pscl"])
    parser.add_argument("votes", nargs="?", default="sample")
    parser.add_argument("--iterations", type=int, default=5000)
    options = parser.parse_args()
    table = ours(options.votes)
    other = nominate(options.votes) if options.against == "nominate" else pscl(options.iterations)
    both = table.join(other[~other.index.duplicated()], how="inner")
    left, right = both.iloc[:, :2].to_numpy(), both.iloc[:, 2:].to_numpy()
    r = canonical_correlations(left, right)
    print(f"{len(both)} of {len(table)} members matched; R-hat {table.attrs['rhat']:.4f}")
    print(f"canonical correlations with {options.against}: {r[0]:.4f}, {r[1]:.4f}")
    axes = [abs(np.corrcoef(left[:, k], right[:, k])[0, 1]) for k in (0, 1)]
    print(f"|r| of the first axes {axes[0]:.4f}, of the second {axes[1]:.4f}")


if __name__ == "__main__":
    main()
