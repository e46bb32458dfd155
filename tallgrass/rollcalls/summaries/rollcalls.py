"""Table of roll calls: difficulty, discrimination, cut point."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import DataError
from tallgrass.inference.summary import TAILS, draws_of, hdi, names_of
from tallgrass.rollcalls.votes import NAY, YEA, VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

MIN_DISCRIMINATION = 0.5  # a cut point alpha / beta means little for a smaller |beta|


def rollcalls_table(trace: "DataTree", votes: VoteMatrix) -> pd.DataFrame:
    """One row per roll call, in the order of the trace.

    Columns: vote_id, bill, motion, vote_type, date, title, yea, nay (counts among the legislators
    of ``votes``), alpha, alpha_sd, beta, beta_sd, beta_low, beta_high (95 % HDI), yea_side
    (``higher`` if a higher ideal point makes a yea likelier, else ``lower``), cut_point, cut_low,
    cut_high. At the cut point yea and nay are equally likely: posterior mean alpha divided by
    posterior mean beta, with the 95 % percentile interval of the ratio of draws; NaN if the mean
    ``|beta|`` is at most 0.5.

    Raises
    ------
    DataError
        When a roll call of the trace is not in the votes.
    """
    vote_ids = names_of(trace, "rollcall")
    column = {vote_id: j for j, vote_id in enumerate(votes.vote_ids)}
    missing = [vote_id for vote_id in vote_ids if vote_id not in column]
    if missing:
        raise DataError("roll call of the trace without votes", missing[0], "other data?")
    columns = [column[vote_id] for vote_id in vote_ids]
    rollcalls = [votes.rollcalls[j] for j in columns]
    alpha, beta = draws_of(trace, "alpha"), draws_of(trace, "beta")
    mean_alpha, mean_beta = alpha.mean(axis=1), beta.mean(axis=1)
    beta_low, beta_high = hdi(beta)
    cut, cut_low, cut_high = np.full((3, len(vote_ids)), np.nan)
    has_cut = np.abs(mean_beta) > MIN_DISCRIMINATION
    cut[has_cut] = mean_alpha[has_cut] / mean_beta[has_cut]
    if has_cut.any():
        # A draw with beta exactly 0 has an infinite cut point.
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = alpha[has_cut] / beta[has_cut]
        cut_low[has_cut], cut_high[has_cut] = np.quantile(
            ratio, TAILS, axis=1, method="inverted_cdf"
        )
    return pd.DataFrame(
        {
            "vote_id": vote_ids,
            "bill": [rollcall.bill for rollcall in rollcalls],
            "motion": [rollcall.motion for rollcall in rollcalls],
            "vote_type": [rollcall.vote_type for rollcall in rollcalls],
            "date": [rollcall.date for rollcall in rollcalls],
            "title": [rollcall.title for rollcall in rollcalls],
            "yea": (votes.cells[:, columns] == YEA).sum(axis=0),
            "nay": (votes.cells[:, columns] == NAY).sum(axis=0),
            "alpha": mean_alpha,
            "alpha_sd": alpha.std(axis=1, ddof=1),
            "beta": mean_beta,
            "beta_sd": beta.std(axis=1, ddof=1),
            "beta_low": beta_low,
            "beta_high": beta_high,
            "yea_side": np.where(mean_beta > 0, "higher", "lower"),
            "cut_point": cut,
            "cut_low": cut_low,
            "cut_high": cut_high,
        }
    )
