"""What made the gap between the parties: members who moved, or members who were replaced.

For a party in two sittings of a chamber let S be the members of both sittings who are of the party
in both. Its mean changes by

    movement     mean of S in the later sitting - mean of S in the earlier one
    replacement  the rest: how far those who came stand from S in the later sitting, and those who
                 left stood from S in the earlier one, in proportion to their share of the party

and the gap by those of the Republicans minus those of the Democrats. Without a common member all is
replacement.
"""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from tallgrass.inference.summary import Draws, hdi
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.groups import PARTIES

PARTS = ("change", "movement", "replacement", "entering", "leaving")


class Parts(NamedTuple):
    """Draws of a change and its parts: change = movement + entering + leaving."""

    change: Draws
    movement: Draws
    replacement: Draws
    entering: Draws
    leaving: Draws

    def less(self, other: "Parts") -> "Parts":
        """The difference of two changes, part by part."""
        return Parts(*(a - b for a, b in zip(self, other, strict=True)))


def gap_decomposition(xi: Draws, careers: Careers) -> pd.DataFrame:
    """One row for each party and for the gap, between sittings that follow each other and overall.

    Parameters
    ----------
    xi : ndarray, shape (n_member_sessions, n_draws)
        Positions, sitting after sitting.

    Returns
    -------
    DataFrame
        chamber, span (``step`` or ``whole``: the first and the last sitting), first, last
        (sessions), of (a party, or ``gap``), n_stay (members of both), n_enter, n_leave; change,
        movement, replacement, entering, leaving: posterior means, with ``_low`` and ``_high`` (95 %
        HDI) of the first three; p_movement (probability that movement and change have one sign and
        movement is more than half of the change).
    """
    rows = []
    for chamber in careers.chambers:
        own = [i for i, s in enumerate(careers.sittings) if s.chamber == chamber]
        spans = [("step", a, b) for a, b in itertools.pairwise(own)]
        spans.append(("whole", own[0], own[-1]))
        for span, first, last in spans:
            if first == last:
                continue
            parts, counts = [], []
            for g in range(len(PARTIES)):
                part, count = _parts(xi, careers, first, last, g)
                parts.append(part)
                counts.append(count)
            named = [*zip(PARTIES, parts, counts, strict=True)]
            named.append(("gap", parts[1].less(parts[0]), tuple(np.sum(counts, axis=0).tolist())))
            sessions = [careers.sittings[i].session for i in (first, last)]
            rows += [
                [chamber, span, *sessions, of, *count, *_figures(part)] for of, part, count in named
            ]
    names = [c for p in PARTS[:3] for c in (p, f"{p}_low", f"{p}_high")]
    columns = ["chamber", "span", "first", "last", "of", "n_stay", "n_enter", "n_leave"]
    return pd.DataFrame(rows, columns=[*columns, *names, *PARTS[3:], "p_movement"])


def _parts(
    xi: Draws, careers: Careers, first: int, last: int, party: int
) -> tuple[Parts, tuple[int, int, int]]:
    rows = []
    for sitting in (first, last):
        start = careers.bounds[sitting]
        inside = np.flatnonzero(careers.sittings[sitting].votes.party_index == party)
        rows.append({careers.persons.of_seat[start + i]: int(start + i) for i in inside})
    before, after = rows
    common = sorted(set(before) & set(after))
    means = [xi[list(of_sitting.values())].mean(axis=0) for of_sitting in rows]
    change = means[1] - means[0]
    counts = (len(common), len(after) - len(common), len(before) - len(common))
    if not common:
        none = np.zeros_like(change)
        # Nobody to measure against: who came and who left cannot be told apart.
        return Parts(change, none, change, change, none), counts
    stay = [xi[[of_sitting[person] for person in common]].mean(axis=0) for of_sitting in rows]
    movement = stay[1] - stay[0]
    entering, leaving = means[1] - stay[1], stay[0] - means[0]
    return Parts(change, movement, entering + leaving, entering, leaving), counts


def _figures(part: Parts) -> list[float]:
    figures: list[float] = []
    for draws in part[:3]:
        low, high = hdi(draws)
        figures += [float(draws.mean()), float(low), float(high)]
    mostly = part.movement * part.change > part.change**2 / 2
    return [*figures, float(part.entering.mean()), float(part.leaving.mean()), float(mostly.mean())]
