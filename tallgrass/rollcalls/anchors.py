"""The anchors of the flat model: which legislators are held where."""

from dataclasses import dataclass

import numpy as np

from tallgrass.errors import DataError, nearest
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.anchor_text import parse_anchors
from tallgrass.rollcalls.groups import end_of
from tallgrass.rollcalls.start import (
    ANCHOR_PARTICIPATION,
    Floats,
    choose_anchors,
    fitted_logits,
    two_groups,
)
from tallgrass.rollcalls.votes import VoteMatrix

EXTREME = (1.0, -1.0)  # positions of the anchors that are chosen by default


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
        ``auto``: the Republican with the highest and the Democrat with the lowest score at +1 and
        -1, or members of the pair of groups that stands in for them. ``typical``: see
        :func:`typical_anchors`. Otherwise named, as
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
        if text == "typical":
            return typical_anchors(votes, pca, 1.0 if beta is None else mean_square(beta))
        return Anchors(choose_anchors(votes, pca))
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

    Of the legislators who cast at least half of the votes, by PCA score; without both parties the
    medians are those of the upper and of the lower half of the scores. The stretch is that of
    :func:`preferred_stretch`: held at +1 and -1, members in the middle of their parties would stand
    where neither their votes nor the priors of the others put them.

    Measured on the 91st and 88th Kansas Legislatures, both chambers, against ``auto``: ELPD higher
    by 168, 77, 62 and 123 (House, Senate; House, Senate), and 7 of 8 anchors in the 95 % interval
    of :mod:`tallgrass.rollcalls.anchor_check`, where none of the eight of ``auto`` is.

    Raises
    ------
    DataError
        When no legislator of a side has cast enough votes, or both stand at one score.
    """
    extremes = choose_anchors(votes, pca)  # refuses votes without anchors
    groups, party = two_groups(votes, pca), votes.party_index
    both = (party == 0).any() and (party == 1).any()
    active = np.count_nonzero(votes.cells, axis=1) >= ANCHOR_PARTICIPATION * votes.cells.shape[1]
    rows = []
    for group, otherwise in ((1, extremes[0]), (0, extremes[1])):
        members = party == group if both else groups == group
        usable = members & active
        distance = np.where(usable, np.abs(pca - np.median(pca[members])), np.inf)
        rows.append(int(distance.argmin()) if usable.any() else otherwise)
    positions = preferred_stretch(votes, pca, beta_square) * pca[rows]
    if positions[0] == positions[1]:
        raise DataError("typical anchors of both sides have the same PCA score", None)
    order = np.argsort(-positions)
    return Anchors(tuple(rows[i] for i in order), tuple(float(positions[i]) for i in order))


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
