"""Which settings of nutpie draw most: tuning, target acceptance, trajectory, adaptation.

Run: python benchmarks/sampler_grid.py <folder of sessions> hierarchical 3. The models are flat,
hierarchical, joint and items, the last number is that of seeds; items are simulated, and the
folder is not looked at. Every fit of a setting is held against the default on the same votes and
seed. The least effective draws are counted for each evaluation of the gradient, tuning included,
which load of the machine does not change, and for each second, which it does. The mass matrix
low_rank, which gives a twentieth a second, is left to tallgrass bench --adaptations.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.draws import Sampled
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import judge
from tallgrass.items.engines.nuts import calibrate_nuts
from tallgrass.lab.benchmark.items import Size, simulate
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.prepare import pose
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.trace import VARIABLES, sample
from tallgrass.settings import Settings

OTHER = {"leapfrog": "normal", "normal": "leapfrog", "diag": "draw_diag", "draw_diag": "diag"}
# Trajectories and mass matrix of each model, where nothing is asked for.
USUAL = {
    "flat": ("leapfrog", "diag"),
    "hierarchical": ("leapfrog", "draw_diag"),
    "joint": ("normal", "diag"),
    "items": ("normal", "diag"),
}
ITEMS = (Size(1000, 100, 10, 20), Size(2000, 60, 15, 30))


class Fit(NamedTuple):
    """What one setting gave on one data set with one seed."""

    per_gradient: float
    per_second: float
    passed: bool


def settings_of(trajectory: str, adaptation: str) -> dict[str, dict[str, object]]:
    """The grid: tuning by target acceptance, and the other trajectory and mass matrix alone."""
    crossed = {
        f"tune {tune}, target {target}": {"tune": tune, "target_accept": target}
        for tune in (500, 1000, 1500)
        for target in (0.8, 0.9)
    }
    alone: dict[str, dict[str, object]] = {
        f"{OTHER[trajectory]} trajectories": {"trajectory": OTHER[trajectory]},
        OTHER[adaptation]: {"adaptation": OTHER[adaptation]},
    }
    return crossed | alone


def judged(sampled: Sampled, trace: xr.DataTree, variables: tuple[str, ...], scores: object) -> Fit:
    """Effective draws, and whether the draws pass; ``scores`` say which way is up, or None."""
    reflections = None if scores is None else audit(trace, scores)
    diagnostics = diagnose(trace, variables, reflections)
    groups = ("sample_stats", "warmup_sample_stats")
    gradients = sum(float(trace[group]["n_steps"].sum()) for group in groups)
    ess = float(diagnostics.table["ess_bulk"].min())
    passed = judge(diagnostics, Thresholds()).status == "pass"
    return Fit(ess / gradients, ess / sampled.sampling_s, passed)


def legislatures(folder: Path, model: str) -> Iterator[tuple[str, object]]:
    """Names and functions (sampler spec -> Fit) of the sessions' chambers."""
    for session in sorted(path for path in folder.iterdir() if path.is_dir()):
        for chamber in ("both",) if model == "joint" else ("house", "senate"):
            spec = RunSpec(session=str(session), chamber=chamber, model=model, baseline="none")
            data = read(spec, Settings(), None)
            posed = pose(spec, data, inspect=False)

            def fit(sampler: SamplerSpec, data=data, posed=posed) -> Fit:
                scores = posed.start.scores
                sampled = sample(posed.model, data.votes, sampler, scores)
                return judged(sampled, sampled.trace, VARIABLES, scores)

            yield f"{session.name} {chamber}", fit


def banks() -> Iterator[tuple[str, object]]:
    """The same of simulated items."""
    for size in ITEMS:
        truth = simulate(size, 1)

        def fit(sampler: SamplerSpec, truth=truth) -> Fit:
            sampled = calibrate_nuts(truth.responses, truth.anchors, sampler)
            return judged(sampled, sampled.trace, ("a", "b", "theta"), None)

        yield f"{size.n_users} users, {size.n_items} items", fit


def main(folder: Path, model: str, seeds: int) -> None:
    """Print a row for every setting: its ratios to the default, and how many fits pass."""
    data = list(banks() if model == "items" else legislatures(folder, model))
    grid = settings_of(*USUAL[model])
    fits: dict[str, list[Fit]] = {name: [] for name in grid}
    for _, fit in data:
        for seed in range(42, 42 + seeds):
            for name, chosen in grid.items():
                fits[name].append(fit(SamplerSpec(seed=seed, **chosen)))
    base = next(iter(grid))
    print(
        f"{model}, {len(data)} data sets, {seeds} seeds; ratios to {base}: median (least, largest)"
    )
    for name, found in fits.items():
        rows = [(a.per_gradient / b.per_gradient, a.per_second / b.per_second)
                for a, b in zip(found, fits[base], strict=True)]  # fmt: skip
        texts = [
            f"{np.median(x):.2f} ({min(x):.2f}, {max(x):.2f})" for x in zip(*rows, strict=True)
        ]
        n = sum(fit.passed for fit in found)
        print(f"| {name} | {texts[0]} | {texts[1]} | {n} of {len(found)} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
