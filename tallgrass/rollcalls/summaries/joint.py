"""Tables of a joint run: the link of the scales, groups, overlap, and bills that differ (DIF)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import DataError
from tallgrass.inference.summary import Draws, draws_of, hdi, names_of
from tallgrass.rollcalls.chambers import CHAMBERS, GROUPS, JointVotes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.matching import Match

if TYPE_CHECKING:
    from xarray import DataTree

_LEVELS = ("mu_global", "sigma_chamber", "sigma_party")  # of the seed form
SURE = 0.95  # signs count as different if their probability to differ is above this


@dataclass(frozen=True, eq=False)
class JointTables:
    """Tables of a joint run, all on the House's scale (its party means are -1 and +1).

    Parameters
    ----------
    scale : DataFrame
        parameter (delta, k, log_k, sigma_bill, sigma_dif), mean, sd, hdi_low, hdi_high.
    groups : DataFrame
        group, n_legislators, and mean, sd, hdi_low, hdi_high of its mean (``mu``) and spread.
    overlap : DataFrame
        party, first and second (groups): p_right, the probability that a random member of the
        second is right of a random member of the first.
    right_of : DataFrame
        One row per senator, one column per representative (slugs): the probability that the senator
        is right of the representative.
    dif : DataFrame
        One row per matched bill, largest p_opposite first: bill, house, senate (vote ids),
        beta_house, beta_senate, deviation at the Senate's party means (logits; mean, HDI),
        p_opposite. If the model has deviations, also change_delta and change_k, see
        :func:`link_without`.
    chains : DataFrame
        One row per chamber and chain: r, r_democrat, r_republican (correlation of the chain's mean
        positions with the chamber's own fit) and lp, the chain's mean log-density, which differs
        between modes. Empty without a fit to compare with.
    metrics : dict
        Headline figures by metric name.
    """

    scale: pd.DataFrame
    groups: pd.DataFrame
    overlap: pd.DataFrame
    right_of: pd.DataFrame
    dif: pd.DataFrame
    chains: pd.DataFrame
    metrics: dict[str, float]


def matched_bills(joint: JointVotes) -> pd.DataFrame:
    """Every roll call once: bill, house, senate (vote ids), status, reason."""
    return pd.DataFrame(
        [(m.bill, m.house, m.senate, m.status, m.reason) for m in joint.matches],
        columns=["bill", "house", "senate", "status", "reason"],
    )


def joint_tables(trace: "DataTree", joint: JointVotes, own: Draws | None = None) -> JointTables:
    """Compute the tables of a joint run.

    ``own``: positions of all members by a fit of their chamber alone, shape (n_legislators,).
    """
    chains = _chains(trace, joint, own)
    dif = _dif(trace, joint)
    scale = _scale(trace)
    mean, sd = (
        dict(zip(scale["parameter"], scale[column].tolist(), strict=True))
        for column in ("mean", "sd")
    )
    metrics = {
        "joint/delta": mean["delta"],
        "joint/k": mean["k"],
        "joint/delta_sd": sd["delta"],
        "joint/log_k_sd": sd["log_k"],
        "joint/n_opposite": float((dif["p_opposite"] > SURE).sum()),
    }
    if "sigma_dif" in mean:
        metrics["joint/sigma_dif"] = mean["sigma_dif"]
        opposite = set(dif.loc[dif["p_opposite"] > SURE, "bill"])
        changes = link_without(trace, joint, opposite) if len(opposite) < len(dif) else (0.0, 0.0)
        metrics["joint/delta_without_opposite"] = mean["delta"] + changes[0]
        metrics["joint/k_without_opposite"] = mean["k"] + changes[1]
    if len(chains):
        for chamber, part in chains.groupby("chamber"):
            metrics[f"joint/r_{chamber}_min"] = float(part["r"].min())
    return JointTables(
        scale,
        _groups(trace, joint),
        _overlap(trace, joint),
        _right_of(trace, joint),
        dif,
        chains,
        metrics,
    )


def _chains(trace: "DataTree", joint: JointVotes, own: Draws | None) -> pd.DataFrame:
    columns = ["chamber", "chain", "r", "r_democrat", "r_republican", "lp"]
    if own is None:
        return pd.DataFrame(columns=columns)
    means = trace["posterior"]["xi"].mean("draw").transpose("chain", ...).to_numpy()
    statistics = trace["sample_stats"]
    lp = statistics["lp"].mean("draw").to_numpy() if "lp" in statistics else [np.nan] * len(means)
    rows = []
    for chamber in CHAMBERS:
        rows_of_chamber, party = joint.rows[chamber], joint.combined.party_index
        groups = [rows_of_chamber, *(rows_of_chamber[party[rows_of_chamber] == g] for g in (0, 1))]
        for chain, mean in enumerate(means):
            r = [_correlation(mean[rows_of_group], own[rows_of_group]) for rows_of_group in groups]
            rows.append([chamber, chain, *r, float(lp[chain])])
    return pd.DataFrame(rows, columns=columns)


def _correlation(x: Draws, y: Draws) -> float:
    """Correlation; NaN for fewer than three members, or for members at one position."""
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _row(draws: Draws) -> list[float]:
    low, high = hdi(draws)
    return [float(draws.mean()), float(draws.std(ddof=1)), float(low), float(high)]


def _scale(trace: "DataTree") -> pd.DataFrame:
    names = [
        n for n in ("delta", "k", "sigma_bill", "sigma_dif", *_LEVELS) if n in trace["posterior"]
    ]
    draws = {name: draws_of(trace, name)[0] for name in names}
    draws["log_k"] = np.log(draws["k"])
    return pd.DataFrame(
        [[name, *_row(values)] for name, values in draws.items()],
        columns=["parameter", "mean", "sd", "hdi_low", "hdi_high"],
    )


def _groups(trace: "DataTree", joint: JointVotes) -> pd.DataFrame:
    mu, sigma = draws_of(trace, "mu_group"), draws_of(trace, "sigma_within")
    columns = ["mean", "sd", "hdi_low", "hdi_high"]
    return pd.DataFrame(
        [
            [group, int(n), *_row(mu[g]), *_row(sigma[g])]
            for g, (group, n) in enumerate(zip(GROUPS, joint.group_sizes, strict=True))
        ],
        columns=["group", "n_legislators"]
        + [f"mu_{c}" for c in columns]
        + [f"sigma_{c}" for c in columns],
    )


def _members(joint: JointVotes, xi: Draws, group: int) -> Draws:
    party = joint.combined.party_index
    return np.asarray(xi[(joint.chamber_index == group // 2) & (party == group % 2)])


def _overlap(trace: "DataTree", joint: JointVotes) -> pd.DataFrame:
    xi = draws_of(trace, "xi")
    pairs = [(g, g + 2, party) for g, party in enumerate(PARTIES)]
    pairs += [(0, 3, "across"), (1, 2, "across")]
    rows = []
    for first, second, party in pairs:
        first_xi, second_xi = (np.sort(_members(joint, xi, g), axis=0) for g in (first, second))
        share = np.array(
            [
                np.searchsorted(first_xi[:, i], second_xi[:, i]).mean() / len(first_xi)
                for i in range(xi.shape[1])
            ]
        )
        low, high = map(float, hdi(share))
        rows.append([party, GROUPS[first], GROUPS[second], share.mean(), low, high])
    names = ["party", "first", "second", "p_right", "hdi_low", "hdi_high"]
    return pd.DataFrame(rows, columns=names)


def _right_of(trace: "DataTree", joint: JointVotes) -> pd.DataFrame:
    xi = draws_of(trace, "xi")
    house, senate = (xi[joint.rows[c]] for c in ("house", "senate"))
    table = pd.DataFrame({"senator": joint.senate.slugs})
    shares = np.stack([(senator > house).mean(axis=1) for senator in senate])
    return pd.concat([table, pd.DataFrame(shares, columns=list(joint.house.slugs))], axis=1)


def _matched(joint: JointVotes) -> list[Match]:
    return [match for match in joint.matches if match.status == "matched"]


def _pulls(trace: "DataTree", joint: JointVotes) -> tuple[Draws, Draws, Draws]:
    """By matched bill and draw: its estimates of delta and of k, times its weight; its weight.

    A bill's logits in the Senate, ``z = beta_s (delta -/+ k) - alpha_s``, would be
    ``beta_h (delta -/+ k) - alpha_h`` without a deviation. Least squares over the bills, as in the
    density of the deviations, gives delta and k as the sum of these divided by that of the weights.
    """
    column = {name: j for j, name in enumerate(names_of(trace, "rollcall"))}
    alpha, beta = draws_of(trace, "alpha"), draws_of(trace, "beta")
    house, senate = (
        [column[getattr(match, chamber)] for match in _matched(joint)] for chamber in CHAMBERS
    )
    delta, k = draws_of(trace, "delta")[0], draws_of(trace, "k")[0]
    left, right = (beta[senate] * c - alpha[senate] + alpha[house] for c in (delta - k, delta + k))
    b = beta[house]
    return b * (left + right) / 2, b * (right - left) / 2, b**2


def link_without(trace: "DataTree", joint: JointVotes, bills: Collection[str]) -> tuple[float, ...]:
    """The changes of delta and k if these matched bills were left out of the link.

    They are the least-squares link of the other bills minus that of all, averaged over draws. This
    is a first-order approximation: the bills' parameters stay fixed, and the priors of delta and k
    are ignored.

    Raises
    ------
    DataError
        When no bill remains.
    """
    *pulls, weight = _pulls(trace, joint)
    is_left_out = np.array([match.bill in bills for match in _matched(joint)])
    if is_left_out.all():
        raise DataError("no matched bill is left for the link", f"{len(is_left_out)} left out")
    return tuple(
        float(
            _changes(pull[is_left_out].sum(axis=0), weight[is_left_out].sum(axis=0), pull, weight)
        )
        for pull in pulls
    )


def _changes(left_pull: Draws, left_weight: Draws, pull: Draws, weight: Draws) -> Draws:
    """Change of a link without some pull and weight, averaged over draws (the last axis)."""
    total, weights = pull.sum(axis=0), weight.sum(axis=0)
    changed = (total - left_pull) / (weights - left_weight) - total / weights
    return np.asarray(changed.mean(axis=-1))


def _dif(trace: "DataTree", joint: JointVotes) -> pd.DataFrame:
    """Deviations of the Senate's logits at its party means from those of the House's bill."""
    column = {name: j for j, name in enumerate(names_of(trace, "rollcall"))}
    pairs = _matched(joint)
    alpha, beta = draws_of(trace, "alpha"), draws_of(trace, "beta")
    delta, k = draws_of(trace, "delta")[0], draws_of(trace, "k")[0]
    rows = []
    for match in pairs:
        h, s = column[match.house], column[match.senate]
        row: list[object] = [match.bill, match.house, match.senate]
        row += [beta[h].mean(), beta[s].mean()]
        for centre in (delta - k, delta + k):
            shift = (beta[s] - beta[h]) * centre - (alpha[s] - alpha[h])
            low, high = map(float, hdi(shift))
            row += [shift.mean(), low, high]
        rows.append([*row, float(np.mean(beta[h] * beta[s] < 0))])
    columns = ["bill", "house", "senate", "beta_house", "beta_senate"]
    for party in ("democrat", "republican"):
        columns += [f"{party}_{name}" for name in ("mean", "low", "high")]
    table = pd.DataFrame(rows, columns=[*columns, "p_opposite"])
    if "sigma_dif" in trace["posterior"] and len(pairs) > 1:
        *pulls, weight = _pulls(trace, joint)
        for name, pull in zip(("change_delta", "change_k"), pulls, strict=True):
            table[name] = _changes(pull, weight, pull, weight)
    order = ["p_opposite", "bill"]
    return table.sort_values(order, ascending=[False, True], ignore_index=True)
