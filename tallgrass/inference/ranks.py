"""R-hat and ESS of thousands of entries: the figures of ArviZ in compiled loops.

Rank-normalised split R-hat, the larger of bulk and folded, and bulk and tail ESS of Vehtari,
Gelman, Simpson, Carpenter and Buerkner (2021). ArviZ takes one entry at a time, with transforms of
whole chains. Here one sort serves both R-hats, bulk and tail, and autocovariances are summed lag
by lag only as far as Geyer's sequence needs them. The figures equal those of ArviZ up to rounding.
"""

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from tallgrass.inference.jit import stored_njit
from tallgrass.machine import usable_cores

Floats = NDArray[np.float64]

TAILS = (0.05, 0.95)
_FASTMATH = {"reassoc", "contract", "nsz"}
_PART = 64  # entries of one task
_LEAST_DRAWS = 4


class RankDiagnostics(NamedTuple):
    """By entry, shape (n_entries,); NaN where a value is not defined.

    ``rhat`` needs two chains; all need four draws and no NaN.
    """

    rhat: Floats
    ess_bulk: Floats
    ess_tail: Floats


def rank_diagnostics(draws: NDArray[Any]) -> RankDiagnostics:
    """R-hat, bulk ESS and tail ESS of draws of shape (chain, draw, entry)."""
    return _by_rank(draws, False)


def _by_rank(draws: NDArray[Any], only_bulk: bool) -> RankDiagnostics:
    """The diagnostics, or bulk ESS alone, which takes half the time; the others are NaN then."""
    n_chains, n_draws, n_entries = draws.shape
    results = np.full((3, n_entries), np.nan)
    if n_draws >= _LEAST_DRAWS:
        half = n_draws // 2
        scores = normal_scores(2 * half * n_chains)

        def task(low: int) -> None:
            entries = draws[:, :, low : low + _PART]
            # A copy always: numba would compile the function once more for what is only read.
            rows = np.array(np.moveaxis(entries, 2, 0), np.float64, order="C")
            split = rows
            if n_draws % 2:
                split = np.concatenate([rows[:, :, :half], rows[:, :, -half:]], axis=2)
            flat = split.reshape(len(rows), -1)
            order = np.argsort(flat, axis=1)
            tails = np.quantile(rows.reshape(len(rows), -1), TAILS, axis=1) if n_draws % 2 else None
            limits = np.full((2, len(rows)), np.nan) if tails is None else tails
            # Not a slice of the results: whether that is contiguous depends on how many entries
            # there are, and numba would compile the function once for either.
            part = np.full((3, len(rows)), np.nan)
            _entries(flat, order, limits, scores, 2 * n_chains, half, only_bulk, part)
            results[:, low : low + _PART] = part

        parts = range(0, n_entries, _PART)
        if len(parts) == 1:  # threads would take longer than the work
            task(0)
        else:
            with ThreadPoolExecutor(usable_cores()) as pool:
                list(pool.map(task, parts))
    if n_chains < 2:
        results[0] = np.nan
    return RankDiagnostics(*results)


def bulk_ess_per_chain(draws: NDArray[Any]) -> Floats:
    """Least bulk ESS of a single chain, by entry."""
    ess_by_chain = [_by_rank(draws[[c]], True).ess_bulk for c in range(len(draws))]
    return np.asarray(np.min(ess_by_chain, axis=0))


def relative_ess(draws: NDArray[Any]) -> Floats:
    """ESS of the mean divided by the number of draws, by entry of (entry, chain, draw)."""
    n_entries, _, n_draws = draws.shape
    half = n_draws // 2
    split = np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1).astype(np.float64)
    sizes = [_ess(split[entry]) for entry in range(n_entries)]
    return np.asarray(np.array(sizes) / (split.shape[1] * half))


def converged(variables: Iterable[NDArray[Any]], rhat: float, ess: float) -> bool:
    """Whether draws are finite and, where they vary, R-hat is lower and both ESS are higher."""
    for draws in variables:
        with np.errstate(invalid="ignore"):  # infinity less infinity
            varying = ~(np.ptp(draws, axis=(0, 1)) == 0)  # NaN varies, and has no diagnostics
        # To select entries copies all draws, and takes half as long as the diagnostics.
        values = rank_diagnostics(draws if varying.all() else draws[:, :, varying])
        if not (values.rhat < rhat).all():
            return False
        if not ((values.ess_bulk > ess).all() and (values.ess_tail > ess).all()):
            return False
    return True


def normal_scores(n: int) -> Floats:
    """Normal scores of the ranks 1, 1.5, 2, ..., n (ties have half ranks): Blom (1958)."""
    ranks = np.arange(2, 2 * n + 1) / 2.0
    return np.asarray(scipy.special.ndtri((ranks - 0.375) / (n + 0.25)))


@stored_njit()
def _entries(flat, order, limits, scores, n_chains, half, only_bulk, results):  # type: ignore[no-untyped-def]
    n = n_chains * half
    # The order of the split chains does not matter.
    values, ranked = np.empty(n), np.empty(n)
    folded_order, distance = np.empty(n, np.int64), np.empty(n)
    for entry in range(len(flat)):
        row, by_size = flat[entry], order[entry]
        for k in range(n):
            values[k] = row[by_size[k]]
        if not (math.isfinite(values[0]) and math.isfinite(values[n - 1])):
            continue
        if math.isnan(_mean(row)):
            continue
        _score(values, by_size, scores, ranked)
        chains = ranked.reshape(n_chains, half)
        results[1, entry] = _ess(chains)
        if only_bulk:
            continue
        bulk = _split_rhat(chains)
        median = 0.5 * (values[n // 2 - 1] + values[n // 2])
        _fold(values, by_size, median, distance, folded_order)
        _score(distance, folded_order, scores, ranked)
        results[0, entry] = max(bulk, _split_rhat(chains))
        worst = np.inf
        for tail in range(2):
            limit = limits[tail, entry]
            if math.isnan(limit):
                limit = _quantile(values, 0.05 if tail == 0 else 0.95)
            for k in range(n):
                ranked[k] = 1.0 if row[k] <= limit else 0.0
            ess = _ess(chains)
            worst = ess if math.isnan(ess) else min(worst, ess)
        results[2, entry] = worst


@stored_njit()
def _score(ascending, order, scores, out):  # type: ignore[no-untyped-def]
    """Normal scores of average ranks; ``order`` holds the index of each sorted value."""
    n, low = len(ascending), 0
    while low < n:
        high = low + 1
        while high < n and ascending[high] == ascending[low]:
            high += 1
        score = scores[low + high - 1]  # mean of the ranks low + 1 ... high, in halves from 1
        for k in range(low, high):
            out[order[k]] = score
        low = high


@stored_njit()
def _fold(ascending, order, median, distance, folded_order):  # type: ignore[no-untyped-def]
    """Distances from the median in ascending order, merged from both sides of it."""
    n = len(ascending)
    right = n // 2
    left = right - 1
    for k in range(n):
        below = abs(ascending[left] - median) if left >= 0 else np.inf
        above = abs(ascending[right] - median) if right < n else np.inf
        if below < above:
            distance[k], folded_order[k] = below, order[left]
            left -= 1
        else:
            distance[k], folded_order[k] = above, order[right]
            right += 1


@stored_njit()
def _quantile(ascending, probability):  # type: ignore[no-untyped-def]
    position = probability * (len(ascending) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (ascending[high] - ascending[low]) * (position - low)


@stored_njit(fastmath=_FASTMATH)
def _mean(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(len(x)):
        total += x[k]
    return total / len(x)


@stored_njit(fastmath=_FASTMATH)
def _dot(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(len(x)):
        total += x[k] * y[k]
    return total


@stored_njit(fastmath=_FASTMATH)
def _variance(x):  # type: ignore[no-untyped-def]
    mean, total = _mean(x), 0.0
    for k in range(len(x)):
        total += (x[k] - mean) ** 2
    return total / (len(x) - 1)


@stored_njit()
def _split_rhat(chains):  # type: ignore[no-untyped-def]
    m, n = chains.shape
    means, within = np.empty(m), 0.0
    for c in range(m):
        means[c] = _mean(chains[c])
        within += _variance(chains[c]) / m
    return math.sqrt((n * _variance(means) / within + n - 1.0) / n)


@stored_njit()
def _lag(centred, t):  # type: ignore[no-untyped-def]
    """Mean over chains of the autocovariance at lag t."""
    m, n = centred.shape
    total = 0.0
    for c in range(m):
        total += _dot(centred[c, : n - t], centred[c, t:])
    return total / (m * n)


@stored_njit()
def _constant(chains):  # type: ignore[no-untyped-def]
    """Whether all values are within 1e-15, as in ArviZ; it stops at the first that is not."""
    first = chains[0, 0]
    for chain in chains:
        for value in chain:
            if abs(value - first) >= 1e-15:
                return False
    return chains.max() - chains.min() < 1e-15


@stored_njit()
def _ess(chains):  # type: ignore[no-untyped-def]
    """ESS of split chains by Geyer's initial monotone sequence, with the same steps as ArviZ."""
    m, n = chains.shape
    if _constant(chains):
        return float(m * n)
    centred, means = np.empty((m, n)), np.empty(m)
    for c in range(m):
        means[c] = _mean(chains[c])
        centred[c] = chains[c] - means[c]
    within = _lag(centred, 0) * n / (n - 1.0)
    total = within * (n - 1.0) / n + _variance(means)
    rho = np.zeros(n)
    even = 1.0
    odd = 1.0 - (within - _lag(centred, 1)) / total
    rho[0], rho[1] = even, odd
    t = 1
    while t < n - 3 and even + odd > 0.0:
        even = 1.0 - (within - _lag(centred, t + 1)) / total
        odd = 1.0 - (within - _lag(centred, t + 2)) / total
        if even + odd >= 0.0:
            rho[t + 1], rho[t + 2] = even, odd
        t += 2
    last = t - 2
    if even > 0.0:
        rho[last + 1] = even
    t = 1
    while t <= last - 2:
        if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t]:
            rho[t + 1] = rho[t + 2] = (rho[t - 1] + rho[t]) / 2.0
        t += 2
    tau = -1.0 + 2.0 * rho[: max(last + 1, 0)].sum() + rho[last + 1 : last + 2].sum()
    size = float(m * n)
    return size / max(tau, 1.0 / math.log10(size))
