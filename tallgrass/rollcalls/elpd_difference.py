"""How much better one run predicts the votes than another: ELPD, paired over single votes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

HIGH_K = 0.7  # for a larger Pareto k PSIS would need impractically many draws

_KEY = ["legislator", "rollcall"]


@dataclass(frozen=True)
class ElpdDifference:
    """The difference of two runs' expected log predictive densities, leave-one-out.

    Parameters
    ----------
    difference : float
        ELPD of this run minus that of the other, in nats, summed over all votes: positive where
        this run predicts a vote that it has not seen better.
    se : float
        Standard error of the difference, from the spread of the votes' single differences. It
        takes the votes for independent; votes of one roll call are not quite, so it is rather too
        small.
    n_votes : int
        Number of votes.
    bad_pareto_k : float
        Share of the votes whose Pareto k exceeds 0.7, or is undefined, in either run: the larger,
        the less the difference can be relied on.
    """

    difference: float
    se: float
    n_votes: int
    bad_pareto_k: float


def same_votes(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether two tables of single votes hold the same votes of the same people, in any order."""
    if len(first) != len(second):
        return False
    ordered = (_ordered(table)[[*_KEY, "vote"]] for table in (first, second))
    a, b = (table.to_numpy(str) for table in ordered)
    return bool(np.array_equal(a, b))


def elpd_difference(current: pd.DataFrame, other: pd.DataFrame) -> ElpdDifference | None:
    """Compare the predictions of two runs, vote by vote.

    With d the votes' differences of the log predictive density, the difference is ``sum d`` and
    its standard error ``sqrt(n var d)`` (Vehtari, Gelman and Gabry, 2017, section 5.2), as ArviZ's
    ``compare`` has them.

    Parameters
    ----------
    current, other : DataFrame
        Tables of single votes: legislator, rollcall, vote, elpd_loo, pareto_k.

    Returns
    -------
    ElpdDifference or None
        None where the two are of different votes, whose densities cannot be compared, or where one
        has no density (a run of fewer than 25 draws).

    Examples
    --------
    >>> votes = pd.DataFrame({"legislator": ["a", "b"], "rollcall": "v1", "vote": [1, -1]})
    >>> one = votes.assign(elpd_loo=[-0.1, -0.3], pareto_k=[0.1, 0.9])
    >>> two = votes.assign(elpd_loo=[-0.3, -0.3], pareto_k=[0.2, 0.3])
    >>> elpd_difference(one, two)
    ElpdDifference(difference=0.2, se=0.1414..., n_votes=2, bad_pareto_k=0.5)
    """
    if not same_votes(current, other):
        return None
    a, b = _ordered(current), _ordered(other)
    single = a["elpd_loo"].to_numpy(float) - b["elpd_loo"].to_numpy(float)
    if not len(single) or not np.isfinite(single).all():
        return None
    good = [(table["pareto_k"].to_numpy(float) <= HIGH_K) for table in (a, b)]
    return ElpdDifference(
        difference=float(single.sum()),
        se=float(np.sqrt(len(single) * single.var())),
        n_votes=len(single),
        bad_pareto_k=float(1 - (good[0] & good[1]).mean()),
    )


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    # As text, because slugs that are numbers may come back from a file as numbers.
    return table.astype(dict.fromkeys(_KEY, str)).sort_values(_KEY, ignore_index=True)
