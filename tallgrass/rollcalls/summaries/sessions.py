"""Tables of a dynamic run with a row a session: scale, parties, distance, medians, overlap."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.summary import Draws, draws_of, hdi
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.groups import PARTIES

if TYPE_CHECKING:
    from xarray import DataTree


def _figures(draws: Draws, prefix: str = "") -> dict[str, float]:
    low, high = hdi(draws)
    values = (draws.mean(), draws.std(ddof=1), low, high)
    names = ("mean", "sd", "hdi_low", "hdi_high")
    return {f"{prefix}{name}": float(v) for name, v in zip(names, values, strict=True)}


def session_table(trace: "DataTree", careers: Careers) -> pd.DataFrame:
    """One row a sitting: see :class:`tallgrass.rollcalls.summaries.careers.CareerTables`."""
    delta, k = draws_of(trace, "delta"), draws_of(trace, "k")
    returning = np.bincount(
        careers.sitting_of_row[careers.links.current], minlength=len(careers.sittings)
    )
    rows = []
    for i, sitting in enumerate(careers.sittings):
        n, m = sitting.votes.cells.shape
        rows.append(
            {
                "session": sitting.session,
                "chamber": sitting.chamber,
                "time": sitting.time,
                "n_legislators": n,
                "n_rollcalls": m,
                "n_votes": sitting.votes.n_observations,
                "n_returning": int(returning[i]),
                "n_new": int(n - returning[i]),
                "is_reference": i == careers.reference_sitting,
                **_figures(delta[i], "delta_"),
                **_figures(k[i], "k_"),
            }
        )
    return pd.DataFrame(rows)


def party_table(trace: "DataTree", xi: Draws, careers: Careers) -> pd.DataFrame:
    """One row a party and sitting."""
    delta, k = draws_of(trace, "delta"), draws_of(trace, "k")
    rows = []
    for i, sitting in enumerate(careers.sittings):
        own = xi[careers.bounds[i] : careers.bounds[i + 1]]
        for g, party in enumerate(PARTIES):
            members = own[sitting.votes.party_index == g]
            spread = _figures(members.std(axis=0), "spread_")
            rows.append(
                {
                    "session": sitting.session,
                    "chamber": sitting.chamber,
                    "time": sitting.time,
                    "party": party,
                    "n_legislators": len(members),
                    **_figures(delta[i] + (2 * g - 1) * k[i]),
                    "spread": spread["spread_mean"],
                    "spread_low": spread["spread_hdi_low"],
                    "spread_high": spread["spread_hdi_high"],
                }
            )
    return pd.DataFrame(rows)


def gap_table(trace: "DataTree", careers: Careers) -> pd.DataFrame:
    """One row a sitting: the distance between the parties' means."""
    gaps = 2 * draws_of(trace, "k")
    rows = []
    for i, sitting in enumerate(careers.sittings):
        before = i - 1 if i and careers.sittings[i - 1].chamber == sitting.chamber else None
        rows.append(
            {
                "session": sitting.session,
                "chamber": sitting.chamber,
                "time": sitting.time,
                **_figures(gaps[i]),
                "share_of_reference": float(gaps[i].mean() / 2),
                "p_wider": np.nan if before is None else float((gaps[i] > gaps[before]).mean()),
            }
        )
    return pd.DataFrame(rows)


def median_table(xi: Draws, careers: Careers) -> pd.DataFrame:
    """Positions of median members; of an even number of members the mean of the middle two."""
    rows = []
    for i, sitting in enumerate(careers.sittings):
        own = xi[careers.bounds[i] : careers.bounds[i + 1]]
        bodies = [("all", np.ones(len(own), bool))]
        bodies += [(p, sitting.votes.party_index == g) for g, p in enumerate(PARTIES)]
        for body, inside in bodies:
            at, members = own[inside], np.flatnonzero(inside)
            order = np.argsort(at, axis=0)
            middle = order[(len(at) - 1) // 2 : len(at) // 2 + 1]  # one row, or two
            chances = np.bincount(middle.ravel(), minlength=len(at)) / at.shape[1]
            likeliest = int(chances.argmax())
            figures = _figures(np.median(at, axis=0))
            rows.append(
                {
                    "session": sitting.session,
                    "chamber": sitting.chamber,
                    "time": sitting.time,
                    "body": body,
                    **figures,
                    "likeliest": sitting.votes.legislators[members[likeliest]].name,
                    "p_likeliest": float(chances[likeliest]),
                }
            )
    return pd.DataFrame(rows)


def overlap_table(careers: Careers, seats: dict[str, list[int]]) -> pd.DataFrame:
    """One row a pair of sittings: persons, careers and bills in common."""
    n = len(careers.sittings)
    common, direct = np.zeros((n, n), int), np.zeros((n, n), int)
    for rows in seats.values():
        sittings = sorted({int(careers.sitting_of_row[row]) for row in rows})
        for a in sittings:
            common[a, sittings] += 1
    np.add.at(
        direct,
        (
            careers.sitting_of_row[careers.links.previous],
            careers.sitting_of_row[careers.links.current],
        ),
        1,
    )
    direct = direct + direct.T
    bills = np.zeros((n, n), int)
    np.add.at(bills, (careers.bridges.house_sitting, careers.bridges.senate_sitting), 1)
    names = [(s.session, s.chamber) for s in careers.sittings]
    return pd.DataFrame(
        [
            [
                *names[a],
                *names[b],
                common[a, b],
                common[a, b] / min(common[a, a], common[b, b]),
                direct[a, b],
                bills[a, b],
            ]
            for a in range(n)
            for b in range(a + 1, n)
        ],
        columns=[
            "first",
            "first_chamber",
            "second",
            "second_chamber",
            "n_common",
            "share_of_smaller",
            "n_links",
            "n_matched_bills",
        ],
    )
