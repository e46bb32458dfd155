"""Pictures of the parties: their positions, how much they explain, and their spread."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.palette import COLOURS, HATCHES, MARKERS, group
from tallgrass.report.style import (
    ACCENT,
    INK,
    Floats,
    draw_density,
    hide_y,
    label_axes,
    new_figure,
    party_legend,
)
from tallgrass.rollcalls.groups import members_of
from tallgrass.rollcalls.plots.ideal import scale_label

_IN_LEGEND = 3  # entries on a line


def party_positions(parties: Sequence[str], mu: Floats, ideal: pd.DataFrame) -> Figure:
    """Posterior density of each party's mean, with the members' ideal points below.

    Parameters
    ----------
    parties : sequence of str
        Names in the order of ``mu``.
    mu : ndarray, shape (n_parties, n_draws)
        Draws of the party means.
    ideal : DataFrame
        Columns party and mean, one row per legislator.
    """
    figure, axes = new_figure(3.5, margins=(0.4, 0.3, 0.4, 0.5))
    ax: Axes = axes[0, 0]
    heights = [
        draw_density(ax, draws, COLOURS[group(party)])
        for party, draws in zip(parties, mu, strict=True)
    ]
    top = max(heights)
    for g, party in enumerate(parties):
        members = ideal["mean"][ideal["party"] == party]
        level = np.full(len(members), -(0.12 + 0.13 * g) * top)
        kind, colour = MARKERS[group(party)], COLOURS[group(party)]
        ax.plot(members, level, kind, color=colour, markersize=5, alpha=0.45, markeredgewidth=0)
    ax.axhline(0, color="#9aa1ab", linewidth=0.8)
    hide_y(ax)
    label_axes(ax, scale_label(parties))
    party_legend(ax, list(parties))
    return figure


def icc(draws: Floats, interval: tuple[float, float]) -> Figure:
    """Posterior density of the share of the variance that party explains.

    Parameters
    ----------
    draws : ndarray, shape (n_draws,)
        Shares between 0 and 1.
    interval : tuple of float
        Ends of the 95 % interval.
    """
    figure, axes = new_figure(2.3, margins=(0.4, 0.3, 0.1, 0.5))
    ax: Axes = axes[0, 0]
    top = draw_density(ax, 100 * draws, ACCENT)
    low, high = 100 * interval[0], 100 * interval[1]
    middle = 100 * float(np.mean(draws))
    ax.hlines(-0.08 * top, low, high, color=ACCENT, linewidth=4)
    ax.plot([middle], [-0.08 * top], "o", color=ACCENT, markersize=8, markeredgecolor="white")
    # The text stands beside the interval, on the side with room.
    room = low > 50
    words = f"{middle:.0f} %  ({low:.0f} to {high:.0f})"
    ax.text(
        low - 1.5 if room else high + 1.5, -0.08 * top, words,
        ha="right" if room else "left", va="center", fontsize=9.5, color=INK,
    )  # fmt: skip
    ax.set_xlim(0, 100)
    ax.set_ylim(-0.2 * top, None)
    hide_y(ax)
    label_axes(ax, "Share of the differences between legislators that party explains (%)")
    return figure


def variance_bar(table: pd.DataFrame) -> Figure:
    """One bar, divided into the variance between the parties and within each of them.

    Parameters
    ----------
    table : DataFrame
        Columns component (``between``, ``within``), party, share.
    """
    parts = table[table["component"] != "total"]
    more = 0.22 * (math.ceil(len(parts) / _IN_LEGEND) - 1)  # lines of the legend, in inches
    figure, axes = new_figure(1.45 + more, margins=(0.3, 0.3, 0.4 + more, 0.5))
    ax: Axes = axes[0, 0]
    left = 0.0
    handles = []
    for component, party, share in zip(
        parts["component"], parts["party"], 100 * parts["share"], strict=True
    ):
        colour = ACCENT if component == "between" else COLOURS[group(party)]
        label = (
            "Between the parties"
            if component == "between"
            else f"Within: {members_of(party).removeprefix('members of ')}"
        )
        hatch = HATCHES.get(group(party)) or None
        bar = ax.barh(
            0, share, left=left, color=colour, edgecolor="white", hatch=hatch, label=label
        )
        handles.append(bar)
        if share >= 5:
            ax.text(
                left + share / 2, 0, f"{share:.0f} %", ha="center", va="center", fontsize=11,
                fontweight="bold", color="white",
                bbox={"boxstyle": "round,pad=0.2", "facecolor": colour, "edgecolor": "none"},
            )  # fmt: skip
        left += share
    ax.set_xlim(0, 100)
    hide_y(ax)
    label_axes(ax, "Share of the variance of ideal points (%)")
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.02), ncols=_IN_LEGEND,
        frameon=False, fontsize=9,
    )  # fmt: skip
    return figure


def dispersion(parties: Sequence[str], sigma: Floats) -> Figure:
    """Posterior density of the spread of ideal points within each party.

    Parameters
    ----------
    parties : sequence of str
        Names in the order of ``sigma``.
    sigma : ndarray, shape (n_parties, n_draws)
        Draws of the standard deviations within the parties.
    """
    figure, axes = new_figure(2.8, margins=(0.4, 0.3, 0.5, 0.5))
    ax: Axes = axes[0, 0]
    tops = [
        draw_density(ax, draws, COLOURS[group(party)])
        for party, draws in zip(parties, sigma, strict=True)
    ]
    for g, party in enumerate(parties):
        level, name = -(0.08 + 0.1 * g) * max(tops), group(party)
        low, high = np.quantile(sigma[g], [0.025, 0.975])
        ax.hlines(level, low, high, color=COLOURS[name], linewidth=2.5)
        ax.plot([sigma[g].mean()], [level], MARKERS[name], color=COLOURS[name], markersize=6.5)
    ax.set_xlim(left=0)
    hide_y(ax)
    label_axes(ax, "Spread within the party (standard deviation of ideal points)")
    party_legend(ax, list(parties))
    return figure
