"""Mantel and Haenszel's test of differential item functioning, on the scale of ETS.

The common odds ratio over strata of ability (Holland and Thayer, 1988), with the variance of
Robins, Breslow and Greenland (1986), as delta = -2.35 log odds ratio. Severities follow ETS
(Zwick, 2012).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

Floats = NDArray[np.float64]

DELTA = 2.35  # units of ETS's delta in a log odds ratio
_STRATA = 20


def mantel_haenszel_table(
    answers: sparse.csr_matrix,
    table: Floats,
    matching: NDArray[np.bool_],
    members: list[NDArray[np.int64]],
    grid: Floats,
) -> pd.DataFrame:
    """Every item of two groups over strata: number right, or twentieths of ability with gaps.

    Parameters
    ----------
    answers : sparse array, shape (n_users, 2 n_items)
        1 in column 2 j of a wrong answer to item j, and in 2 j + 1 of a right one.
    table : ndarray, shape (2 n_items, n_nodes)
        Log-probability of these answers at the nodes of ``grid``.
    matching : ndarray of bool, shape (n_items,)
        Whether an item counts for the strata; the item itself always does.
    members : list of two ndarrays
        Rows of the reference group and of the other one.

    Returns
    -------
    DataFrame
        mh_delta, mh_delta_se and mh_severity, one row an item.
    """
    rows = np.concatenate(members)
    focal = np.arange(len(rows)) >= len(members[0])
    chosen = answers[rows]
    right = np.asarray(chosen[:, 1::2].todense())
    given = right + np.asarray(chosen[:, 0::2].todense())
    complete = bool(given.all())
    counts = right @ matching
    log_lik = np.asarray(chosen @ (table * np.repeat(matching, 2)[:, None]))
    found = []
    for j in range(given.shape[1]):
        if complete:
            strata = np.asarray(counts + (0 if matching[j] else right[:, j]), np.float64)
        else:
            own = 0.0 if matching[j] else chosen[:, [2 * j, 2 * j + 1]] @ table[2 * j : 2 * j + 2]
            theta = normalised(log_lik + own - 0.5 * grid**2) @ grid
            of_item = theta[given[:, j] > 0]
            cuts = np.unique(np.quantile(of_item, np.linspace(0, 1, _STRATA + 1)[1:-1]))
            strata = np.searchsorted(cuts, theta).astype(np.float64)
        use = given[:, j] > 0
        delta, se = mantel_haenszel(right[use, j], focal[use], strata[use])
        row = {"mh_delta": delta, "mh_delta_se": se, "mh_severity": severity(delta, se)}
        found.append(row)
    return pd.DataFrame(found)


def mantel_haenszel(right: Floats, focal: NDArray[np.bool_], strata: Floats) -> tuple[float, float]:
    """-2.35 times the log of the common odds ratio, and its standard error; NaN if not defined.

    Negative where the item is harder for the focal group.
    """
    _, place = np.unique(strata, return_inverse=True)
    cells = [
        np.bincount(place, chosen)
        for chosen in (
            ~focal * (right > 0), ~focal * (right == 0), focal * (right > 0), focal * (right == 0),
        )
    ]  # fmt: skip
    a, b, c, d = cells
    total = np.maximum(a + b + c + d, 1.0)
    r, s = a * d / total, b * c / total
    if not (r.sum() > 0 and s.sum() > 0):
        return float("nan"), float("nan")
    p, q = (a + d) / total, (b + c) / total
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    return float(-DELTA * np.log(r.sum() / s.sum())), float(DELTA * np.sqrt(variance))


def normalised(log_weight: Floats) -> Floats:
    """Weights that sum to 1 over the last axis, from their logarithms."""
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def severity(delta: float, se: float) -> str:
    """A (negligible), B or C (large), as ETS classifies; empty where nothing is known.

    A: below 1, or not different from 0 at 5 %. C: at least 1.5, and more than 1 at 5 %.
    """
    if not (np.isfinite(delta) and np.isfinite(se)):
        return ""
    if abs(delta) < 1 or abs(delta) < norm.ppf(0.975) * se:
        return "A"
    if abs(delta) >= 1.5 and abs(delta) - norm.ppf(0.95) * se > 1:
        return "C"
    return "B"
