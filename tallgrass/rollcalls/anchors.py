"""The anchors of the flat model: which legislators are held where."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError, nearest
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.anchor_text import EARLIER, parse_anchors
from tallgrass.rollcalls.groups import end_of
from tallgrass.rollcalls.start import (
    ANCHOR_PARTICIPATION,
    Floats,
    choose_anchors,
    fitted_logits,
)
from tallgrass.rollcalls.votes import VoteMatrix

EXTREME = (1.0, -1.0)  # positions of the anchors that ``auto`` chooses
LEAST_GAP = 1.0  # between two typical anchors, in standard deviations of the PCA scores


@dataclass(frozen=True)
class Anchors:
    """Legislators that are held fixed.

    Parameters
    ----------
    rows : tuple of int
        Their rows in the matrix of votes, the highest position first.
    positions : tuple of float
        Where they are held, on the scale of xi.
    """

    rows: tuple[int, ...]
    positions: tuple[float, ...] = EXTREME

    def named(self, votes: VoteMatrix) -> dict[str, float]:
        """Positions by slug, the highest first."""
        slugs = [votes.slugs[row] for row in self.rows]
        return dict(zip(slugs, self.positions, strict=True))


def anchors_of(votes: VoteMatrix, pca: Floats, text: str, beta: PriorSpec | None = None) -> Anchors:
    """The anchors that a spec asks for.

    Parameters
    ----------
    pca : ndarray, shape (n_legislators,)
        PCA scores; they choose anchors that are not named, and give the direction of the scale.
    text : str
        ``typical``, the default: see :func:`typical_anchors`. ``auto``, that of earlier versions:
        the Republican with the highest and the Democrat with the lowest score at +1 and -1, or
        members of the pair of groups that stands in for them. Otherwise named, as
        :func:`~tallgrass.rollcalls.anchor_text.parse_anchors` reads them.
    beta : PriorSpec, optional
        Prior of the discriminations; N(0, 1) without it.

    Raises
    ------
    DataError
        When a named legislator is not among the votes, the positions run against the votes, or no
        legislator can be an anchor.
    SpecError
        When the text has no known form.
    """
    named = parse_anchors(text)
    if named is None:
        if text == EARLIER:
            return Anchors(choose_anchors(votes, pca))
        return typical_anchors(votes, pca, 1.0 if beta is None else mean_square(beta))
    row = {slug: i for i, slug in enumerate(votes.slugs)}
    for slug in named:
        if slug not in row:
            raise DataError(
                f"anchors: no such legislator in the {votes.chamber} of {votes.session}",
                slug,
                nearest(slug, list(votes.slugs)) or "the filters may have dropped it",
            )
    ordered = sorted(named, key=lambda slug: -named[slug])
    rows, positions = [row[slug] for slug in ordered], [named[slug] for slug in ordered]
    if not np.cov(pca[rows], positions)[0, 1] > 0:
        low, high = votes.groups[:2] if len(votes.groups) >= 2 else ("lower", "upper")
        raise DataError(
            "anchors: their positions run against the votes",
            text,
            f"positions rise from the {end_of(low)} to the {end_of(high)}: exchange them",
        )
    return Anchors(tuple(rows), tuple(positions))


def typical_anchors(votes: VoteMatrix, pca: Floats, beta_square: float = 1.0) -> Anchors:
    """The member nearest to the median of each party, held at the own PCA score times a stretch.

    Of the legislators who cast at least half of the votes, by PCA score. Without both parties, and
    where these two stand less than one standard deviation of the scores apart, the medians are
    those of the upper and of the lower half of the scores; where these two are as close, the
    anchors are the members at the ends. Two anchors close together would say little of the unit,
    and leave the mirrored scale almost as probable.

    The stretch is that of :func:`preferred_stretch`: held at +1 and -1, members in the middle of
    their parties would stand where neither their votes nor the priors of the others put them.

    Measured on the 91st and 88th Kansas Legislatures, both chambers, against ``auto``: ELPD higher
    by 168, 77, 62 and 123 (House, Senate; House, Senate), and 7 of 8 anchors in the 95 % interval
    of :mod:`tallgrass.rollcalls.anchor_check`, where none of the eight of ``auto`` is.

    Raises
    ------
    DataError
        When no legislator of a side has cast enough votes, or all stand at one score.
    """
    rows = choose_anchors(votes, pca)  # refuses votes without anchors
    active = np.count_nonzero(votes.cells, axis=1) >= ANCHOR_PARTICIPATION * votes.cells.shape[1]
    for lower, upper in _sides(votes, pca):
        if not ((lower & active).any() and (upper & active).any()):
            continue
        high, low = (_nearest_to_median(pca, side, active) for side in (upper, lower))
        if pca[high] - pca[low] >= LEAST_GAP:
            rows = high, low
            break
    positions = preferred_stretch(votes, pca, beta_square) * pca[list(rows)]
    if positions[0] == positions[1]:
        raise DataError(
            "anchors: everybody has the same PCA score, so that nobody can hold a scale",
            None,
            "look at the votes: do they divide anybody?",
        )
    order = np.argsort(-positions)
    return Anchors(tuple(rows[i] for i in order), tuple(float(positions[i]) for i in order))


def _sides(votes: VoteMatrix, pca: Floats) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Members of the lower and the upper side: of the parties, if both are there, and by score."""
    party = votes.party_index
    both = bool((party == 0).any() and (party == 1).any())
    upper = np.argsort(np.argsort(pca)) >= len(pca) // 2
    return [*([(party == 0, party == 1)] if both else []), (~upper, upper)]


def _nearest_to_median(pca: Floats, side: NDArray[np.bool_], active: NDArray[np.bool_]) -> int:
    distance = np.abs(pca - np.median(pca[side]))
    return int(np.where(side & active, distance, np.inf).argmin())


def preferred_stretch(votes: VoteMatrix, pca: Floats, beta_square: float = 1.0) -> float:
    """The scale s at which the priors of the flat model would have positions ``xi = s pca``.

    The votes say nothing about s, because ``beta = b / s`` undoes it. Given scores v of n
    legislators (mean square 1) and the slopes b that fit them, the log-density of s is
    ``-n s^2 / 2 - sum(b^2) / (2 E s^2) + (n - J) log s``, with ``E`` the mean square of beta under
    its prior and J roll calls (the Jacobian of xi and beta). It has one mode,
    ``s^2 = (n - J + sqrt((n - J)^2 + 4 n sum(b^2) / E)) / (2 n)``.

    Parameters
    ----------
    pca : ndarray, shape (n_legislators,)
        Standardised scores.
    beta_square : float
        E, about 1 for the default prior N(0, 1).
    """
    n, n_rollcalls = votes.cells.shape
    _, slopes = fitted_logits(votes.cells, pca, positive=False)
    surplus = n - n_rollcalls
    root = np.sqrt(surplus**2 + 4 * n * np.sum(slopes**2) / beta_square)
    return float(np.sqrt((surplus + root) / (2 * n)))


def mean_square(prior: PriorSpec) -> float:
    """The expectation of the square under a prior."""
    if prior.distribution in ("lognormal", "lognormal_reparam"):
        return float(np.exp(2 * prior.mu + 2 * prior.sigma**2))
    return float(prior.mu**2 + prior.sigma**2)
