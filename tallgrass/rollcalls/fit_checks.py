"""How well a fitted model predicts the votes: fit measures and posterior predictive checks.

All of them use the probability of each observed vote in each draw. Its posterior mean p gives

- accuracy: the share of votes as predicted, where yea is predicted if P(yea) > 0.5;
- APRE, the aggregate proportional reduction in error: the share of the errors that the model avoids
  compared with always predicting the winning side,
  ``(sum of minority votes - errors) / sum of minority votes`` (Poole, 2005);
- GMP, the geometric mean probability ``exp(mean log p)``.

ELPD is the expected log predictive density of leave-one-out cross-validation by Pareto-smoothed
importance sampling (Vehtari, Gelman and Gabry, 2017), computed as ArviZ does. The predictive checks
(:mod:`tallgrass.rollcalls.predictive`) replicate every observed vote in each draw. Missing votes do
not count.

The checks use 2000 thinned draws. With all 8000 draws of a default run ELPD changed by at most a
tenth of its standard error, nothing else by more than 0.001, and the checks took five times as
long. Processor seconds on the 91st Kansas Legislature: House (27,331 votes) 1.3, against 11
(hierarchical) and 9 (flat) for sampling.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.pointwise import psis_loo, replicate, tail_length
from tallgrass.machine import usable_cores
from tallgrass.rollcalls.elpd_difference import HIGH_K
from tallgrass.rollcalls.predictive import Replicates, predictive_checks
from tallgrass.rollcalls.vote_draws import (
    MAX_DRAWS,
    Block,
    Floats,
    block_log_likelihood,
    blocks_of,
    relative_efficiency,
    thinned,
)
from tallgrass.rollcalls.votes import NAY, YEA, VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

SURPRISE = 0.05  # a vote with a smaller probability is a surprise


@dataclass(frozen=True, eq=False)
class FitChecks:
    """Fit of one run.

    Parameters
    ----------
    metrics : dict
        ``fit/accuracy``, ``fit/apre`` (NaN if every roll call was unanimous), ``fit/gmp``,
        ``fit/elpd_loo``, ``fit/elpd_loo_se``, ``fit/p_loo``, ``fit/pareto_k_above_0.7``,
        ``fit/pareto_k_good`` (ArviZ's limit for this many draws, ``min(1 - 1/log10(n), 0.7)``),
        ``fit/pareto_k_above_good`` (both counts include votes without a k), ``fit/n_draws``,
        ``fit/reff`` (effective draws over draws), ``fit/surprising_votes`` (votes with a
        probability below 0.05), ``fit/surprising_votes_expected`` (as many if the probabilities
        are right), and those of :class:`~tallgrass.rollcalls.predictive.Predictive`. Those of LOO
        are NaN with fewer than 25 draws.
    predictive : DataFrame
        The predictive checks, see :class:`~tallgrass.rollcalls.predictive.Predictive`.
    votes : DataFrame
        One row per observed vote: legislator, rollcall, vote, probability (posterior mean of the
        probability of that vote), elpd_loo, pareto_k.
    legislators, pairs : DataFrame
        The fit of every legislator and of every pair, see
        :class:`~tallgrass.rollcalls.predictive.Predictive`.
    """

    metrics: dict[str, float]
    predictive: pd.DataFrame
    votes: pd.DataFrame
    legislators: pd.DataFrame = field(default_factory=pd.DataFrame)
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)


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
    draws = thinned(trace, max_draws)
    n_draws = draws.xi.shape[1]
    blocks = blocks_of(votes.cells)
    reff = relative_efficiency(blocks, draws)
    n_tail = tail_length(n_draws, reff)
    elpd, pareto_k, lppd = np.empty((3, votes.n_observations))
    replicates = Replicates.empty(votes, n_draws)

    def check(share: list[Block]) -> Replicates:
        counted = replicates.uncounted()
        for block in share:
            log_lik = block_log_likelihood(block, draws)
            part = block.part
            psis_loo(log_lik, n_tail, elpd[part], pareto_k[part], lppd[part])
            uniform = np.random.default_rng((seed, block.first)).random(log_lik.shape, np.float32)
            replicate(
                block.cells,
                block.columns,
                log_lik,
                uniform,
                counted.legislators[block.row],
                counted.rollcalls[votes.party_index[block.row]],
                counted.kept[part],
            )
        return counted

    workers = usable_cores()
    with ThreadPoolExecutor(workers) as pool:
        for counted in pool.map(check, (blocks[start::workers] for start in range(workers))):
            replicates.add(counted)
    predictive = predictive_checks(votes, replicates)
    table = _votes_table(votes, elpd, pareto_k, lppd)
    return FitChecks(
        {
            **_calls(votes.cells, lppd),
            **_loo(elpd, pareto_k, lppd, n_draws),
            "fit/n_draws": float(n_draws),
            "fit/reff": reff,
            **_surprises(lppd),
            **predictive.metrics,
        },
        predictive.checks,
        table,
        predictive.legislators,
        predictive.pairs,
    )


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
    se = np.sqrt(elpd.size * elpd.var(ddof=1)) if elpd.size > 1 else 0.0
    good = min(1 - 1 / np.log10(n_draws), HIGH_K) if n_draws > 1 else HIGH_K
    return {
        "fit/elpd_loo": float(elpd.sum()),
        "fit/elpd_loo_se": float(se),
        "fit/p_loo": float((lppd - elpd).sum()),
        f"fit/pareto_k_above_{HIGH_K}": _not_below(pareto_k, HIGH_K),
        "fit/pareto_k_above_good": _not_below(pareto_k, good),
        "fit/pareto_k_good": float(good),
    }


def _not_below(pareto_k: Floats, limit: float) -> float:
    """The number of votes whose k is larger or undefined."""
    return float(np.count_nonzero(~(pareto_k <= limit)))


def _surprises(lppd: Floats) -> dict[str, float]:
    """Votes of a small probability, and how many there would be if the probabilities were right."""
    cast, against = np.exp(lppd), -np.expm1(lppd)
    unlikely = np.minimum(cast, against)
    return {
        "fit/surprising_votes": float(np.count_nonzero(cast < SURPRISE)),
        "fit/surprising_votes_expected": float(unlikely[unlikely < SURPRISE].sum()),
    }


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
