"""Draw the parameters of a model from its prior, and votes from the parameters, in plain NumPy.

This states the models a second time, without PyMC, the kernel or canonical coordinates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.hierarchical import spread_priors
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

Floats = NDArray[np.float64]

ABSENCE = 0.05  # share of the votes that are missing, for reasons unrelated to positions
LEAST_GAP = 1.0  # between the mean positions of the members of the two parties
_MOST_DRAWS = 10_000  # from the prior, until the parties stand that far apart


@dataclass(frozen=True)
class Design:
    """Who votes on how many roll calls.

    With a party level, the first half are Democrats. Without, nobody has a party: the flat prior
    knows none, and its two halves are then those of the PCA order.
    """

    parties: bool
    n_legislators: int
    n_rollcalls: int

    @property
    def party(self) -> NDArray[np.int64]:
        """0 for the first half, 1 for the others; shape (n_legislators,)."""
        return (np.arange(self.n_legislators) >= self.n_legislators // 2).astype(np.int64)

    @property
    def anchors(self) -> tuple[int, int] | None:
        """Rows at +1 and -1, fixed beforehand: anchors chosen by the votes have no prior."""
        return None if self.parties else (self.n_legislators - 1, 0)

    def separated(self, xi: Floats) -> NDArray[np.bool_]:
        """Whether the parties' members stand at least LEAST_GAP apart, lower party first.

        Shape of xi without its last axis. True of everything without a party level.
        """
        if not self.parties:
            return np.ones(xi.shape[:-1], bool)
        left, right = (xi[..., self.party == g].mean(axis=-1) for g in (0, 1))
        return np.asarray(right - left >= LEAST_GAP)


def draw_parameters(
    spec: ModelSpec, design: Design, generator: np.random.Generator
) -> dict[str, Floats]:
    """One draw of every variable of the model from the prior, given :meth:`Design.separated`.

    Raises
    ------
    SpecError
        When the prior hardly ever sets the parties that far apart.
    """
    for _ in range(_MOST_DRAWS):
        drawn = _draw_positions(spec, design, generator)
        if design.separated(drawn["xi"]):
            for name in ("alpha", "beta"):
                drawn[name] = _draw(spec.priors[name], design.n_rollcalls, generator)
            return drawn
    raise SpecError(
        f"in {_MOST_DRAWS} draws from the prior the parties never stood {LEAST_GAP:g} apart",
        spec.mu_prior,
        "use a wider mu_prior",
    )


def draw_votes(
    parameters: dict[str, Floats], design: Design, generator: np.random.Generator
) -> VoteMatrix:
    """Votes with ``P(yea) = 1 / (1 + exp(alpha - beta xi))``, a few of them missing."""
    logits = np.multiply.outer(parameters["xi"], parameters["beta"]) - parameters["alpha"]
    cells = np.where(generator.logistic(size=logits.shape) < logits, 1, -1)
    cells[generator.random(logits.shape) < ABSENCE] = 0
    members = tuple(
        Legislator(f"member_{i:04d}", f"Member {i}", PARTIES[g] if design.parties else "")
        for i, g in enumerate(design.party)
    )
    rollcalls = tuple(RollCall(f"rollcall_{j:04d}") for j in range(design.n_rollcalls))
    return VoteMatrix(cells, members, rollcalls, "simulation check", "house")


def log_likelihood(cells: NDArray[np.int8], xi: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Log-likelihood of the votes in every draw; xi (draws, n), alpha and beta (draws, m)."""
    logits = cells * (xi[:, :, None] * beta[:, None, :] - alpha[:, None, :])
    return np.asarray(np.sum(-np.logaddexp(0, -logits), axis=(1, 2), where=cells != 0))


def _draw_positions(
    spec: ModelSpec, design: Design, generator: np.random.Generator
) -> dict[str, Floats]:
    if design.anchors is not None:
        xi = generator.normal(size=design.n_legislators)
        xi[list(design.anchors)] = 1.0, -1.0
        return {"xi": xi}
    mu = np.sort(_draw(spec.priors["mu"], 2, generator))
    sizes = np.bincount(design.party)
    sigma = np.concatenate([_draw(p, 1, generator) for p in spread_priors(spec, sizes)])
    xi = generator.normal(mu[design.party], sigma[design.party])
    return {"xi": xi, "mu_party": mu, "sigma_within": sigma}


def _draw(prior: PriorSpec, n: int, generator: np.random.Generator) -> Floats:
    if prior.distribution == "halfnormal":
        return np.abs(generator.normal(0.0, prior.sigma, n))
    values = generator.normal(prior.mu, prior.sigma, n)
    return values if prior.distribution == "normal" else np.exp(values)
