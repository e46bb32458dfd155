"""The single votes of a stored run, with how well each was predicted: its table, or made anew."""

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, TallgrassError
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix
from tallgrass.tracking.reading import load_trace, searching
from tallgrass.tracking.reading.records import artifact

if TYPE_CHECKING:
    from xarray import DataTree

# Where a run keeps the table of FitChecks.votes: legislator, rollcall, vote, probability, elpd_loo,
# pareto_k.
SINGLE_VOTES = "tables/votes.parquet"

logger = logging.getLogger(__name__)


def single_votes(run_id: str, n_votes: int | None = None) -> pd.DataFrame | None:
    """The table of single votes of a stored run; None if it has neither the table nor draws.

    Runs of earlier versions have no table: theirs is computed from the draws, which takes about a
    second for a chamber.

    Parameters
    ----------
    run_id : str
        Id of the run, or its beginning.
    n_votes : int, optional
        Number of votes of the run that it is compared with; None where this one has another number.

    Returns
    -------
    DataFrame or None
        One row per observed vote: legislator, rollcall, vote (+1 yea, -1 nay), probability
        (posterior mean of the probability of that vote), elpd_loo (log predictive density, the vote
        left out, in nats), pareto_k.

    Raises
    ------
    TrackingError
        When the run is unknown.
    """
    recorded = searching.find_run(run_id).data.metrics.get("data/n_observations")
    if None not in (recorded, n_votes) and recorded != n_votes:
        return None
    try:
        with artifact(run_id, SINGLE_VOTES) as (_, path):
            return pd.read_parquet(path)
    except TallgrassError:
        pass  # a run of an earlier version, or made without fit checks
    try:
        return votes_of_trace(load_trace(run_id))
    except TallgrassError as error:
        logger.warning("no log predictive densities of run %s: %s", run_id, error)
        return None


def votes_of_trace(trace: "DataTree") -> pd.DataFrame:
    """The table of single votes from draws that hold their votes.

    Raises
    ------
    DataError
        When the draws are not those of a run on roll calls, or are not finite.
    """
    from tallgrass.rollcalls.fit_checks import fit_checks

    return fit_checks(trace, observed_votes(trace), seed=0).votes


def observed_votes(trace: "DataTree") -> VoteMatrix:
    """The votes that are stored with the draws, in their order; names and parties are not there.

    Raises
    ------
    DataError
        When the trace holds no votes.
    """
    if "observed_data" not in trace.children or "votes" not in trace["observed_data"]:
        raise DataError("a trace without votes", trace.attrs.get("run_id"), "is it a calibration?")
    votes = trace["observed_data"]["votes"].transpose("legislator", "rollcall")
    return VoteMatrix(
        votes.to_numpy().astype(np.int8),
        tuple(Legislator(str(slug), str(slug)) for slug in votes["legislator"].to_numpy()),
        tuple(RollCall(str(vote_id)) for vote_id in votes["rollcall"].to_numpy()),
        str(trace.attrs.get("session", "")),
        str(trace.attrs.get("chamber", "")),
    )
