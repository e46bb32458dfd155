"""Picture of the roll calls that separate legislators best."""

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.palette import COLOURS, MARKERS, group
from tallgrass.report.style import (
    INK,
    MUTED,
    Floats,
    label_axes,
    new_figure,
    party_legend,
    plain,
    text_width,
)
from tallgrass.rollcalls.plots.ideal import scale_label

_LINE = 48  # letters of a line of a label


def _label(bill: str, motion: str) -> str:
    """Bill and motion, on two lines where one is too short."""
    text = " · ".join(part for part in (plain(bill, 14), plain(motion, 2 * _LINE)) if part)
    return "\n".join(wrap(text, _LINE)[:2])


def cut_points(table: pd.DataFrame, ideal: pd.DataFrame, every: Floats) -> Figure:
    """Cut points of the given roll calls, with the positions of the members above.

    Parameters
    ----------
    table : DataFrame
        The roll calls to show: columns bill, motion, cut_point, cut_low, cut_high, yea_side.
    ideal : DataFrame
        Columns party and mean, one row per legislator.
    every : ndarray
        Cut points of all roll calls, drawn as ticks between the members and the given roll calls.
    """
    ordered = table.sort_values("cut_point", kind="stable").reset_index(drop=True)
    n = len(ordered)
    labels = [
        _label(bill, motion)
        for bill, motion in zip(ordered["bill"], ordered["motion"], strict=True)
    ]
    height = (0.34 if any("\n" in label for label in labels) else 0.26) * n + 2.1
    figure, axes = new_figure(
        height,
        margins=(
            text_width([line for label in labels for line in label.split("\n")]) + 0.3,
            0.25,
            0.45,
            0.6,
        ),
    )
    ax: Axes = axes[0, 0]
    rows = np.arange(n)
    # A member of whom a draw is not finite has no place; the verdict names those.
    ideal = ideal[np.isfinite(ideal["mean"])]
    members = ideal["mean"].to_numpy()
    # The exact place of a cut point outside the range of legislators has no meaning.
    reach = 0.25 * (np.ptp(members) or 1.0)
    low, high = members.min() - reach, members.max() + reach
    ax.hlines(
        rows, ordered["cut_low"].clip(low, high), ordered["cut_high"].clip(low, high),
        color=MUTED, linewidth=1.4,
    )  # fmt: skip
    for side, marker in (("higher", ">"), ("lower", "<")):
        mask = (ordered["yea_side"] == side).to_numpy()
        points = ordered["cut_point"][mask].clip(low, high)
        ax.plot(points, rows[mask], marker, color=INK, markersize=7)
    groups = ideal["party"].map(group)
    parties = [name for name in COLOURS if (groups == name).any()]
    for level, name in enumerate(reversed(parties)):
        x = members[(groups == name).to_numpy()]
        ax.plot(
            x, np.full(len(x), n + 1.4 + 0.8 * level), MARKERS[name], color=COLOURS[name],
            markersize=4.5, alpha=0.45, markeredgewidth=0,
        )  # fmt: skip
    inside = every[(every > low) & (every < high)]
    ax.plot(inside, np.full(len(inside), n + 0.25), "|", color=INK, markersize=9, alpha=0.35)
    ax.axhline(n - 0.5, color="#9aa1ab", linewidth=0.8)
    ax.set_yticks([*rows, n + 0.25], [*labels, f"All {len(every)} cut points"], fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlim(low, high)
    ax.set_ylim(-0.8, n + 1.3 + 0.8 * len(parties))
    scale = scale_label(ideal["party"], ideal["mean"])
    label_axes(
        ax,
        f"{scale}\n▶ yeas stand to the right of the mark     ◀ to the left",
    )
    party_legend(ax, parties)
    return figure
