"""Two-parameter logistic model of one chamber, its scale fixed by two anchors.

    xi_i ~ N(0, 1),  two anchors at +1 and -1      alpha_j ~ N(0, 5),  beta_j ~ N(0, 1)
    logit P(yea) = beta_j xi_i - alpha_j

Source: Clinton, Jackman and Rivers (2004). In canonical coordinates the legislators' positions v
have group means -1 and +1; the anchors p and q then give ``xi = d + c v``, ``beta = b / c``,
``alpha = a + beta d`` with ``c = 2 / (v_p - v_q)`` and ``d = 1 - c v_p``.
"""

from functools import partial

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from tallgrass.rollcalls import coordinates as co
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
from tallgrass.rollcalls.start import Start, centred_positions, choose_anchors, two_groups
from tallgrass.rollcalls.votes import VoteMatrix

PUBLIC = ("xi", "alpha", "beta")
SPREAD = 0.15  # of chains' starting points about the scores, in units of half the gap of the groups
_GROUPS = ("left", "right")


def build_flat(
    votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: tuple[int, int] | None = None
) -> Model:
    """The flat model of one chamber; its two anchors are chosen by PCA score.

    Parameters
    ----------
    anchors : tuple of int, optional
        Rows at +1 and -1, if they are not to be chosen from the votes.

    Raises
    ------
    DataError
        When no legislator can be an anchor.
    """
    anchors = anchors or choose_anchors(votes, start.pca)
    build = _canonical if spec.coordinates == "canonical" else _textbook
    return build(votes, spec, start, anchors)


def _free_rows(n: int, anchors: tuple[int, int]) -> np.ndarray:
    return np.setdiff1d(np.arange(n), anchors)


def _textbook(votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: tuple[int, int]) -> Model:
    n = len(votes.legislators)
    free = _free_rows(n, anchors)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        xi_free = pm.Normal("xi_free", 0, 1, shape=n - 2)
        anchored_xi = np.zeros(n)
        anchored_xi[list(anchors)] = 1.0, -1.0
        positions = pt.set_subtensor(pt.as_tensor(anchored_xi)[free], xi_free)
        xi = pm.Deterministic("xi", positions, dims="legislator")
        alpha, beta = textbook_rollcalls(spec)
        add_likelihood(votes, spec.likelihood, xi, alpha, beta)
    scores = np.zeros(n) if start.scores is None else start.scores
    point = {"xi_free": scores[free], **textbook_rollcall_start(spec, len(votes.rollcalls))}
    fixed = set() if start.scores is None else {"xi_free"}
    return Model(graph, PUBLIC, partial(jittered, point, fixed=fixed), anchors)


def _canonical(votes: VoteMatrix, spec: ModelSpec, start: Start, anchors: tuple[int, int]) -> Model:
    priors = spec.priors
    groups = two_groups(votes, start.pca)
    n, n_rollcalls = len(votes.legislators), len(votes.rollcalls)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        deviations = [
            pm.Flat(f"deviation_{name}", shape=int(np.sum(groups == g)) - 1)
            for g, name in enumerate(_GROUPS)
        ]
        v = co.standardised_positions(deviations, groups)
        rows = pytensor.shared(np.array(anchors), name="anchors")
        c = 2.0 / (v[rows[0]] - v[rows[1]])
        d = 1.0 - c * v[rows[0]]
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
        xi = pm.Deterministic("xi", d + c * v, dims="legislator")
        # The anchors are constants, so their prior density does not count.
        free = pytensor.shared(_free_rows(n, anchors), name="free_rows")
        pm.Potential("positions", -pt.sum(xi[free] ** 2) / 2 + (n - 1 - n_rollcalls) * log_c)
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
        point = {
            f"deviation_{name}": co.zero_sum_inverse(first[groups == g] - 2.0 * g + 1.0)
            for g, name in enumerate(_GROUPS)
        }
        fixed = set(point)
        point |= rollcall_start(votes, first, priors["beta"].positive, groups)
        return jittered(point, generator, fixed)

    return Model(graph, PUBLIC, chain_start, anchors)
