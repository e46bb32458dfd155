"""Two-parameter logistic model of one chamber, its scale fixed by anchors.

    xi_i ~ N(0, 1),  two anchors or more held      alpha_j ~ N(0, 5),  beta_j ~ N(0, 1)
    logit P(yea) = beta_j xi_i - alpha_j

Source: Clinton, Jackman and Rivers (2004). In canonical coordinates the legislators' positions v
have group means -1 and +1; the highest anchor p and the lowest q then give ``xi = d + c v``,
``beta = b / c``, ``alpha = a + beta d`` with ``c = (x_p - x_q) / (v_p - v_q)`` and
``d = x_p - c v_p``. :mod:`tallgrass.rollcalls.models.anchored` has the coordinates of v.
"""

from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.anchors import Anchors, anchors_of
from tallgrass.rollcalls.models.anchored import ManyAnchors, TwoAnchors
from tallgrass.rollcalls.models.base import (
    Model,
    Point,
    add_likelihood,
    free_rollcalls,
    jittered,
    rollcall_start,
    textbook_rollcall_start,
    textbook_rollcalls,
    vote_coordinates,
)
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Start, centred_positions, two_groups
from tallgrass.rollcalls.votes import VoteMatrix

PUBLIC = ("xi", "alpha", "beta")
SPREAD = 0.15  # of chains' starting points about the scores, in units of half the gap of the groups


def build_flat(
    votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: Anchors | None = None
) -> Model:
    """The flat model of one chamber.

    Parameters
    ----------
    anchors : Anchors, optional
        Legislators that are held fixed, if not as the spec says.

    Raises
    ------
    DataError
        When no legislator can be an anchor, or more than two anchors leave nobody of a side free.
    """
    anchors = anchors or anchors_of(votes, start.pca, spec.anchors, spec.priors["beta"])
    build = _canonical if spec.coordinates == "canonical" else _textbook
    return build(votes, spec, start, anchors)


def _free_rows(n: int, anchors: Anchors) -> np.ndarray:
    return np.setdiff1d(np.arange(n), anchors.rows)


def _textbook(votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: Anchors) -> Model:
    n = len(votes.legislators)
    free = _free_rows(n, anchors)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        xi_free = pm.Normal("xi_free", 0, 1, shape=size(len(free)))
        anchored_xi = np.zeros(n)
        anchored_xi[list(anchors.rows)] = anchors.positions
        positions = pt.set_subtensor(numbers(anchored_xi)[integers(free)], xi_free)
        xi = pm.Deterministic("xi", positions, dims="legislator")
        alpha, beta = textbook_rollcalls(spec)
        add_likelihood(votes, spec.likelihood, xi, alpha, beta)
    scores = np.zeros(n) if start.scores is None else start.scores
    point = {"xi_free": scores[free], **textbook_rollcall_start(spec, len(votes.rollcalls))}
    fixed = set() if start.scores is None else {"xi_free"}
    model_start = partial(jittered, point, fixed=fixed)
    return Model(graph, PUBLIC, model_start, anchors.rows, anchors.positions)


def _canonical(votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: Anchors) -> Model:
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    groups = two_groups(votes, start.pca)
    n, n_rollcalls, n_anchors = len(votes.legislators), len(votes.rollcalls), len(anchors.rows)
    place = TwoAnchors(groups, anchors) if n_anchors == 2 else ManyAnchors(groups, anchors)
    highest, lowest = number(anchors.positions[0]), number(anchors.positions[-1])
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        v, of_highest, of_lowest = place.positions()
        c = (highest - lowest) / (of_highest - of_lowest)
        d = highest - c * of_highest
        log_c = pt.log(pt.abs(c))
        rollcalls, log_b = free_rollcalls(votes, priors["beta"], groups)
        a, b, log_beta = rollcalls.a, rollcalls.b, None
        if log_b is not None:
            # Positive beta = b / c: if the anchors are reversed, b changes its sign with c. The
            # intercept stays, because it is the logit at v = 0.
            b = pt.sign(c) * b
            log_beta = log_b - log_c
        beta = pm.Deterministic("beta", b / c, dims="rollcall")
        alpha = pm.Deterministic("alpha", a + beta * d, dims="rollcall")
        xi = d + c * v
        # Exactly where they are held: entries that rounding lets vary would have an R-hat.
        held = xi[integers(anchors.rows)].set(numbers(anchors.positions))
        pm.Deterministic("xi", held, dims="legislator")
        # The anchors are constants, so their prior density does not count.
        free = integers(_free_rows(n, anchors))
        jacobian = number(n + 1 - n_anchors - n_rollcalls)
        pm.Potential("positions", -pt.sum(xi[free] ** 2) / 2 + jacobian * log_c)
        pm.Potential("difficulty", co.prior_logp(priors["alpha"], alpha))
        pm.Potential(
            "discrimination",
            co.prior_logp(priors["beta"], beta, log_beta) + rollcalls.log_jacobian,
        )
        add_likelihood(votes, spec.likelihood, v, a, b)

    def chain_start(generator: np.random.Generator) -> Point:
        """Scores, spread a little, and roll calls fitted to them and jittered."""
        scores = generator.normal(size=n) if start.scores is None else start.scores
        first = centred_positions(scores, groups)
        first = centred_positions(first + SPREAD * generator.normal(size=n), groups)
        point = place.coordinates(first)
        fixed = set(point)
        point |= rollcall_start(votes, first, priors["beta"].positive, groups)
        return jittered(point, generator, fixed)

    return Model(graph, PUBLIC, chain_start, anchors.rows, anchors.positions)
