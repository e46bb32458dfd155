"""Are numbers in (0, 1) uniform: an exact test by the empirical distribution function.

The simultaneous bands of Säilynoja, Bürkner and Vehtari (2022). With n uniform numbers the count
below a point z is binomial. The statistic is the smallest two-sided binomial tail probability over
a grid of points. Its distribution is that of a Markov chain of counts, so p-values and bands are
computed, not simulated: corrected for hundreds of parameters they are far smaller than a
simulation could resolve.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID: Floats = np.arange(1, 50) / 50.0
_BISECTIONS = 32
_LEAST_TAIL = 1e-30


def tail_probability(fractions: Floats) -> float:
    """The statistic: the smallest two-sided tail probability over the grid.

    Parameters
    ----------
    fractions : ndarray, shape (n,)
        Numbers in (0, 1).
    """
    n = len(fractions)
    counts = np.searchsorted(np.sort(fractions), GRID, side="right")
    return float(_two_sided(counts, n, GRID).min())


def p_value(tail: float, n: int) -> float:
    """Probability that n uniform numbers have a statistic as small as ``tail`` or smaller."""
    # A hair more, so that the very count the statistic was computed from lies outside.
    inside = _probability_inside(*_limits(tail * (1 + 1e-9), n), n)
    return min(max(1.0 - inside, 0.0), 1.0)


def band(n: int, level: float) -> tuple[Floats, Floats]:
    """Lowest and highest share of n uniform numbers below each point of the grid.

    The empirical distribution function leaves this band somewhere with a probability of at most
    ``level``; :func:`p_value` is at most ``level`` exactly when it does.
    """
    below, above = np.log(_LEAST_TAIL), 0.0
    for _ in range(_BISECTIONS):
        middle = (below + above) / 2
        if p_value(float(np.exp(middle)), n) <= level:
            below = middle
        else:
            above = middle
    low, high = _limits(float(np.exp(below)) * (1 + 1e-9), n)
    return low / n, high / n


def _two_sided(counts: Ints, n: int, points: Floats) -> Floats:
    lower, upper = binom.cdf(counts, n, points), binom.sf(counts - 1, n, points)
    return np.asarray(2 * np.minimum(lower, upper))


def _limits(tail: float, n: int) -> tuple[Ints, Ints]:
    """Lowest and highest count at each point whose tail probability is above ``tail``."""
    counts = np.arange(n + 1)
    inside = _two_sided(counts[None, :], n, GRID[:, None]) > tail
    # A point whose likeliest counts are all too unlikely allows none: low above high.
    low = np.where(inside.any(axis=1), inside.argmax(axis=1), n + 1)
    high = np.where(inside.any(axis=1), n - inside[:, ::-1].argmax(axis=1), -1)
    return low, high


def _probability_inside(low: Ints, high: Ints, n: int) -> float:
    """Probability that the counts of n uniform numbers lie within limits at every point."""
    counts, probability, before = np.array([0]), np.array([1.0]), 0.0
    for point, least, most in zip(GRID, low, high, strict=True):
        after = np.arange(least, most + 1)
        # Each number that lies beyond the last point lies before this one with the same chance.
        chance = (point - before) / (1 - before)
        step = binom.pmf(after[None, :] - counts[:, None], n - counts[:, None], chance)
        counts, probability, before = after, probability @ step, point
    return float(probability.sum())
