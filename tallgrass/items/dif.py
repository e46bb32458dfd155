"""Differential item functioning: items that are harder for one group than for another as able.

For each group the population N(m, s) is estimated with the items' parameters held, so that a group
that is abler is not taken for an item that is easier. The ability of a person then has a posterior
from the *other* items, on a grid, and slope and intercept of the item in that group maximise

    sum_i log sum_q p_i(x_q) P(y_i | slope, intercept, x_q)

by Newton's method, with Louis' identity for the information (Louis, 1982). The differences of
(log a, b) between a group and the reference are about normal, with the covariance of both and of
the groups' means. Items that differ are left out of the others' abilities, and the whole is
repeated until nothing changes (purification; Lord, 1980; Candell and Drasgow, 1988).

Mantel and Haenszel's odds ratio (:mod:`tallgrass.items.mantel_haenszel`) is given beside it.
Severities follow ETS in its units: delta = -2.35 log odds ratio, which is -2.35 a (difference of b)
of the model.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from scipy.stats import chi2, norm

from tallgrass.errors import DataError
from tallgrass.items.engines.quadrature import log_probabilities
from tallgrass.items.mantel_haenszel import DELTA, mantel_haenszel_table, normalised, severity
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

LIMIT_B = LIMIT_A = 0.3  # differences that matter
B_SD, LOG_A_SD = 0.5, 0.25  # prior of a difference between groups, for its probability
MOST_GROUPS = 10
FEWEST = 30  # users of a group, and answers of a group to an item
_FLAGGED = 0.01  # an item with a smaller p is left out of the others' abilities
_ROUNDS, _STEPS = 5, 30
_GRID = np.linspace(-6, 6, 81)


@dataclass(frozen=True, eq=False)
class _Group:
    """Answers of one group, and the posterior of each ability without any one item."""

    user: NDArray[np.int64]
    log_lik: Floats  # (n_users, n_nodes), of the matching items
    log_prior: Floats
    mean: float
    mean_se: float


def dif_table(
    responses: Responses, items: pd.DataFrame, group: "pd.Series[str]", name: str
) -> pd.DataFrame:
    """Every item in every group against the largest group.

    Parameters
    ----------
    items : DataFrame
        item, a and b, in the responses' order; all a positive.
    group : Series of str, shape (n_users,)
        The group of every user; missing where it is not known.
    name : str
        What the groups are of: the covariate.

    Returns
    -------
    DataFrame
        covariate, group, reference, item, n, n_reference, b_difference, b_difference_sd,
        a_difference, a_difference_sd, p_b and p_a (probability that a difference is beyond 0.3),
        p (that such a difference arises by chance), delta, delta_se and severity (A, B, C) by the
        model, mh_delta, mh_delta_se and mh_severity, matching (whether the item counts for the
        abilities). Those that differ most come first.

    Raises
    ------
    DataError
        As :func:`groups_of`.
    """
    reference, *others = groups_of(group, name)
    known, names = group.notna().to_numpy(), group.where(group.notna(), "").astype(str)
    tables = []
    for focal in others:
        members = [np.flatnonzero(known & (names == one).to_numpy()) for one in (reference, focal)]
        table = _compared(responses, items, members)
        about = {"covariate": name, "group": focal, "reference": reference}
        tables.append(table.assign(**about)[[*about, *table.columns]])
    table = pd.concat(tables, ignore_index=True)
    order = np.lexsort((table["p"].fillna(1.0), -table["severity"].map(_RANK)))
    return table.iloc[order].reset_index(drop=True)


def groups_of(group: "pd.Series[str]", name: str) -> list[str]:
    """The groups of at least 30 users, the largest first: the reference.

    Raises
    ------
    DataError
        When there are fewer than two of them, or more than ten.
    """
    counts = group[group.notna()].astype(str).value_counts()
    large = counts[counts >= FEWEST]
    if 2 <= len(large) <= MOST_GROUPS:
        return sorted(map(str, large.index), key=lambda value: (-int(large[value]), value))
    raise DataError(
        f"dif: {name} must have 2 to {MOST_GROUPS} groups of at least {FEWEST} users",
        f"{len(large)} ({', '.join(f'{k}: {v}' for k, v in counts.head(4).items())})",
        "name a covariate of such groups; cut a number into classes",
    )


_RANK = {"": -1, "A": 0, "B": 1, "C": 2}


def _compared(
    responses: Responses, items: pd.DataFrame, members: list[NDArray[np.int64]]
) -> pd.DataFrame:
    a, b = items["a"].to_numpy(float), items["b"].to_numpy(float)
    code = 2 * responses.item.astype(np.int64) + responses.correct
    shape = (len(responses.users), 2 * len(a))
    answers = sparse.csr_matrix((np.ones(len(code)), (responses.user, code)), shape)
    table = log_probabilities(a, -a * b, _GRID)
    matching = np.ones(len(a), bool)
    seen: list[bytes] = []
    for _ in range(_ROUNDS):
        groups = [_group(answers[rows], table, matching, rows) for rows in members]
        differences = _differences(answers, table, matching, groups, a, b)
        flagged = (differences["p"] < _FLAGGED).to_numpy()
        seen.append(matching.tobytes())
        if flagged.all() or (~flagged).tobytes() in seen:
            break
        matching = ~flagged
    mantel = mantel_haenszel_table(answers, table, matching, members, _GRID)
    return pd.concat(
        [pd.DataFrame({"item": list(responses.items)}), differences, mantel], axis=1
    ).assign(matching=matching)


def _group(
    answers: sparse.csr_matrix, table: Floats, matching: NDArray[np.bool_], user: NDArray[np.int64]
) -> _Group:
    """Population of a group by EM, and the likelihoods of its members."""
    log_lik = np.asarray(answers @ (table * np.repeat(matching, 2)[:, None]))
    mean, sd, spread = 0.0, 1.0, np.ones(len(user))
    for _ in range(200):
        log_prior = -0.5 * ((_GRID - mean) / sd) ** 2
        weight = normalised(log_lik + log_prior)
        eap = weight @ _GRID
        spread = np.maximum(weight @ _GRID**2 - eap**2, 0.0)
        before = mean, sd
        mean, sd = float(eap.mean()), float(np.sqrt(spread.mean() + eap.var()))
        if max(abs(mean - before[0]), abs(sd - before[1])) < 1e-5:
            break
    reliability = max(1.0 - float(spread.mean()) / sd**2, 0.05)
    mean_se = sd / np.sqrt(len(user) * reliability)
    return _Group(user, log_lik, -0.5 * ((_GRID - mean) / sd) ** 2, mean, float(mean_se))


def _differences(
    answers: sparse.csr_matrix,
    table: Floats,
    matching: NDArray[np.bool_],
    groups: list[_Group],
    a: Floats,
    b: Floats,
) -> pd.DataFrame:
    columns = answers.tocsc()
    rows = []
    shared = sum(group.mean_se**2 for group in groups)
    for j in range(len(a)):
        reference, focal = (
            _of_item(columns, table, matching[j], group, j, a[j], b[j]) for group in groups
        )
        rows.append(_difference(reference, focal, shared))
    return pd.DataFrame(rows)


def _of_item(
    columns: sparse.csc_matrix,
    table: Floats,
    counts: bool,
    group: _Group,
    j: int,
    a: float,
    b: float,
) -> tuple[Floats, Floats, int]:
    """(log a, b) of an item in a group by its answers, their covariance, and how many there are."""
    wrong, right = (
        np.asarray(columns[group.user, 2 * j + k].todense(), bool).ravel() for k in (0, 1)
    )
    given = wrong | right
    y = right[given].astype(float)
    n = len(y)
    nothing = np.full(2, np.nan), np.full((2, 2), np.nan), n
    if n < FEWEST or y.min() == y.max():
        return nothing
    log_lik = group.log_lik[given]
    if counts:
        log_lik = log_lik - np.where(y[:, None] > 0, table[2 * j + 1], table[2 * j])
    without = log_lik + group.log_prior
    slope, intercept = a, -a * b
    x = _GRID
    for _ in range(_STEPS):
        z = slope * x + intercept
        p = expit(z)
        of_answer = np.where(y[:, None] > 0, np.log(expit(z)), np.log(expit(-z)))
        weight = normalised(without + of_answer)
        residual = y[:, None] - p
        first = np.stack([(weight * residual * x).sum(axis=1), (weight * residual).sum(axis=1)])
        gradient = first.sum(axis=1)
        complete = weight.sum(axis=0) * p * (1 - p)
        square = (weight * residual**2).sum(axis=0)
        powers = np.stack([x**2, x, np.ones_like(x)])
        (i2, i1, i0), (s2, s1, s0) = powers @ complete, powers @ square
        louis = np.array([[i2 - s2, i1 - s1], [i1 - s1, i0 - s0]]) + first @ first.T
        expected = np.array([[i2, i1], [i1, i0]])
        usable = np.linalg.eigvalsh(louis)[0] > 0
        step = np.linalg.solve(louis if usable else expected, gradient)
        step = np.clip(step, -1.0, 1.0)
        slope, intercept = slope + step[0], intercept + step[1]
        if np.abs(step).max() < 1e-8:
            break
    if not usable or slope <= 0.05:
        return nothing
    turn = np.array([[1 / slope, 0.0], [intercept / slope**2, -1 / slope]])
    covariance = turn @ np.linalg.inv(louis) @ turn.T
    return np.array([np.log(slope), -intercept / slope]), covariance, n


def _difference(
    reference: tuple[Floats, Floats, int], focal: tuple[Floats, Floats, int], shared: float
) -> dict[str, object]:
    gap = focal[0] - reference[0]
    covariance = focal[1] + reference[1] + np.diag([0.0, shared])
    a_reference, a_focal = np.exp(reference[0][0]), np.exp(focal[0][0])
    log_a_sd, b_sd = np.sqrt(np.diag(covariance))
    a = float(np.exp((reference[0][0] + focal[0][0]) / 2))
    known = bool(np.isfinite(gap).all() and np.isfinite(covariance).all())
    p, p_b, p_a = np.nan, np.nan, np.nan
    if known:
        p = float(chi2.sf(gap @ np.linalg.solve(covariance, gap), 2))
        precision = np.linalg.inv(covariance)
        posterior = np.linalg.inv(precision + np.diag([LOG_A_SD**-2, B_SD**-2]))
        centre, sd = posterior @ precision @ gap, np.sqrt(np.diag(posterior))
        p_b = _beyond(centre[1], sd[1], LIMIT_B)
        p_a = _beyond(a * centre[0], a * sd[0], LIMIT_A)
    delta, delta_se = -DELTA * a * gap[1], DELTA * a * b_sd
    return {
        "n": focal[2],
        "n_reference": reference[2],
        "b_difference": gap[1],
        "b_difference_sd": b_sd,
        "a_difference": a_focal - a_reference,
        "a_difference_sd": a * log_a_sd,
        "p_b": p_b,
        "p_a": p_a,
        "p": p,
        "delta": delta,
        "delta_se": delta_se,
        "severity": severity(delta, delta_se),
    }


def _beyond(mean: float, sd: float, limit: float) -> float:
    return float(norm.sf(limit, mean, sd) + norm.cdf(-limit, mean, sd))
