"""Seeded draws of every model and engine, the last of each chain, as text (``golden/draws.txt``).

The file was made by commit 8e73e0b, before the rooms of the package were moved, on an x86-64
processor without AVX-512; the draws of the hierarchical model in canonical coordinates are of
December 2026, when its coordinates changed. Where draws change on purpose, the lines of that model
are made anew and the commit says why::

    .venv/bin/python tests/golden_draws.py > tests/golden/draws.txt
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from item_data import simulated_items
from toy import toy_model, toy_votes
from toy_chambers import toy_chambers

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import calibrate_gibbs, calibrate_map, calibrate_mml, calibrate_nuts
from tallgrass.rollcalls.chambers import joint_start
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample

KEPT = Path(__file__).parent / "golden" / "draws.txt"
# Few steps, so that rounding, which differs by processor, has little time to grow.
SHORT = SamplerSpec(draws=4, tune=20, chains=2, seed=11)
MODELS = {
    "flat canonical": {"model": "flat", "anchors": "auto"},
    "flat textbook": {"model": "flat", "anchors": "auto", "coordinates": "textbook"},
    "hierarchical canonical": {"model": "hierarchical"},
    "hierarchical textbook": {"model": "hierarchical", "coordinates": "textbook"},
    "hierarchical lognormal": {"model": "hierarchical", "beta_prior": "lognormal:0,1"},
    "joint anchored": {"model": "joint"},
    "joint without dif": {"model": "joint", "dif": False},
    "joint seed": {"model": "joint", "joint_form": "seed"},
    "nuts": {},
    "gibbs": {},
    "map": {},
    "mml": {},
}


def draws(name: str) -> dict[str, np.ndarray]:
    """By variable the last draw of each chain, or a point estimate."""
    if name in ("map", "mml"):
        data = simulated_items(n_users=60, n_items=8, n_anchors=2, per_user=6, seed=4)
        estimates = (
            calibrate_map(data.responses, data.anchors)
            if name == "map"
            else calibrate_mml(data.responses)
        )
        return {"a": estimates.a, "b": estimates.b}
    if name in ("nuts", "gibbs"):
        data = simulated_items(n_users=60, n_items=8, n_anchors=2, per_user=6, seed=4)
        if name == "nuts":
            trace = calibrate_nuts(data.responses, data.anchors, SHORT).trace
        else:
            trace = calibrate_gibbs(data.responses, data.anchors, SHORT, most_draws=4).trace
    elif MODELS[name]["model"] == "joint":
        joint = toy_chambers()
        start = joint_start(joint, "pca")
        model = build_model(joint, ModelSpec(**MODELS[name]), start)
        trace = sample(model, joint.combined, SHORT, start.scores).trace
    else:
        votes = toy_votes(5, 6, 9, seed=1)
        scores = make_start(votes, "pca").scores
        trace = sample(toy_model(votes, **MODELS[name]), votes, SHORT, scores).trace
    posterior = trace["posterior"].to_dataset().isel(draw=-1)
    return {str(name): posterior[name].to_numpy() for name in posterior.data_vars}


def lines(name: str) -> Iterator[str]:
    """One line a variable: its name, and its values with all their digits."""
    for variable, values in draws(name).items():
        numbers = " ".join(f"{value:.17g}" for value in np.ravel(values))
        yield f"{name}|{variable}|{numbers}"


def kept() -> dict[tuple[str, str], np.ndarray]:
    """The values of the file, by model and variable."""
    found = {}
    for line in KEPT.read_text("utf-8").splitlines():
        name, variable, numbers = line.split("|")
        found[name, variable] = np.array(numbers.split(), float)
    return found


if __name__ == "__main__":
    for model in MODELS:
        sys.stdout.writelines(f"{line}\n" for line in lines(model))
