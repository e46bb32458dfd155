"""Where chains of a two-dimensional model start: the plane of the first two components."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.rollcalls.start import Floats, Start, centred_positions, standardised_votes
from tallgrass.rollcalls.votes import VoteMatrix

_RIDGE = 1 / 9.0  # precision of N(0, 3) on intercepts and slopes, for the start only
_NEWTON_STEPS = 12
_LEAST_SLOPE = 0.1  # of axis 1 at the start, if slopes must be positive
_MOST_LOGIT = 30.0


class PlaneStart(NamedTuple):
    """Positions and roll calls that agree with each other.

    Parameters
    ----------
    v : pair of ndarray, shape (n_legislators,)
        Positions: group means at (-1, 0) and (+1, 0), axis 2 with mean square 1 and uncorrelated
        with axis 1 within the groups.
    a, b, c : ndarray, shape (n_rollcalls,)
        Intercepts, and slopes on axes 1 and 2.
    """

    v: tuple[Floats, Floats]
    a: Floats
    b: Floats
    c: Floats


def component_plane(votes: VoteMatrix, groups: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Positions in the plane of the first two principal components, on the axes of the model.

    The plane is mapped such that the group means lie at (-1, 0) and (+1, 0); axis 2 is the
    direction of the largest scatter within the groups, and axis 1 is freed of it. The largest
    deviation on axis 2 is positive, so that it does not depend on the linear-algebra library.

    Examples
    --------
    >>> votes = tg.load_votes("sample", chamber="senate")
    >>> v_1, v_2 = component_plane(votes, votes.party_index)  # doctest: +SKIP
    """
    left, singular, _ = np.linalg.svd(standardised_votes(votes), full_matrices=False)
    scores = left[:, :2] * singular[:2]
    means = [scores[groups == g].mean(axis=0) for g in (0, 1)]
    half_gap = (means[1] - means[0]) / 2
    # Groups that hardly differ: a scale that puts no member extremely far out.
    least = 0.5 * scores.std(axis=0).max()
    if (length := np.linalg.norm(half_gap)) < least:
        half_gap = half_gap * least / length if length > 0 else np.array([least, 0.0])
    across = np.array([-half_gap[1], half_gap[0]])
    deviations = scores - np.array(means)[groups]
    in_plane = np.linalg.solve(np.stack([half_gap, across], axis=1), deviations.T).T
    return orthogonal_axes(in_plane[:, 0], _leading(in_plane), groups)


def _leading(deviations: Floats) -> Floats:
    """The deviations along the direction in which they scatter most."""
    _, directions = np.linalg.eigh(deviations.T @ deviations)
    along = deviations @ directions[:, -1]
    return np.asarray(along if along[np.argmax(np.abs(along))] > 0 else -along)


def orthogonal_axes(
    about: Floats, second: Floats, groups: NDArray[np.int8]
) -> tuple[Floats, Floats]:
    """Positions with the properties of :class:`PlaneStart` from deviations within the groups.

    Parameters
    ----------
    about : ndarray, shape (n_legislators,)
        Deviations from the group's mean on axis 1, in units of half the groups' gap.
    second : ndarray, shape (n_legislators,)
        Positions on axis 2, on any scale.
    """
    about, second = about.copy(), second.copy()
    for g in (0, 1):
        about[groups == g] -= about[groups == g].mean()
        second[groups == g] -= second[groups == g].mean()
    second /= max(float(np.sqrt(np.mean(second**2))), np.finfo(float).tiny)
    about -= (about @ second) / (second @ second) * second
    return np.where(groups == 1, 1.0, -1.0) + about, second


def plane_start(
    votes: VoteMatrix,
    groups: NDArray[np.int8],
    start: Start,
    positive: bool,
    generator: np.random.Generator | None = None,
) -> PlaneStart:
    """The start that a run asks for.

    Parameters
    ----------
    groups : ndarray of 0 and 1, shape (n_legislators,)
        The parties, or the two halves that stand in for them.
    start : Start
        ``pca``: the plane of the components. ``run:``: axis 1 from its scores, and axis 2 from its
        ``second``, else from the components. ``none``: random positions.
    positive : bool
        Whether the slopes of axis 1 must be positive.
    generator : numpy Generator, optional
        Needed for ``none``.
    """
    if start.kind == "pca":
        v = component_plane(votes, groups)
    elif start.scores is None:
        assert generator is not None
        first, second = generator.normal(size=(2, len(votes.legislators)))
        v = orthogonal_axes(0.3 * first, second, groups)
    else:
        first = centred_positions(start.scores, groups) - np.where(groups == 1, 1.0, -1.0)
        second = component_plane(votes, groups)[1] if start.second is None else start.second
        v = orthogonal_axes(first, second, groups)
    return PlaneStart(v, *fitted_planes(votes.cells, v, positive))


def fitted_planes(
    votes: NDArray[np.int8], v: tuple[Floats, Floats], positive: bool
) -> tuple[Floats, Floats, Floats]:
    """Intercepts a and slopes b, c of votes (+1, -1, 0) given positions, by Newton's method.

    Logistic regression of every roll call on (1, v_1, v_2) with a N(0, 3) prior on each
    coefficient, which keeps those of a roll call finite that the positions predict without error.
    With ``positive``, b is raised to at least 0.1. Shapes (n_rollcalls,).
    """
    design = np.stack([-np.ones_like(v[0]), *v])  # (3, n_legislators)
    cells, observed = votes.astype(float), (votes != 0).astype(float)
    coefficients = np.zeros((3, votes.shape[1]))
    products = (design[:, None] * design[None, :]).reshape(9, -1)
    for _ in range(_NEWTON_STEPS):
        z = cells * (coefficients.T @ design).T
        p_observed = 1 / (1 + np.exp(-np.clip(z, -_MOST_LOGIT, _MOST_LOGIT)))
        gradient = design @ (cells * (1 - p_observed)) - _RIDGE * coefficients
        weights = observed * p_observed * (1 - p_observed)
        curvature = (products @ weights).T.reshape(-1, 3, 3) + _RIDGE * np.eye(3)
        step = np.linalg.solve(curvature, gradient.T[..., None])[..., 0].T
        coefficients += np.clip(step, -3, 3)
    a, b, c = coefficients
    return a, np.maximum(b, _LEAST_SLOPE) if positive else b, c


def plane_information(votes: VoteMatrix, groups: NDArray[np.int8], start: PlaneStart) -> Floats:
    """Information in a member's votes about its position, mean by group, shape (2, 2): axis, group.

    ``sum of b^2 p (1 - p)`` over the roll calls voted on, at the start.
    """
    logits = np.outer(start.v[0], start.b) + np.outer(start.v[1], start.c) - start.a
    p = 1 / (1 + np.exp(-np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT)))
    weights = (votes.cells != 0) * p * (1 - p)
    by_member = [weights @ slope**2 for slope in (start.b, start.c)]
    result = np.array([[x[groups == g].mean() for g in (0, 1)] for x in by_member])
    return np.asarray(np.maximum(result, 1.0))  # any positive number is right
