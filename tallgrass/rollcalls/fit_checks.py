"""How well a fitted model predicts the votes: fit measures and posterior predictive checks.

All of them use the probability of each observed vote in each draw. Its posterior mean p gives

- accuracy: the share of votes as predicted, where yea is predicted if P(yea) > 0.5;
- APRE, the aggregate proportional reduction in error: the share of the errors that the model avoids
  compared with always predicting the winning side,
  ``(sum of minority votes - errors) / sum of minority votes`` (Poole, 2005);
- GMP, the geometric mean probability ``exp(mean log p)``.

ELPD is the expected log predictive density of leave-one-out cross-validation by Pareto-smoothed
importance sampling (Vehtari, Gelman and Gabry, 2017), computed as ArviZ does. The predictive checks
replicate every observed vote in each draw, and compare margins of roll calls and yea rates of
legislators. Missing votes do not count.

The checks use 2000 thinned draws. With all 8000 draws of a default run ELPD changed by at most a
tenth of its standard error, nothing else by more than 0.001, and the checks took five times as
long. Processor seconds on the 91st Kansas Legislature: House (27,331 votes) 0.7, against 11
(hierarchical) and 9 (flat) for sampling; Senate (7,022) 0.2, against 4.2 and 2.7; 5 to 8 %.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.pointwise import pointwise_loglik, psis_loo, replicate, tail_length
from tallgrass.rollcalls.votes import NAY, YEA, VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

Floats = NDArray[np.float64]

MAX_DRAWS = 2000
HIGH_K = 0.7  # for a larger k PSIS would need impractically many draws
_INTERVAL = (0.025, 0.975)
_BLOCK = 512  # votes per block: 8 MB of log-likelihoods at 2000 draws
_EFFICIENCY_VOTES = 100  # the sample of votes that gives the effective sample size of all
_CERTAIN = 1e-12  # a probability with a smaller range is the same in every draw
_LEAST_CHAIN = 4  # draws per chain that an effective sample size needs


@dataclass(frozen=True, eq=False)
class FitChecks:
    """Fit of one run.

    Parameters
    ----------
    metrics : dict
        ``fit/accuracy``, ``fit/apre`` (NaN if every roll call was unanimous), ``fit/gmp``,
        ``fit/elpd_loo``, ``fit/elpd_loo_se``, ``fit/p_loo``, ``fit/pareto_k_above_0.7``,
        ``fit/pareto_k_good`` (ArviZ's limit for this many draws, ``min(1 - 1/log10(n), 0.7)``),
        ``fit/pareto_k_above_good`` (both counts include votes without a k), ``fit/n_draws`` and
        ``fit/reff`` (effective draws over draws). Those of LOO are NaN with fewer than 25 draws.
    predictive : DataFrame
        Columns check (``rollcall_margin``, yeas minus nays, or ``legislator_yea_rate``), id,
        observed, mean, low, high: the mean and the central 95 % of the replicates.
    votes : DataFrame
        One row per observed vote: legislator, rollcall, vote, probability (posterior mean of the
        probability of that vote), elpd_loo, pareto_k.
    """

    metrics: dict[str, float]
    predictive: pd.DataFrame
    votes: pd.DataFrame


class _Draws(NamedTuple):
    """Thinned draws, chain by chain; shapes (n, n_draws)."""

    xi: Floats
    alpha: Floats
    beta: Floats
    chains: int


class _Block(NamedTuple):
    """Some observed votes of one legislator; ``first`` counts the votes of earlier blocks."""

    first: int
    row: int
    columns: NDArray[np.int64]
    cells: NDArray[np.int8]


class _Yeas(NamedTuple):
    """Yeas in every draw; shapes (n_legislators, n_draws) and (n_rollcalls, n_draws)."""

    legislators: NDArray[np.int32]
    rollcalls: NDArray[np.int32]


def fit_checks(
    trace: "DataTree", votes: VoteMatrix, seed: int, max_draws: int = MAX_DRAWS
) -> FitChecks:
    """Compute the fit measures and predictive checks of a run.

    Parameters
    ----------
    trace : DataTree
        A trace whose posterior has xi, alpha and beta.
    votes : VoteMatrix
        The votes of the model.
    seed : int
        Seed of the replicated votes. Results do not depend on the number of cores.
    max_draws : int
        The most draws to use, evenly spaced in every chain (at least one per chain).

    Raises
    ------
    DataError
        When there are no votes, or a draw that is not finite.
    """
    if not votes.n_observations:
        raise DataError("no votes to check the fit on", votes.session)
    draws = _thinned(trace, max_draws)
    n_draws = draws.xi.shape[1]
    blocks = _blocks(votes.cells)
    reff = _relative_efficiency(blocks, draws)
    n_tail = tail_length(n_draws, reff)
    elpd, pareto_k, lppd = np.empty((3, votes.n_observations))

    def check(share: list[_Block]) -> _Yeas:
        yeas = _Yeas(*(np.zeros((n, n_draws), np.int32) for n in votes.cells.shape))
        for block in share:
            log_lik = _log_likelihood(block, draws)
            part = slice(block.first, block.first + len(block.cells))
            psis_loo(log_lik, n_tail, elpd[part], pareto_k[part], lppd[part])
            uniform = np.random.default_rng((seed, block.first)).random(log_lik.shape, np.float32)
            of_legislator = yeas.legislators[block.row]
            replicate(block.cells, block.columns, log_lik, uniform, of_legislator, yeas.rollcalls)
        return yeas

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(check, (blocks[start::workers] for start in range(workers))))
    return FitChecks(
        {
            **_calls(votes.cells, lppd),
            **_loo(elpd, pareto_k, lppd, n_draws),
            "fit/n_draws": float(n_draws),
            "fit/reff": reff,
        },
        _predictive(votes, _Yeas(*(np.sum(part, axis=0) for part in zip(*parts, strict=True)))),
        _votes_table(votes, elpd, pareto_k, lppd),
    )


def _thinned(trace: "DataTree", max_draws: int) -> _Draws:
    posterior = trace["posterior"]
    chains, per_chain = posterior.sizes["chain"], posterior.sizes["draw"]
    step = -(-per_chain // max(max_draws // chains, 1))
    xi, alpha, beta = (
        # (chain, draw, n) -> (n, draws), copied because the kernel loops over the draws
        np.concatenate(posterior[name].to_numpy()[:, ::step], axis=0).T.copy()
        for name in ("xi", "alpha", "beta")
    )
    if not all(np.isfinite(x).all() for x in (xi, alpha, beta)):
        raise DataError("the trace holds draws that are not finite")
    return _Draws(xi, alpha, beta, chains)


def _blocks(cells: NDArray[np.int8]) -> list[_Block]:
    blocks, first = [], 0
    for row, cells_of_row in enumerate(cells):
        cast = np.flatnonzero(cells_of_row)
        for start in range(0, len(cast), _BLOCK):
            columns = cast[start : start + _BLOCK]
            blocks.append(_Block(first, row, columns, cells_of_row[columns]))
            first += len(columns)
    return blocks


def _log_likelihood(block: _Block, draws: _Draws) -> Floats:
    """Shape (votes of the block, n_draws)."""
    out = np.empty((len(block.cells), draws.xi.shape[1]))
    position = draws.xi[block.row]
    pointwise_loglik(block.cells, block.columns, position, draws.alpha, draws.beta, out)
    return out


def _relative_efficiency(blocks: list[_Block], draws: _Draws) -> float:
    """The effective number of draws divided by the number of draws.

    One number for all votes, as in ArviZ, but it is the mean over likelihoods, which PSIS averages,
    and not over parameters. The votes come from evenly spaced legislators, and from a different
    roll call for each.
    """
    chosen = blocks[:: -(-len(blocks) // _EFFICIENCY_VOTES)]
    likelihoods = []
    for i, block in enumerate(chosen):
        position = [i * len(block.cells) // len(chosen)]
        vote = block._replace(columns=block.columns[position], cells=block.cells[position])
        likelihoods.append(np.exp(_log_likelihood(vote, draws)))
    by_chain = np.reshape(likelihoods, (len(chosen), draws.chains, -1))
    # A vote that is certain in every draw has no effective number of draws (ArviZ returns the
    # absolute number for it), and neither has a chain of fewer than four draws.
    by_chain = by_chain[np.ptp(by_chain, axis=(1, 2)) > _CERTAIN]
    if not len(by_chain) or by_chain.shape[2] < _LEAST_CHAIN:
        return 1.0
    return float(np.mean(array_stats.ess(by_chain, method="mean", relative=True)))


def _calls(cells: NDArray[np.int8], lppd: Floats) -> dict[str, float]:
    """Accuracy, APRE and GMP from the log of each vote's probability."""
    yea = cells[cells != 0] == YEA
    p_yea = np.where(yea, np.exp(lppd), -np.expm1(lppd))
    errors = int(np.count_nonzero((p_yea > 0.5) != yea))
    minority = int(np.minimum((cells == YEA).sum(axis=0), (cells == NAY).sum(axis=0)).sum())
    return {
        "fit/accuracy": 1 - errors / len(yea),
        "fit/apre": (minority - errors) / minority if minority else np.nan,
        "fit/gmp": float(np.exp(lppd.mean())),
    }


def _loo(elpd: Floats, pareto_k: Floats, lppd: Floats, n_draws: int) -> dict[str, float]:
    total, se, p_loo, _ = array_stats.loo_summary(elpd, lppd - elpd)
    good = min(1 - 1 / np.log10(n_draws), HIGH_K) if n_draws > 1 else HIGH_K
    return {
        "fit/elpd_loo": float(total),
        "fit/elpd_loo_se": float(se),
        "fit/p_loo": float(p_loo),
        f"fit/pareto_k_above_{HIGH_K}": _not_below(pareto_k, HIGH_K),
        "fit/pareto_k_above_good": _not_below(pareto_k, good),
        "fit/pareto_k_good": float(good),
    }


def _not_below(pareto_k: Floats, limit: float) -> float:
    """The number of votes whose k is larger or undefined."""
    return float(np.count_nonzero(~(pareto_k <= limit)))


def _predictive(votes: VoteMatrix, replicated: _Yeas) -> pd.DataFrame:
    """Observed and replicated margins of roll calls, then yea rates of legislators."""
    cells = votes.cells
    tables = []
    for check, ids, axis, yeas in (
        ("rollcall_margin", votes.vote_ids, 0, replicated.rollcalls),
        ("legislator_yea_rate", votes.slugs, 1, replicated.legislators),
    ):
        n = np.count_nonzero(cells, axis=axis)
        counts = np.column_stack([(cells == YEA).sum(axis=axis), yeas])
        cast = n > 0  # a legislator without votes has no rate
        values = counts[cast] / n[cast, None] if axis else 2.0 * counts[cast] - n[cast, None]
        low, high = np.quantile(values[:, 1:], _INTERVAL, axis=1)
        tables.append(
            pd.DataFrame(
                {
                    "check": check,
                    "id": np.array(ids, object)[cast],
                    "observed": values[:, 0],
                    "mean": values[:, 1:].mean(axis=1),
                    "low": low,
                    "high": high,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _votes_table(votes: VoteMatrix, elpd: Floats, pareto_k: Floats, lppd: Floats) -> pd.DataFrame:
    row, column = np.nonzero(votes.cells)
    return pd.DataFrame(
        {
            "legislator": np.array(votes.slugs, object)[row],
            "rollcall": np.array(votes.vote_ids, object)[column],
            "vote": votes.cells[row, column],
            "probability": np.exp(lppd),
            "elpd_loo": elpd,
            "pareto_k": pareto_k,
        }
    )
