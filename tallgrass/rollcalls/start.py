"""Starting points of chains and the direction of the scale: PCA scores, anchors, first logits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.votes import VoteMatrix

Floats = NDArray[np.float64]

ANCHOR_PARTICIPATION = 0.5  # an anchor has cast at least this share of the votes
_RIDGE = 1 / 9.0  # precision of N(0, 3) on the logits at the party centres, for the start only
_NEWTON_STEPS = 8
_LEAST_SLOPE = 0.1  # the smallest slope at the start, if slopes must be positive


@dataclass(frozen=True)
class Start:
    """The start of chains.

    Parameters
    ----------
    kind : str
        ``pca``, ``none`` or ``run:<id>``.
    scores : ndarray or None, shape (n_legislators,)
        Standardised positions, the second group (Republicans) to the right; None for ``none``.
    pca : ndarray, shape (n_legislators,)
        PCA scores, for every kind: they choose anchors and, without groups, the two sides.
    second : ndarray or None, shape (n_legislators,)
        Positions of a past run on its second axis, where it has one.
    """

    kind: str
    scores: Floats | None
    pca: Floats
    second: Floats | None = None


def pca_scores(votes: VoteMatrix) -> Floats:
    """First principal component of the votes, mean 0 and standard deviation 1.

    Missing votes take the legislator's mean vote, and roll calls are standardised. The sign puts
    the second group right of the first, Republicans right of Democrats. Without two groups it makes
    the largest score positive, so that it does not depend on the linear-algebra library.
    """
    filled = standardised_votes(votes)
    left, singular, _ = np.linalg.svd(filled, full_matrices=False)
    scores = left[:, 0] * singular[0]
    party = votes.party_index
    if (party == 0).any() and (party == 1).any():
        flip = scores[party == 1].mean() < scores[party == 0].mean()
    else:
        flip = scores[np.argmax(np.abs(scores))] < 0
    return standardised(-scores if flip else scores)


def vote_eigenvalues(votes: VoteMatrix) -> Floats:
    """Eigenvalues of the agreement of legislators with one another, the largest first.

    The matrix is ``F F'`` with the votes F as :func:`pca_scores` takes them, so the first belongs
    to the scores. Divided by their sum they are the shares of the votes' variance that each
    direction explains. Shape (min(n_legislators, n_rollcalls),).
    """
    filled = standardised_votes(votes)
    # Both products have these eigenvalues; those of the smaller one take a tenth of an SVD's time.
    product = filled @ filled.T if len(filled) <= filled.shape[1] else filled.T @ filled
    return np.maximum(np.linalg.eigvalsh(product)[::-1], 0.0)


def standardised_votes(votes: VoteMatrix) -> Floats:
    """Votes by roll call with mean 0 and standard deviation 1; missing ones by the legislator."""
    observed = votes.cells != 0
    counts = np.maximum(observed.sum(axis=1), 1)
    means = votes.cells.sum(axis=1) / counts
    filled = np.where(observed, votes.cells, means[:, None])
    filled -= filled.mean(axis=0)
    spread = filled.std(axis=0)
    filled /= np.where(spread > 0, spread, 1.0)
    return np.asarray(filled)


def standardised(scores: Floats) -> Floats:
    """Scores with mean 0 and standard deviation 1.

    Raises
    ------
    DataError
        When all scores are equal, because all legislators voted alike.
    """
    spread = scores.std()
    if not spread > 1e-12:
        raise DataError(
            "the votes do not tell legislators apart",
            None,
            "every legislator has the same score; look at the data and the filters",
        )
    return np.asarray((scores - scores.mean()) / spread)


def make_start(
    votes: VoteMatrix,
    init: str,
    past: dict[str, float] | None = None,
    past_second: dict[str, float] | None = None,
) -> Start:
    """The start of a run.

    Parameters
    ----------
    init : str
        ``pca``, ``none`` or ``run:<id>``.
    past : dict, optional
        For ``run:<id>``: posterior mean position by legislator slug. Other legislators start at
        their PCA score, rescaled to the past run by least squares.
    past_second : dict, optional
        The same on the second axis, of a past run in two dimensions; others start at 0 there.

    Raises
    ------
    DataError
        When the past run shares fewer than three legislators with the votes.
    """
    pca = pca_scores(votes)
    if init == "none":
        return Start(init, None, pca)
    if init == "pca":
        return Start(init, pca, pca)
    previous = np.array([(past or {}).get(slug, np.nan) for slug in votes.slugs])
    common = np.isfinite(previous)
    if common.sum() < 3:
        raise DataError(
            "the run to start from shares too few legislators with these votes",
            init,
            f"{common.sum()} of {len(previous)} are common; start from pca",
        )
    slope, intercept = np.polyfit(pca[common], previous[common], 1)
    scores = standardised(np.where(common, previous, intercept + slope * pca))
    # The past run may be reversed, so PCA gives the direction.
    if np.corrcoef(scores, pca)[0, 1] < 0:
        scores = -scores
    second = None
    if past_second is not None:
        second = np.array([past_second.get(slug, 0.0) for slug in votes.slugs])
    return Start(init, scores, pca, second)


def choose_anchors(votes: VoteMatrix, pca: Floats) -> tuple[int, int]:
    """Rows of the two anchors of the flat model: (+1, -1).

    Of the legislators who cast at least half of the votes, the Republican with the highest and the
    Democrat with the lowest PCA score, or the members of the pair of groups that stands in for
    them; without two groups, the highest and the lowest of all.

    Raises
    ------
    DataError
        When no legislator of a side has cast enough votes.
    """
    active = np.count_nonzero(votes.cells, axis=1) >= ANCHOR_PARTICIPATION * votes.cells.shape[1]
    party = votes.party_index
    both = (party == 0).any() and (party == 1).any()
    right, left = (active & (party == 1), active & (party == 0)) if both else (active, active)
    if not (right.any() and left.any()) or (right.sum() == 1 and (right == left).all()):
        raise DataError(
            "no legislator can be an anchor on each side",
            None,
            "an anchor needs half of the votes observed; look at the absences",
        )
    highest = int(np.argmax(np.where(right, pca, -np.inf)))
    lowest = int(np.argmin(np.where(left, pca, np.inf)))
    return highest, lowest


def two_groups(votes: VoteMatrix, pca: Floats) -> NDArray[np.int8]:
    """Side of every legislator, 0 left and 1 right: the group of the pair, else the nearer by PCA.

    Without two groups the sides are the halves of the PCA order. Shape (n_legislators,).
    """
    party = votes.party_index
    if (party == 0).any() and (party == 1).any():
        middle = (pca[party == 0].mean() + pca[party == 1].mean()) / 2
        return np.where(np.isin(party, (0, 1)), party, pca > middle).astype(np.int8)
    order = np.argsort(np.argsort(pca))
    return (order >= len(pca) // 2).astype(np.int8)


def centred_positions(scores: Floats, groups: NDArray[np.int8]) -> Floats:
    """Scores scaled, and shifted by group, so that the group means are exactly -1 and +1.

    If the groups hardly differ, the scale is half the standard deviation of the scores, so that no
    legislator starts extremely far out.
    """
    means = np.array([scores[groups == g].mean() for g in (0, 1)])
    half_gap = max((means[1] - means[0]) / 2, 0.5 * scores.std())
    return np.asarray((scores - means[groups]) / half_gap + np.where(groups == 1, 1.0, -1.0))


def rollcall_logits(votes: VoteMatrix, v: Floats, positive: bool) -> tuple[Floats, Floats]:
    """Intercepts and slopes of every roll call given positions v; see :func:`fitted_logits`."""
    return fitted_logits(votes.cells, v, positive)


def fitted_logits(votes: NDArray[np.int8], v: Floats, positive: bool) -> tuple[Floats, Floats]:
    """Intercepts a and slopes b of votes (+1, -1, 0) given positions v, by a few Newton steps.

    The logits at v = -1 and v = +1 have a N(0, 3) prior, so that the logits of a roll call that
    splits along party lines stay finite. With ``positive``, slopes are raised to at least 0.1 and
    the intercepts refitted. Shapes (n_rollcalls,).
    """
    cells = votes.astype(float)
    observed = (votes != 0).astype(float)
    # logit = left * wl + right * wr with wl = (1 - v)/2, wr = (1 + v)/2; b = (right - left)/2
    weights = np.stack([(1 - v) / 2, (1 + v) / 2])
    logits = np.zeros((2, cells.shape[1]))
    for _ in range(_NEWTON_STEPS):
        eta = weights.T @ logits
        p_observed = 1 / (1 + np.exp(-np.clip(cells * eta, -30, 30)))
        gradient = weights @ (cells * (1 - p_observed)) - _RIDGE * logits
        curvature = observed * p_observed * (1 - p_observed)
        ll, lr, rr = (weights[i] * weights[j] @ curvature for i, j in ((0, 0), (0, 1), (1, 1)))
        ll, rr = ll + _RIDGE, rr + _RIDGE
        determinant = ll * rr - lr**2
        step = np.stack([rr * gradient[0] - lr * gradient[1], ll * gradient[1] - lr * gradient[0]])
        logits += np.clip(step / determinant, -3, 3)
    a, b = -(logits[0] + logits[1]) / 2, (logits[1] - logits[0]) / 2
    if positive:
        b = np.maximum(b, _LEAST_SLOPE)
        for _ in range(_NEWTON_STEPS):
            p_observed = 1 / (1 + np.exp(-np.clip(cells * (np.outer(v, b) - a), -30, 30)))
            gradient = -(cells * (1 - p_observed)).sum(axis=0) - _RIDGE * a
            curvature = (observed * p_observed * (1 - p_observed)).sum(axis=0) + _RIDGE
            a = a + np.clip(gradient / curvature, -3, 3)
    return a, b
