"""The model as samplers take it, and parts that several models share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor
from numpy.typing import NDArray

from tallgrass.inference.constants import numbers, size
from tallgrass.inference.draws import dims_and_shapes, start_of
from tallgrass.inference.kernel.dense import vote_loglik
from tallgrass.inference.priors import PriorNumbers, PriorSpec
from tallgrass.rollcalls.coordinates import RollCalls, rollcalls_from_logits, rollcalls_positive
from tallgrass.rollcalls.groups import variable_names
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, rollcall_logits
from tallgrass.rollcalls.votes import VoteMatrix

Point = dict[str, Floats]  # unconstrained values by name of the free variable

NON_CENTRED = 20  # the deviations of fewer members are in units of their spread
SPREAD = 0.5  # of chains' starting points about the scores, in units of a typical spread
TYPICAL_SPREAD = 0.3  # within a party, in half gaps; for starts and as a unit, not a prior


@dataclass(frozen=True)
class Model:
    """A PyMC model, ready to sample.

    Parameters
    ----------
    graph : pymc.Model
        The graph, which contains the variables of ``public``.
    public : tuple of str
        Variables of the posterior group: xi, alpha, beta and, by model, mu_party, sigma_within.
    start : callable
        Random generator -> starting point of one chain: a value for every free variable, on the
        unconstrained scale, by the name of its value variable. None: the sampler starts as it does.
    anchors : tuple of int, optional
        Rows that are held fixed (flat model), the highest position first.
    anchor_positions : tuple of float
        Where they are held; by default +1 and -1.
    warnings : tuple of str
        What the user should know about this model on these votes.
    constants : mapping of str to (dimension, values)
        Other data about legislators or roll calls, stored with the draws.
    trajectory : str
        The steps that sample it well: ``leapfrog``, or ``normal`` for a nearly normal posterior.
    adaptation : str
        The mass matrix that samples it well: ``diag``, or ``draw_diag``.
    n_dummies : int
        Free scalars that are no parameters: no other density sees them.
    """

    graph: pm.Model
    public: tuple[str, ...]
    start: Callable[[np.random.Generator], Point] | None
    anchors: tuple[int, ...] | None = None
    anchor_positions: tuple[float, ...] = (1.0, -1.0)
    warnings: tuple[str, ...] = field(default=())
    constants: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    trajectory: str = "leapfrog"
    adaptation: str = "diag"
    n_dummies: int = 0

    @property
    def variables(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and shape of every public variable."""
        return dims_and_shapes(self.graph, self.public)

    @property
    def n_parameters(self) -> int:
        """Number of free scalars that are parameters."""
        free = sum(value.size for value in start_of(self)(np.random.default_rng(0)).values())
        return int(free) - self.n_dummies


def vote_coordinates(votes: VoteMatrix) -> dict[str, Any]:
    """PyMC coordinates that every model shares."""
    return {"legislator": votes.slugs, "rollcall": votes.vote_ids, "party": votes.groups}


def add_likelihood(
    votes: VoteMatrix, likelihood: str, v: Any, a: Any, b: Any, name: str = "votes"
) -> None:
    """Add the observed votes to the model: ``logit P(yea) = b_j v_i - a_j``.

    ``gather`` is the reference: one Bernoulli per observed vote, its parameters gathered by index.
    ``kernel`` is the same density in one pass over the matrix.
    """
    if likelihood == "gather":
        row, column = np.nonzero(votes.cells)
        yea = (votes.cells[row, column] > 0).astype(np.int64)
        pm.Bernoulli(name, logit_p=b[column] * v[row] - a[column], observed=yea)
    else:
        # A shared variable, not a constant: the compiled code does not depend on the votes.
        cells = pytensor.shared(votes.cells, name="vote_cells", borrow=True)
        pm.Potential(name, vote_loglik(cells, v, a, b))


def free_rollcalls(
    votes: VoteMatrix, prior: PriorSpec | PriorNumbers, groups: NDArray[np.int8]
) -> tuple[RollCalls, Any]:
    """Free variables of the roll calls, signed or positive; also log b if b is positive."""
    n = size(len(votes.rollcalls))
    if not prior.positive:
        logits = [pm.Flat(name, shape=n) for name in logit_names(votes)]
        return rollcalls_from_logits(*logits), None
    log_b, kappa = pm.Flat("log_b", shape=n), pm.Flat("kappa", shape=n)
    pivot = numbers(information_pivot(votes, groups))
    return rollcalls_positive(log_b, kappa, pivot), log_b


def logit_names(votes: VoteMatrix) -> tuple[str, str]:
    """The variables that hold the logits of roll calls at the centres of the two sides."""
    low, high = variable_names(votes.groups)[:2]
    return f"logit_{low}", f"logit_{high}"


class PartyShares(NamedTuple):
    """Votes of each group on every roll call, shape (2, n_rollcalls).

    ``share`` is the share p of yeas among n votes, after one vote of either kind is added;
    ``information`` is ``n p (1 - p)``, about the roll call's logit at the centre of the group.
    """

    share: Floats
    information: Floats


def party_shares(votes: VoteMatrix, groups: NDArray[np.int8]) -> PartyShares:
    """Share of yeas in each group, and its information."""
    cells = [votes.cells[groups == g] for g in (0, 1)]
    n = np.stack([(group != 0).sum(axis=0) for group in cells])
    share = (np.stack([(group > 0).sum(axis=0) for group in cells]) + 1) / (n + 2)
    return PartyShares(share, (n + 1) * share * (1 - share))


def information(votes: VoteMatrix, groups: NDArray[np.int8]) -> Floats:
    """Information of each group's votes about a roll call's logit, see :class:`PartyShares`."""
    return party_shares(votes, groups).information


def information_pivot(votes: VoteMatrix, groups: NDArray[np.int8]) -> Floats:
    """The position in [-1, 1] where the votes on each roll call are most informative.

    This is the mean of the party centres, weighted by their :func:`information`. Shape
    (n_rollcalls,).
    """
    left, right = information(votes, groups)
    return np.asarray((right - left) / (right + left))


def rollcall_start(votes: VoteMatrix, v: Floats, positive: bool, groups: NDArray[np.int8]) -> Point:
    """Starting values of the variables of :func:`free_rollcalls` given positions v."""
    a, b = rollcall_logits(votes, v, positive)
    if not positive:
        return dict(zip(logit_names(votes), (-b - a, b - a), strict=True))
    return {"log_b": np.log(b), "kappa": (b * information_pivot(votes, groups) - a) / (1 + b)}


def jittered(point: Point, generator: np.random.Generator, fixed: set[str] | None = None) -> Point:
    """The point with U(-1, 1) added to every variable that is not in ``fixed``."""
    fixed = fixed or set()
    return {
        name: value if name in fixed else value + generator.uniform(-1, 1, np.shape(value))
        for name, value in point.items()
    }


def textbook_rollcalls(spec: ModelSpec) -> tuple[Any, Any]:
    """The random variables alpha and beta with their priors."""
    priors = spec.priors
    alpha = priors["alpha"].variable("alpha", dims="rollcall")
    return alpha, priors["beta"].variable("beta", dims="rollcall")


def textbook_rollcall_start(spec: ModelSpec, n: int) -> Point:
    """Zeros for alpha and beta, unconstrained, by the names of their free variables."""
    beta = free_name(spec.priors["beta"], "beta")
    return {"alpha": np.zeros(n), beta: np.zeros(n)}


def free_name(prior: PriorSpec, name: str) -> str:
    """Name of the unconstrained variable that samples ``prior.variable(name)``."""
    if prior.distribution == "lognormal_reparam":
        return f"log_{name}"
    return f"{name}_log__" if prior.positive else name
