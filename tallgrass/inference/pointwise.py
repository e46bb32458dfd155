"""Log-likelihood of single votes in every draw, and leave-one-out cross-validation from it.

The kernel sums over the votes of one draw; here every vote keeps its value in each of many draws.
Callers pass a block of votes at a time, so that votes x draws is never in memory at once.

:func:`psis_loo` is Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao and Gabry,
2024) with ArviZ's rules, step by step: the tests hold it to ``psislw`` and ``loo`` of
``arviz_stats``. It exists because ArviZ takes about a millisecond a vote and this takes about ten
microseconds: with ArviZ the checks would cost several times what sampling costs.
"""

import math

import numba as nb
import numpy as np

# The kernel's exponential is plain arithmetic, which LLVM vectorises; math.exp is a call a vote.
from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel.dense import _exp_of_negative

_FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
_PRODUCT = 16  # factors a logarithm in the fit of the tail
_SIFT = 16  # one value in so many suggests where the tail begins
_LEAST_TAIL = 5  # a generalised Pareto distribution is fitted to at least so many ratios
_PRIOR_DRAWS, _PRIOR_K = 10.0, 0.5  # k is shrunk to 0.5 with the weight of 10 draws


@nb.njit(inline="always", fastmath=_FASTMATH, error_model="numpy")
def _log1p_of_unit(e):  # type: ignore[no-untyped-def]
    """log(1 + e) for 0 <= e <= 1, relative error below 4e-16.

    ``2 atanh(s)`` with ``s = e / (2 + e)``, by a near-minimax polynomial of degree 9 in s**2
    (Chebyshev interpolation on [0, 1/9], relative error 5e-17).
    """
    s = e / (2.0 + e)
    t = s * s
    p = 0.17780763826113302894
    p = p * t + 0.098807890487647862408
    p = p * t + 0.13591305485579893836
    p = p * t + 0.15363676248891634258
    p = p * t + 0.18182859800473910957
    p = p * t + 0.22222190861346284037
    p = p * t + 0.28571429111657160221
    p = p * t + 0.39999999995287600008
    p = p * t + 0.66666666666682574328
    p = p * t + 1.9999999999999999116
    return s * p


@stored_njit(fastmath=_FASTMATH)
def pointwise_loglik(votes, columns, v, a, b, out):  # type: ignore[no-untyped-def]
    """Log-probability of some votes of one legislator in every draw.

    ``log P(vote) = min(z, 0) - log(1 + exp(-|z|))`` with ``z = vote (b v - a)``, as the kernel.

    Parameters
    ----------
    votes : ndarray of int8, shape (n,)
        +1 or -1.
    columns : ndarray of int64, shape (n,)
        The roll call of each vote.
    v : ndarray, shape (n_draws,)
        Position of the legislator.
    a, b : ndarray, shape (n_rollcalls, n_draws)
        Intercepts and slopes, on the logit scale.
    out : ndarray, shape (n, n_draws)
        Overwritten with the log-probabilities.
    """
    for k in range(len(votes)):
        sign = float(votes[k])
        intercept, slope, row = a[columns[k]], b[columns[k]], out[k]
        for s in range(len(v)):
            z = sign * (v[s] * slope[s] - intercept[s])
            negative = z if z < 0.0 else 0.0
            row[s] = negative - _log1p_of_unit(_exp_of_negative(-abs(z)))


@stored_njit(fastmath=_FASTMATH)
def pointwise_loglik_of_plane(votes, columns, v, a, b, out):  # type: ignore[no-untyped-def]
    """As :func:`pointwise_loglik` in two dimensions: ``z = vote (b_1 v_1 + b_2 v_2 - a)``.

    Parameters
    ----------
    votes, columns, a, out
        As there.
    v : pair of ndarray, shape (n_draws,)
        Position of the legislator on each axis.
    b : pair of ndarray, shape (n_rollcalls, n_draws)
        Slopes on each axis.
    """
    x, y = v
    for k in range(len(votes)):
        sign = float(votes[k])
        j = columns[k]
        intercept, slope, slope_2, row = a[j], b[0][j], b[1][j], out[k]
        for s in range(len(x)):
            z = sign * (x[s] * slope[s] + y[s] * slope_2[s] - intercept[s])
            negative = z if z < 0.0 else 0.0
            row[s] = negative - _log1p_of_unit(_exp_of_negative(-abs(z)))


@stored_njit(fastmath=_FASTMATH)
def replicate(votes, columns, log_lik, uniform, of_legislator, of_rollcall, kept):  # type: ignore[no-untyped-def]
    """Draw every vote anew, count the yeas, and keep the votes of some draws.

    Parameters
    ----------
    votes, columns, log_lik
        As in :func:`pointwise_loglik`.
    uniform : ndarray of float32, shape (n, n_draws)
        Uniform on [0, 1), one a vote and draw.
    of_legislator : ndarray of int32, shape (n_draws,)
        The legislator's yeas, counted on.
    of_rollcall : ndarray of int32, shape (n_rollcalls, n_draws)
        The roll calls' yeas, counted on.
    kept : ndarray of int8, shape (n, n_kept)
        Overwritten with the votes, +1 or -1, of ``n_kept`` evenly spaced draws, the first included.
    """
    step = len(of_legislator) // max(kept.shape[1], 1)
    for k in range(len(votes)):
        yeas = of_rollcall[columns[k]]
        for s in range(len(of_legislator)):
            same = uniform[k, s] < _exp_of_negative(log_lik[k, s])
            yea = np.int32(same if votes[k] > 0 else not same)
            yeas[s] += yea
            of_legislator[s] += yea
        for i in range(kept.shape[1]):
            same = uniform[k, i * step] < _exp_of_negative(log_lik[k, i * step])
            kept[k, i] = votes[k] if same else -votes[k]


@stored_njit(fastmath=_FASTMATH)
def _sum_of_exp(x, sign, shift):  # type: ignore[no-untyped-def]
    """Sum of exp(sign x + shift), no exponent above 0."""
    total = 0.0
    for s in range(len(x)):
        total += _exp_of_negative(sign * x[s] + shift)
    return total


@stored_njit()
def _sort(x, scratch):  # type: ignore[no-untyped-def]
    """Sort log-likelihoods in place: into as many bins as there are values, then by insertion.

    Bins are equal in the bits of the number, which is nearly its logarithm: most votes are
    nearly certain, and their log-likelihoods spread over orders of magnitude. Several times as
    fast as numba's ``np.sort``, which also takes seven seconds to compile.
    """
    n = len(x)
    size = np.abs(x).view(np.int64)
    least, most = size.min(), size.max()
    per_bin = (n - 1) / (most - least) if most > least else 0.0
    ends = np.zeros(n + 1, np.int32)
    for s in range(n):
        ends[int((most - size[s]) * per_bin) + 1] += 1
    for s in range(n):
        ends[s + 1] += ends[s]
    for s in range(n):
        place = int((most - size[s]) * per_bin)
        scratch[ends[place]] = x[s]
        ends[place] += 1
    for s in range(n):
        value, place = scratch[s], s
        while place > 0 and x[place - 1] > value:
            x[place] = x[place - 1]
            place -= 1
        x[place] = value


@stored_njit()
def _smallest(x, n, workspace):  # type: ignore[no-untyped-def]
    """The n smallest values of x in ascending order, in ``workspace``, shape (2, len(x) + 1).

    Sorting all of x would take longer than everything else: only those below a limit that one
    value in 16 suggests are sorted.
    """
    kept, scratch = workspace[0], workspace[1]
    few = x[::_SIFT].copy()
    _sort(few, scratch)
    rank, count = n / _SIFT + 1.5 * math.sqrt(n / _SIFT) + 1.0, 0
    while count < n:
        limit = few[int(rank)] if rank < len(few) else np.inf
        count = 0
        for s in range(len(x)):
            kept[count] = x[s]
            count += x[s] <= limit
        rank *= 2.0
    _sort(kept[:count], scratch)
    return kept[:n]


@stored_njit()
def psis_loo(log_lik, n_tail, elpd, pareto_k, lppd):  # type: ignore[no-untyped-def]
    """PSIS-LOO of some votes.

    The importance ratios of leaving a vote out are 1 over its likelihood. The largest ``n_tail``
    are replaced by quantiles of a generalised Pareto distribution fitted to them, capped at the
    largest.

    Parameters
    ----------
    log_lik : ndarray, shape (n, n_draws)
        Log-probability of each vote in every draw.
    n_tail : int
        How many ratios are smoothed, from :func:`tail_length`.
    elpd : ndarray, shape (n,)
        Overwritten with the expected log predictive density of each vote, left out; NaN with
        fewer than 25 draws, whose tail is too short.
    pareto_k : ndarray, shape (n,)
        Overwritten with the shape of the ratios' tail: -inf where it has no spread (a vote that
        is certain in every draw), NaN where it is too short or far from a Pareto tail.
    lppd : ndarray, shape (n,)
        Overwritten with the log of the mean probability, the vote not left out.
    """
    n, n_draws = log_lik.shape
    tail, ratios, log_rest = np.empty(n_tail), np.empty(n_tail), np.empty(n_tail)
    for s in range(n_tail):
        log_rest[s] = math.log1p(-(s + 0.5) / n_tail)
    workspace = np.empty((2, n_draws + 1))
    for k in range(n):
        row = log_lik[k]
        # The largest ratios are the smallest likelihoods; the next one is where the tail begins.
        smallest = _smallest(row, n_tail + 1, workspace)
        least, highest = smallest[0], row.max()
        cutoff = math.exp(least - smallest[n_tail])
        lppd[k] = highest + math.log(_sum_of_exp(row, 1.0, -highest) / n_draws)
        total = _sum_of_exp(row, -1.0, least)
        for s in range(n_tail):  # in ascending order, as the fit takes them
            ratios[s] = _exp_of_negative(least - smallest[n_tail - 1 - s])
            total -= ratios[s]
            tail[s] = ratios[s] - cutoff
        if n_tail < _LEAST_TAIL:
            shape, scale = np.nan, np.nan
        elif not tail[n_tail - 1] > tail[0]:
            shape, scale = -np.inf, np.nan
        else:
            shape, scale = _fit_pareto(tail)
        pareto_k[k] = shape
        if np.isfinite(shape) and scale > 0.0:
            for s in range(n_tail):
                step = math.expm1(-shape * log_rest[s]) / shape if shape != 0.0 else -log_rest[s]
                ratios[s] = min(cutoff + scale * step, 1.0)
        # Every ratio times its likelihood is 1, except for the smoothed ones.
        weighted = float(n_draws - n_tail)
        for s in range(n_tail):
            total += ratios[s]
            weighted += ratios[s] * math.exp(smallest[n_tail - 1 - s] - least)
        elpd[k] = least + math.log(weighted / total) if n_tail >= _LEAST_TAIL else np.nan


def tail_length(n_draws: int, reff: float) -> int:
    """How many ratios PSIS smooths: ``3 sqrt(n / reff)``, a fifth of few draws.

    ``reff`` is the relative efficiency of the draws (effective number over number).
    """
    return int(3 * math.sqrt(n_draws / reff)) if n_draws * reff > 225 else n_draws // 5


@stored_njit(fastmath=_FASTMATH)
def _mean_log1p(theta, x):  # type: ignore[no-untyped-def]
    """Mean over x of ``log(1 - theta x)`` for each theta; one logarithm serves 16 factors."""
    n, m = len(x), len(theta)
    mean, product = np.zeros(m), np.empty(m)
    for start in range(0, n, _PRODUCT):
        part = x[start : start + _PRODUCT]
        product[:] = 1.0
        for excess in part:
            for i in range(m):
                product[i] *= 1.0 - theta[i] * excess
        for i in range(m):
            if 1e-290 < product[i] < 1e290:
                mean[i] += math.log(product[i]) / n
            else:
                for excess in part:
                    mean[i] += math.log1p(-theta[i] * excess) / n
    return mean


@stored_njit(fastmath=_FASTMATH)
def _fit_pareto(x):  # type: ignore[no-untyped-def]
    """Shape k and scale of a generalised Pareto distribution, from ascending excesses x.

    The empirical Bayes estimate of Zhang and Stephens (2009) with the prior on k of Vehtari et
    al. (2024): the posterior mean of ``theta = -k / scale`` over a grid, with the profile
    log-likelihood ``n (log(-theta / k) - k - 1)``, ``k = mean log(1 - theta x)``.
    """
    n = len(x)
    quartile = x[int(n / 4 + 0.5) - 1]
    if quartile <= x[0]:
        return np.nan, np.nan
    m = 30 + int(math.sqrt(n))
    theta, log_density = np.empty(m), np.empty(m)
    for i in range(m):
        theta[i] = (1.0 - math.sqrt(m / (i + 0.5))) / (3.0 * quartile) + 1.0 / x[n - 1]
    k = _mean_log1p(theta, x)
    for i in range(m):
        log_density[i] = n * (math.log(-theta[i] / k[i]) - k[i] - 1.0)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    kept, mean = 0.0, 0.0
    for i in range(m):
        if weight[i] >= 10.0 * 2.220446049250313e-16:
            kept += weight[i]
            mean += weight[i] * theta[i]
    mean /= kept
    shape = 0.0
    for s in range(n):
        shape += math.log1p(-mean * x[s]) / n
    scale = -shape / mean
    shape = (n * shape + _PRIOR_DRAWS * _PRIOR_K) / (n + _PRIOR_DRAWS)
    if math.isnan(shape):
        return np.inf, np.nan
    return shape, scale
