"""Integrate the abilities out of the item model with equally spaced nodes.

For nodes x_q with weights w_q = N(x_q; 0, 1) and the likelihood L_iq of user i's responses at x_q,

    log L = sum_i log sum_q w_q L_iq,      p_iq = w_q L_iq / sum_q w_q L_iq

The expected counts of the E-step are sums of p_iq over the users who gave an answer (Bock and
Aitkin, 1981). The rule is accurate to 1e-8 if the spacing is at most the standard deviation of the
narrowest posterior.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel.dense import _FASTMATH, _exp_of_negative
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

LIMIT = 6.0  # the prior probability of larger abilities is 2e-9
LEAST_NODES, MOST_NODES = 61, 4001
PARTS = 4  # parts of the users, each summed separately: a fixed number gives equal sums everywhere
_FEW = 20_000  # answers


@dataclass(frozen=True, eq=False)
class ByUser:
    """Responses sorted by user.

    ``code`` numbers the answers of all items: twice the item plus the answer, where answers are 0
    and 1 (:class:`tallgrass.items.curves.Curves` of other models); ``bounds``, shape
    (n_users + 1,), is where each user's responses begin.
    """

    code: NDArray[np.int32]
    bounds: NDArray[np.int64]
    n_items: int


def by_user(responses: Responses) -> ByUser:
    """The responses sorted by user."""
    order = np.argsort(responses.user, kind="stable")
    code = (2 * responses.item[order] + responses.correct[order]).astype(np.int32)
    counts = np.bincount(responses.user, minlength=len(responses.users))
    return ByUser(code, np.concatenate([[0], np.cumsum(counts)]), len(responses.items))


def by_user_coded(responses: Responses, first: NDArray[np.int64]) -> ByUser:
    """The responses sorted by user; ``first`` is the code of the lowest answer of every item."""
    order = np.argsort(responses.user, kind="stable")
    code = (first[responses.item] + responses.correct)[order].astype(np.int32)
    counts = np.bincount(responses.user, minlength=len(responses.users))
    return ByUser(code, np.concatenate([[0], np.cumsum(counts)]), len(responses.items))


def grid(n_nodes: int) -> tuple[Floats, Floats]:
    """Nodes on [-6, 6] and the logarithms of their weights, which sum to 1."""
    x = np.linspace(-LIMIT, LIMIT, n_nodes)
    log_weight = -0.5 * x * x
    return x, log_weight - math.log(np.exp(log_weight).sum())


def nodes_for(smallest_sd: float) -> int:
    """The number of nodes whose spacing is at most this standard deviation, within limits."""
    n_nodes = 2 * math.ceil(LIMIT / max(smallest_sd, 1e-9)) + 1
    return int(min(max(n_nodes, LEAST_NODES), MOST_NODES))


@dataclass(frozen=True, eq=False)
class Expected:
    """Result of an E-step.

    Parameters
    ----------
    log_lik : float
        Marginal log-likelihood.
    counts : ndarray, shape (2 n_items, n_nodes)
        Expected wrong (even rows) and correct answers (odd rows) at every node.
    theta, theta_sd : ndarray, shape (n_users,)
        Posterior mean and standard deviation of each ability.
    """

    log_lik: float
    counts: Floats
    theta: Floats
    theta_sd: Floats


def over_users[T](data: ByUser, part: Callable[[int, int], T], n_parts: int = PARTS) -> list[T]:
    """The results of ``part(low, high)`` for users low to high - 1, computed in parallel.

    The number of parts is fixed and each has about as many responses, so sums do not depend on the
    machine. Of few answers they are computed one after the other: threads take longer to start.
    """
    n_users = len(data.bounds) - 1
    cuts = np.searchsorted(data.bounds, np.linspace(0, len(data.code), n_parts + 1)[1:-1])
    limits = [0, *map(int, cuts)], [*map(int, cuts), n_users]
    if len(data.code) < _FEW:
        return list(map(part, *limits))
    with ThreadPoolExecutor(n_parts) as pool:
        return list(pool.map(part, *limits))


def expect(
    data: ByUser, slope: Floats, intercept: Floats, x: Floats, log_weight: Floats
) -> Expected:
    """The E-step at slopes and intercepts (``z = slope x + intercept``)."""
    return expect_answers(data, log_probabilities(slope, intercept, x), x, log_weight)


def expect_answers(data: ByUser, table: Floats, x: Floats, log_weight: Floats) -> Expected:
    """The E-step at log-probabilities of every answer, shape (n_codes, n_nodes)."""
    n_users = len(data.bounds) - 1
    theta, theta_sd = np.empty(n_users), np.empty(n_users)

    def part(low: int, high: int) -> tuple[float, Floats]:
        counts = np.zeros_like(table)
        value = _expect(
            data.code, data.bounds[low : high + 1], table, x, log_weight, counts,
            theta[low:high], theta_sd[low:high],
        )  # fmt: skip
        return value, counts

    parts = over_users(data, part)
    counts = np.sum([c for _, c in parts], axis=0)
    return Expected(float(sum(value for value, _ in parts)), counts, theta, theta_sd)


def abilities(
    data: ByUser, slope: Floats, intercept: Floats, x: Floats, log_weight: Floats
) -> Floats:
    """Posterior means of the abilities (EAP; Bock and Mislevy, 1982), shape (n_users,)."""
    table = log_probabilities(slope, intercept, x)
    theta = np.empty(len(data.bounds) - 1)

    def part(low: int, high: int) -> None:
        _means(data.code, data.bounds[low : high + 1], table, x, log_weight, theta[low:high])

    over_users(data, part)
    return theta


@stored_njit()
def _means(code, bounds, table, x, log_weight, theta):  # type: ignore[no-untyped-def]
    density = np.empty(len(x))
    for i in range(len(bounds) - 1):
        user_posterior(code[bounds[i] : bounds[i + 1]], table, log_weight, density)
        mean = 0.0
        for q in range(len(x)):
            mean += density[q] * x[q]
        theta[i] = mean


@stored_njit()
def log_probabilities(slope, intercept, x):  # type: ignore[no-untyped-def]
    """Log-probability of a wrong (even rows) and a correct answer (odd rows) at every node."""
    table = np.empty((2 * len(slope), len(x)))
    for j in range(len(slope)):
        for q in range(len(x)):
            z = slope[j] * x[q] + intercept[j]
            soft = math.log1p(math.exp(-abs(z)))
            table[2 * j, q] = min(-z, 0.0) - soft
            table[2 * j + 1, q] = min(z, 0.0) - soft
    return table


@stored_njit(fastmath=_FASTMATH)
def _add(total, row):  # type: ignore[no-untyped-def]
    for q in range(len(total)):
        total[q] += row[q]


@stored_njit(fastmath=_FASTMATH)
def _add_four(total, first, second, third, fourth):  # type: ignore[no-untyped-def]
    for q in range(len(total)):
        total[q] += (first[q] + second[q]) + (third[q] + fourth[q])


@stored_njit(fastmath=_FASTMATH)
def normalise(log_density):  # type: ignore[no-untyped-def]
    """Log of the sum of exponentials; the vector is overwritten with the normalised ones."""
    highest = log_density[0]
    for q in range(len(log_density)):
        highest = max(highest, log_density[q])
    total = 0.0
    for q in range(len(log_density)):
        e = _exp_of_negative(log_density[q] - highest)
        log_density[q] = e
        total += e
    inverse = 1.0 / total
    for q in range(len(log_density)):
        log_density[q] *= inverse
    return highest + math.log(total)


@stored_njit()
def user_posterior(code, table, log_weight, density):  # type: ignore[no-untyped-def]
    """Overwrite ``density`` with p_iq of one user; returns the log of their likelihood."""
    density[:] = log_weight
    k = 0
    while k + 4 <= len(code):
        _add_four(
            density, table[code[k]], table[code[k + 1]], table[code[k + 2]], table[code[k + 3]]
        )
        k += 4
    while k < len(code):
        _add(density, table[code[k]])
        k += 1
    return normalise(density)


@stored_njit()
def _expect(code, bounds, table, x, log_weight, counts, theta, theta_sd):  # type: ignore[no-untyped-def]
    total = 0.0
    density = np.empty(len(x))
    for i in range(len(bounds) - 1):
        code_of_user = code[bounds[i] : bounds[i + 1]]
        total += user_posterior(code_of_user, table, log_weight, density)
        for k in code_of_user:
            _add(counts[k], density)
        mean, square = 0.0, 0.0
        for q in range(len(x)):
            mean += density[q] * x[q]
        for q in range(len(x)):
            square += density[q] * (x[q] - mean) ** 2
        theta[i], theta_sd[i] = mean, math.sqrt(square)
    return total
