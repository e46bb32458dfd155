"""Posterior predictive checks: votes that the fitted model casts anew beside those that were cast.

Margins of roll calls and yea rates of legislators are what alpha and xi are fitted to, so a wrong
model may still reproduce them; alpha and beta together fit the margins of two parties that stand
apart. No parameter is fitted to the agreement of a pair of legislators: it shows where one position
per legislator is not enough (Gelman, Meng and Stern, 1996; for pairs of items Sinharay, Johnson and
Stern, 2006).

An observed value is outside if it is below the 2.5 % or above the 97.5 % quantile of its
replicates. The number expected by chance is the number of replicates outside their own interval,
averaged over draws. It is smaller than 5 % because counts are whole numbers. The votes that are
checked were also fitted, so fewer than expected are outside if the model is right.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.inference.summary import quantiles
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.votes import YEA, VoteMatrix

Floats = NDArray[np.float64]

INTERVAL = (0.025, 0.975)
KEPT_DRAWS = 400  # whose replicated votes are kept one by one, for pairs
KEPT_PAIRS, LEAST_KEPT = 20_000_000, 100  # pairs times draws: 160 MB; fewer draws for many members
LEAST_COMMON = 10  # votes that a pair must have in common
SURE = 0.99  # more legislators outside than in this share of the replicates are not chance


class Replicates(NamedTuple):
    """Votes that were cast anew in every draw.

    Parameters
    ----------
    legislators : ndarray of int32, shape (n_legislators, n_draws)
        Yeas of every legislator.
    rollcalls : ndarray of int32, shape (n_groups + 1, n_rollcalls, n_draws)
        Yeas on every roll call by group: Democrats, Republicans, and everybody else as the last,
        which is where a party index of -1 leads.
    kept : ndarray of int8, shape (n_observations, n_kept)
        Every single vote, +1 or -1, in some of the draws, row by row of the matrix of votes.
    """

    legislators: NDArray[np.int32]
    rollcalls: NDArray[np.int32]
    kept: NDArray[np.int8]

    @classmethod
    def empty(cls, votes: VoteMatrix, n_draws: int) -> "Replicates":
        """No yea counted yet."""
        n, m = votes.cells.shape
        most = max(KEPT_PAIRS // max(n * (n - 1) // 2, 1), LEAST_KEPT)
        step = -(-n_draws // min(KEPT_DRAWS, most))
        return cls(
            np.zeros((n, n_draws), np.int32),
            np.zeros((len(votes.groups) + 1, m, n_draws), np.int32),
            np.zeros((votes.n_observations, n_draws // step), np.int8),
        )

    def uncounted(self) -> "Replicates":
        """Counts of their own, for one thread; the single votes are shared."""
        return self._replace(
            legislators=np.zeros_like(self.legislators), rollcalls=np.zeros_like(self.rollcalls)
        )

    def add(self, counted: "Replicates") -> None:
        """Add the counts of one thread."""
        self.legislators[:] += counted.legislators
        self.rollcalls[:] += counted.rollcalls


@dataclass(frozen=True, eq=False)
class Predictive:
    """The predictive checks of one run.

    Parameters
    ----------
    metrics : dict
        ``fit/misfit_legislators`` (outside the interval for their share of yeas),
        ``fit/misfit_party_margins``, ``fit/misfit_pairs``; with ``_expected`` the number expected
        by chance. ``fit/misfit_legislators_limit`` and ``fit/misfit_pairs_limit``: by chance the
        number is at most this in 99 % of the replicates.
    checks : DataFrame
        check, id, party, observed, mean, sd, low, high (the central 95 % of the replicates),
        p_outside (share of the replicates outside). Checks: ``rollcall_margin`` (yeas minus nays),
        ``legislator_yea_rate``, ``party_margin`` (of the members of ``party``),
        ``own_party_agreement`` and ``other_party_agreement`` (share of common votes in which a
        legislator agrees with a member of the party, over all other members of it).
    legislators : DataFrame
        One row per legislator with a vote: slug, party, n_votes; yea_rate, own_party and
        other_party, each as ``_observed``, ``_mean``, ``_sd``, ``_low``, ``_high``; pairs and
        pairs_outside; misfit (bool): the share of yeas is outside its interval.
    pairs : DataFrame
        One row per pair with at least ten common votes: first, second, n_common, observed (share of
        them with the same vote), mean, sd, low, high, p_outside.
    """

    metrics: dict[str, float]
    checks: pd.DataFrame
    legislators: pd.DataFrame
    pairs: pd.DataFrame


def predictive_checks(votes: VoteMatrix, replicates: Replicates) -> Predictive:
    """Compare the votes with their replicates."""
    cells, party = votes.cells, votes.party_index
    slugs, vote_ids = np.array(votes.slugs, object), np.array(votes.vote_ids, object)
    yea, cast = cells == YEA, cells != 0
    margins = [_margins("rollcall_margin", vote_ids, yea, cast, replicates.rollcalls.sum(axis=0))]
    for g, name in enumerate(votes.groups):
        of_party = party == g
        yeas = replicates.rollcalls[g]
        margins.append(
            _margins("party_margin", vote_ids, yea[of_party], cast[of_party], yeas, name)
        )
    n = cast.sum(axis=1)
    voted = n > 0  # a legislator without votes has no rate
    rates = _compared(
        yea.sum(axis=1)[voted] / n[voted],
        replicates.legislators[voted] / n[voted, None],
        check="legislator_yea_rate",
        id=slugs[voted],
        party=np.array([member.party for member in votes.legislators], object)[voted],
    )
    pairs, pair_counts, agreements = _agreements(votes, replicates.kept)
    checks = pd.concat([margins[0], rates, *margins[1:], *agreements], ignore_index=True)
    outside = _outside(rates)
    counts = _counts_outside(rates, replicates.legislators[voted] / n[voted, None])
    party_margins = checks[checks["check"] == "party_margin"]
    metrics = {
        "fit/misfit_legislators": float(outside.sum()),
        "fit/misfit_legislators_expected": float(rates["p_outside"].sum()),
        "fit/misfit_legislators_limit": float(np.quantile(counts, SURE, method="higher")),
        "fit/misfit_party_margins": float(_outside(party_margins).sum()),
        "fit/misfit_party_margins_expected": float(party_margins["p_outside"].sum()),
        "fit/misfit_pairs": float(_outside(pairs).sum()),
        "fit/misfit_pairs_expected": float(pairs["p_outside"].sum()),
        "fit/misfit_pairs_limit": float(np.quantile(pair_counts, SURE, method="higher")),
    }
    return Predictive(metrics, checks, _legislators(checks, pairs, votes), pairs)


def _margins(
    check: str,
    ids: NDArray[np.object_],
    yea: NDArray[np.bool_],
    cast: NDArray[np.bool_],
    replicated: Any,
    party: str = "",
) -> pd.DataFrame:
    """Yeas minus nays of every roll call on which one of these members has voted."""
    n = cast.sum(axis=0)
    voted = n > 0
    return _compared(
        2.0 * yea.sum(axis=0)[voted] - n[voted],
        2.0 * replicated[voted] - n[voted, None],
        check=check,
        id=ids[voted],
        party=party,
    )


def _compared(observed: Any, replicated: Any, **names: object) -> pd.DataFrame:
    """Observed values, shape (n,), beside their replicates, shape (n, n_draws)."""
    low, high = quantiles(replicated, INTERVAL)
    beyond = (replicated < low[:, None]) | (replicated > high[:, None])
    return pd.DataFrame(
        {
            **names,
            "observed": observed,
            "mean": replicated.mean(axis=1),
            "sd": replicated.std(axis=1),
            "low": low,
            "high": high,
            "p_outside": beyond.mean(axis=1),
        }
    )


def _outside(table: pd.DataFrame) -> "pd.Series[bool]":
    return (table["observed"] < table["low"]) | (table["observed"] > table["high"])


def _counts_outside(table: pd.DataFrame, replicated: Floats) -> NDArray[np.int64]:
    """In every draw, how many replicates are outside their interval; shape (n_draws,)."""
    low, high = (table[name].to_numpy()[:, None] for name in ("low", "high"))
    return np.asarray(((replicated < low) | (replicated > high)).sum(axis=0))


def _agreements(
    votes: VoteMatrix, kept: NDArray[np.int8]
) -> tuple[pd.DataFrame, NDArray[np.int64], list[pd.DataFrame]]:
    """Agreement of pairs, replicates outside by draw, and agreement with either party.

    The sum over roll calls of the product of two members' votes is their agreements minus their
    disagreements; with the number of common votes it gives the share of agreements.
    """
    cells, party = votes.cells, votes.party_index
    n = len(cells)
    row, column = np.nonzero(cells)
    cast = (cells != 0).astype(np.float32)
    common = cast @ cast.T
    np.fill_diagonal(common, 0)
    first, second = np.nonzero(np.triu(common >= LEAST_COMMON))
    # Members of each group, so that a matrix of pairs times this sums over the group's members.
    # Agreement is looked at with the pair of the scale: a third group is no "other party".
    member = (party[:, None] == np.arange(len(PARTIES))).astype(np.float32)
    paired = (party >= 0) & (party < len(PARTIES))
    # One draw after another in memory: to write a column of a matrix takes several times as long.
    votes_of_draws = np.ascontiguousarray(kept.T)
    places, pair_places = row * cells.shape[1] + column, first * n + second
    pairs_of_draws = np.empty((kept.shape[1], len(first)), np.float32)
    by_party = np.empty((n, len(PARTIES), kept.shape[1]), np.float32)
    signs = np.zeros(cells.shape, np.float32)
    for draw, cast_anew in enumerate(votes_of_draws):
        signs.ravel()[places] = cast_anew
        products = _products(signs)
        np.take(products, pair_places, out=pairs_of_draws[draw], mode="clip")
        by_party[..., draw] = products @ member
    by_pair = np.ascontiguousarray(pairs_of_draws.T)
    observed = _products(cells.astype(np.float32))
    of_pair, of_party = common[first, second], common @ member

    def share(products: Any, votes_in_common: Any) -> Floats:
        return np.asarray((products / votes_in_common + 1) / 2, np.float64)

    slugs, replicated = np.array(votes.slugs, object), share(by_pair, of_pair[:, None])
    pairs = _compared(
        share(observed[first, second], of_pair),
        replicated,
        first=slugs[first],
        second=slugs[second],
        n_common=of_pair.astype(int),
    )
    with_party = observed @ member
    tables = []
    for check, swapped in (("own_party_agreement", False), ("other_party_agreement", True)):
        g = np.where(paired, 1 - party if swapped else party, 0)
        rows = np.flatnonzero(paired & (of_party[np.arange(n), g] >= LEAST_COMMON))
        g, votes_in_common = g[rows], of_party[rows, g[rows]]
        table = _compared(
            share(with_party[rows, g], votes_in_common),
            share(by_party[rows, g], votes_in_common[:, None]),
            check=check,
            id=slugs[rows],
            party=np.array(votes.groups[: len(PARTIES)], object)[g],
        )
        tables.append(table)
    return pairs, _counts_outside(pairs, replicated), tables


def _products(signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Agreements minus disagreements of every pair; a member agrees with nobody alone."""
    products = signs @ signs.T
    np.fill_diagonal(products, 0)
    return products


def _legislators(checks: pd.DataFrame, pairs: pd.DataFrame, votes: VoteMatrix) -> pd.DataFrame:
    """What the checks say about every legislator."""
    columns = ["observed", "mean", "sd", "low", "high"]
    rates = checks[checks["check"] == "legislator_yea_rate"].set_index("id")
    table = rates[["party"]].copy()
    n_votes = pd.Series(np.count_nonzero(votes.cells, axis=1), index=list(votes.slugs))
    table["n_votes"] = n_votes[table.index]
    for prefix, check in (
        ("yea_rate", "legislator_yea_rate"),
        ("own_party", "own_party_agreement"),
        ("other_party", "other_party_agreement"),
    ):
        part = checks[checks["check"] == check].set_index("id")[columns]
        table = table.join(part.add_prefix(f"{prefix}_"))
    beyond = _outside(pairs).to_numpy()
    ends = pd.concat([pairs["first"], pairs["second"]])
    table["pairs"] = ends.value_counts().reindex(table.index, fill_value=0)
    far = ends[np.concatenate([beyond, beyond])]
    table["pairs_outside"] = far.value_counts().reindex(table.index, fill_value=0)
    table["misfit"] = _outside(rates)
    return table.rename_axis("slug").reset_index()
