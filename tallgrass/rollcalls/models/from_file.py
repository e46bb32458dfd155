"""A user's PyMC model of one chamber, where it is one that the tables of this wing are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tallgrass.errors import first_line
from tallgrass.rollcalls.models.base import Model
from tallgrass.rollcalls.votes import VoteMatrix

WING = {"xi": ("legislator",), "alpha": ("rollcall",), "beta": ("rollcall",)}

_DISTANCE = 0.1  # between the two points at which densities are compared
_TOLERANCE = 1e-6  # of a difference of log-likelihoods, relative

Variables = Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]


@dataclass(frozen=True)
class GivenModel(Model):
    """A model that nutpie or PyMC compiles and starts in its own way.

    Parameters
    ----------
    kept : mapping of str to (dimensions, shape)
        Variables that are kept.
    """

    kept: Variables = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and shape of every public variable."""
        return dict(self.kept)

    @property
    def n_parameters(self) -> int:
        """Number of free scalars."""
        if self.graph is None:  # a run that is finished from its draws
            return 0
        return sum(np.size(value) for value in self.graph.initial_point().values())


def given_model(graph: Any, kept: Variables) -> GivenModel:
    """The model with xi, alpha and beta first, then its other variables."""
    names = (*WING, *(name for name in kept if name not in WING))
    return GivenModel(graph, names, None, kept={name: kept[name] for name in names})


def drawn_model(names: Sequence[str]) -> GivenModel:
    """What stands for a model whose draws are there: its code is not run again."""
    return GivenModel(None, tuple(names), None)


def not_of_this_wing(graph: Any, kept: Variables, votes: VoteMatrix) -> str:
    """Why the wing's tables do not apply to a model; empty where they do.

    They do where ``xi`` is a number a legislator, ``alpha`` and ``beta`` a number a roll call, in
    the order of the votes, and the votes have the likelihood ``logit P(yea) = beta xi - alpha``.
    The latter is tried: the log-likelihoods must differ by the same amount between two points.
    """
    lengths = {"legislator": len(votes.legislators), "rollcall": len(votes.rollcalls)}
    for name, dims in WING.items():
        if name not in kept:
            return f"it has no variable {name}"
        if kept[name] != (dims, tuple(lengths[dim] for dim in dims)):
            of = " x ".join(map(str, kept[name][0])) or "no dimension"
            return f"{name} is by {of}, not by {dims[0]}"
    labels = {"legislator": votes.slugs, "rollcall": votes.vote_ids}
    for dim, names in labels.items():
        if list(map(str, graph.coords.get(dim) or ())) != list(map(str, names)):
            return f"the labels of {dim} are not those of the votes"
    try:
        return _other_likelihood(graph, votes)
    except Exception as error:
        return f"its likelihood cannot be evaluated ({first_line(error)})"


def _other_likelihood(graph: Any, votes: VoteMatrix) -> str:
    import pytensor

    terms = graph.observed_RVs or graph.potentials
    if not terms:
        return "no votes are observed in it"
    density = graph.logp(vars=list(terms), jacobian=False)
    wing = graph.replace_rvs_by_values([graph[name] for name in WING])
    inputs = graph.value_vars
    function = pytensor.function(
        inputs, [density, *wing], mode="FAST_COMPILE", on_unused_input="ignore"
    )
    generator = np.random.default_rng(0)
    first = graph.initial_point()
    given, expected = [], []
    for scale in (0.0, _DISTANCE):
        point = [
            first[value.name] + scale * generator.normal(size=np.shape(first[value.name]))
            if value in graph.continuous_value_vars
            else first[value.name]
            for value in inputs
        ]
        logp, xi, alpha, beta = function(*point)
        given.append(float(logp))
        expected.append(_log_likelihood(votes, xi, alpha, beta))
    if not np.isfinite(given).all():
        return "its density is not finite where it starts"
    change, wanted = given[1] - given[0], expected[1] - expected[0]
    if abs(change - wanted) > _TOLERANCE * max(abs(wanted), abs(given[0]), 1.0):
        return "its votes do not have the likelihood logit P(yea) = beta xi - alpha"
    return ""


def _log_likelihood(votes: VoteMatrix, xi: Any, alpha: Any, beta: Any) -> float:
    eta = np.outer(xi, beta) - np.asarray(alpha)
    signed = np.where(votes.cells == 0, np.inf, votes.cells * eta)
    return float(-np.logaddexp(0.0, -signed).sum())
