"""The log-likelihood of every vote in every draw, for ArviZ's ``loo`` and ``compare``.

It is not stored with a run, because it is larger than everything else (votes times draws); it is
computed from the draws in about a second.
"""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tallgrass.rollcalls.single_votes import observed_votes
from tallgrass.rollcalls.vote_draws import MAX_DRAWS, block_log_likelihood, blocks_of, thinned
from tallgrass.tracking import reading

if TYPE_CHECKING:
    from xarray import DataTree


def log_likelihood(run: "str | DataTree", max_draws: int = MAX_DRAWS) -> "DataTree":
    """The draws of a run with the group ``log_likelihood``.

    Parameters
    ----------
    run : str or DataTree
        Id of a run on roll calls, or the beginning of it; or its draws.
    max_draws : int
        The most draws to use, evenly spaced in every chain (at least one per chain). The default
        takes those of the run's own fit checks, whose ELPD is then that of ``az.loo``; all draws
        need ``8 * votes * draws`` bytes, 1.7 GB for 27,000 votes and 8000 draws.

    Returns
    -------
    DataTree
        The groups of the run; ``posterior`` is thinned, and ``log_likelihood`` has the variable
        ``votes`` of the dimensions chain, draw, vote: log-probabilities in nats, of the observed
        votes only. The coordinates ``legislator_of`` and ``rollcall_of`` say whose vote it is.

    Raises
    ------
    TrackingError
        When the run is unknown or has no draws.
    DataError
        When the draws are not those of a run on roll calls, or are not finite.

    Examples
    --------
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> tg.log_likelihood(run_id)["log_likelihood"]["votes"].dims
    ('chain', 'draw', 'vote')
    """
    trace = reading.load_trace(run) if isinstance(run, str) else run
    votes = observed_votes(trace)
    row, column = np.nonzero(votes.cells)
    draws = thinned(trace, max_draws)
    values = np.empty((len(row), draws.xi.shape[1]))
    for block in blocks_of(votes.cells):
        block_log_likelihood(block, draws, values[block.part])
    posterior = trace["posterior"].to_dataset().isel(draw=slice(None, None, draws.step))
    by_chain = values.reshape(len(row), draws.chains, -1)
    coords = {
        "chain": posterior["chain"],
        "draw": posterior["draw"],
        "legislator_of": ("vote", np.array(votes.slugs)[row]),
        "rollcall_of": ("vote", np.array(votes.vote_ids)[column]),
    }
    pointwise = xr.DataArray(by_chain, coords, ("vote", "chain", "draw"))
    result = trace.copy()
    result["posterior"] = posterior
    result["log_likelihood"] = xr.Dataset({"votes": pointwise.transpose("chain", "draw", "vote")})
    return result
