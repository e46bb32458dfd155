"""The roll calls that are shown in a picture: those that divide the majority, else the sharpest."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tallgrass.rollcalls.votes import VoteMatrix

SHOWN = 20
_LEAST_SHARE = 0.1  # of the majority's votes that are on its smaller side
_FEWEST = 3  # roll calls that make a picture of their own


class Divisions(NamedTuple):
    """Roll calls with a cut point, the most discriminating first.

    ``party`` is the majority that they divide, with its yeas and nays in the columns ``own_yea``
    and ``own_nay``; it is empty where too few divide it, and the roll calls are the sharpest of
    all: these only separate the parties, and look alike.
    """

    rollcalls: pd.DataFrame
    party: str


def divisions(rollcalls: pd.DataFrame, votes: VoteMatrix) -> Divisions:
    """The roll calls to show, at most twenty.

    Parameters
    ----------
    rollcalls : DataFrame
        One row a roll call: vote_id, beta, cut_point.
    votes : VoteMatrix
        The votes as modelled.
    """
    known = rollcalls.dropna(subset=["cut_point"])
    order = known["beta"].abs().sort_values(ascending=False, kind="stable").index
    sharpest = known.loc[order]
    sizes = [int((votes.party_index == g).sum()) for g in range(len(votes.groups))]
    if not max(sizes, default=0):
        return Divisions(sharpest.head(SHOWN), "")
    majority = int(np.argmax(sizes))
    own = votes.cells[votes.party_index == majority]
    counts = pd.DataFrame(
        {"own_yea": (own == 1).sum(axis=0), "own_nay": (own == -1).sum(axis=0)},
        index=[rollcall.vote_id for rollcall in votes.rollcalls],
    )
    counted = sharpest.join(counts, on="vote_id")
    smaller = counted[["own_yea", "own_nay"]].min(axis=1)
    cast = counted["own_yea"] + counted["own_nay"]
    dividing = counted[smaller >= _LEAST_SHARE * cast.clip(lower=1)]
    if len(dividing) < _FEWEST:
        return Divisions(sharpest.head(SHOWN), "")
    return Divisions(dividing.head(SHOWN), votes.groups[majority])
