"""Small legislatures, numeric Jacobians and densities, for the tests of the numeric core."""

from functools import cached_property
from typing import Any

import numpy as np
import pytensor

from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models import Model, build_model
from tallgrass.rollcalls.models.group_members import DUMMIES
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

# The priors of the discriminations, with parameters that no default could stand in for.
BETA = ["normal:0.4,1.3", "lognormal:0.2,0.7", "lognormal_reparam:-0.3,0.9", "halfnormal:1.4"]
# (alpha, mu, sigma): the defaults; means that are not zero; spreads that are log-normal.
OTHER = [
    ("normal:0,5", "normal:0,2", "halfnormal:1"),
    ("normal:-1.5,2", "normal:0.8,1.2", "lognormal:-0.4,0.6"),
    ("normal:2,0.7", "normal:-0.5,0.5", "lognormal_reparam:0.3,0.5"),
]

# Democrats, Republicans and roll calls of the legislatures that tests sample. All are of this size
# where the size is not what is tested.
USUAL = (7, 8, 30)


def spec_priors(beta: str, other: tuple[str, str, str] = OTHER[1]) -> dict[str, str]:
    """The priors as parameters of ModelSpec."""
    return {
        "beta_prior": beta,
        **dict(zip(["alpha_prior", "mu_prior", "sigma_prior"], other, strict=True)),
    }


def toy_votes(
    democrats: int,
    republicans: int,
    rollcalls: int,
    seed: int = 0,
    missing: float = 0.1,
    independents: int = 0,
) -> VoteMatrix:
    """Votes of two parties about -1 and +1, members of the parties mixed in the rows."""
    generator = np.random.default_rng(seed)
    party = np.repeat([0, 1, -1], [democrats, republicans, independents])
    generator.shuffle(party)
    n = len(party)
    xi = np.where(party < 0, 0.0, 2.0 * party - 1.0) + 0.4 * generator.normal(size=n)
    beta, alpha = 2.0 * generator.normal(size=rollcalls), generator.normal(size=rollcalls)
    p_yea = 1 / (1 + np.exp(alpha - np.outer(xi, beta)))
    cells = np.where(generator.random(p_yea.shape) < p_yea, 1, -1)
    cells[generator.random(p_yea.shape) < missing] = 0
    names = (*PARTIES, "Independent")
    return VoteMatrix(
        cells.astype(np.int8),
        tuple(Legislator(f"m{i:03d}", f"Member {i}", names[g]) for i, g in enumerate(party)),
        tuple(RollCall(f"v{j:04d}", f"HB {j}") for j in range(rollcalls)),
        "toy",
        "house",
    )


def usual_votes(seed: int = 0) -> VoteMatrix:
    """Votes of the usual size."""
    return toy_votes(*USUAL, seed=seed)


def toy_model(votes: VoteMatrix, init: str = "pca", **spec: str) -> Model:
    """The model of these votes; ``spec`` holds the parameters of ModelSpec that differ."""
    return build_model(votes, ModelSpec(**spec), make_start(votes, init))


def numeric_jacobian(function, x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Matrix of derivatives d function_i / d x_j, by differences of the fourth order."""
    columns = []
    for direction in np.eye(len(x)):
        near, far = (
            np.asarray(function(x + h * direction)) - np.asarray(function(x - h * direction))
            for h in (step, 2 * step)
        )
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=-1)


def log_determinant(function, x: np.ndarray, step: float = 1e-3) -> float:
    """log |det| of the numeric Jacobian of a map from R^n to R^n."""
    jacobian = numeric_jacobian(function, x, step)
    assert jacobian.shape == (len(x), len(x)), "the map does not keep the number of dimensions"
    return float(np.linalg.slogdet(jacobian)[1])


def compiled(build: Any, *inputs: Any) -> Any:
    """The graph that ``build`` makes of these variables, as a function of NumPy values."""
    outputs = build(*inputs)
    return pytensor.function(list(inputs), outputs, mode="FAST_COMPILE", on_unused_input="ignore")


def assert_constant(values: Any, tolerance: float = 1e-8) -> None:
    """The values differ by rounding only."""
    assert np.ptp(values) < tolerance, values


class Density:
    """A model as functions of one flat vector: its log-density, and what the user sees."""

    def __init__(self, model):
        self.model, graph = model, model.graph
        start = model.start(np.random.default_rng(0))
        self.shapes = {value.name: np.shape(start[value.name]) for value in graph.value_vars}
        self.how = {"inputs": graph.value_vars, "point_fn": True, "mode": "FAST_COMPILE"}

    @cached_property
    def of_point(self):
        return self.model.graph.compile_fn(self.model.graph.logp(), **self.how)

    @cached_property
    def public_of_point(self):
        graph = self.model.graph
        public = graph.replace_rvs_by_values([graph[name] for name in self.model.public])
        return graph.compile_fn(public, **self.how)

    def flat(self, point):
        return np.concatenate([np.ravel(point[name]) for name in self.shapes])

    def point(self, z):
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        parts = np.split(z, ends[:-1])
        return {
            name: part.reshape(shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def logp(self, z):
        return float(self.of_point(self.point(z)))

    def public(self, z):
        return dict(zip(self.model.public, self.public_of_point(self.point(z)), strict=True))

    def textbook(self, z):
        """The textbook variables as one vector, the anchors left out; then the dummies."""
        values = self.public(z)
        if self.model.anchors is not None:
            values["xi"] = np.delete(values["xi"], self.model.anchors)
        return np.concatenate([*(values[name] for name in self.model.public), self.dummies(z)])

    @cached_property
    def dummies_of_point(self):
        graph = self.model.graph
        dummies = graph.replace_rvs_by_values([graph[DUMMIES]])
        return graph.compile_fn(dummies, **self.how, on_unused_input="ignore")

    def dummies(self, z):
        """Free scalars that are no parameters, each N(0, 1); few models have any."""
        if DUMMIES not in self.model.graph.named_vars:
            return np.empty(0)
        return self.dummies_of_point(self.point(z))[0]
