"""Pictures of a link: its coefficients by method, and which common bills deviate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.style import ACCENT, INK, MUTED, RULE, label_axes, new_figure, text_width

MARKERS = {"none": "o", "drop": "s", "weight": "D"}
WORDS = {"none": "all common bills", "drop": "deviating bills left out", "weight": "weighted"}


def link_coefficients(table: pd.DataFrame) -> Figure:
    """A and B by method, with 95 % intervals; one mark per treatment.

    Parameters
    ----------
    table : DataFrame
        Columns treatment, method, A, A_low, A_high, B, B_low, B_high.
    """
    methods = list(dict.fromkeys(table["method"]))
    treatments = list(dict.fromkeys(table["treatment"]))
    left = text_width(methods) + 0.4
    height = 1.5 + 0.22 * len(table)
    figure, axes = new_figure(height, columns=2, margins=(left, 0.3, 0.55, 0.6))
    for ax, name in zip(axes[0], ("A", "B"), strict=True):
        for t, treatment in enumerate(treatments):
            part = table[table["treatment"] == treatment].set_index("method").loc[methods]
            y = np.arange(len(methods)) + 0.24 * (t - (len(treatments) - 1) / 2)
            colour = INK if treatment == "none" else ACCENT if treatment == "drop" else MUTED
            ax.hlines(y, part[f"{name}_low"], part[f"{name}_high"], color=colour, linewidth=1.5)
            label = WORDS[treatment] if len(treatments) > 1 else None
            ax.plot(part[name], y, MARKERS[treatment], color=colour, label=label)
            _arrows(ax, part[name].to_numpy(float), y, _reach(table, name), colour)
        ax.set_yticks(range(len(methods)), methods)
        ax.set_ylim(len(methods) - 0.5, -0.5)
        ax.set_xlim(*_reach(table, name))
        label_axes(ax, f"{name}: {'stretch' if name == 'A' else 'shift'} of the target's scale")
    axes[0, 1].set_yticklabels([])
    if len(treatments) > 1:
        axes[0, 0].legend(
            loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=3, frameon=False, fontsize=9
        )
    return figure


def off_scale(table: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """The rows whose estimate of A or B is outside the picture."""
    low, high = _reach(table, name)
    return (table[name] < low) | (table[name] > high)


def _arrows(
    ax: Axes, values: np.ndarray, y: np.ndarray, reach: tuple[float, float], colour: str
) -> None:
    """An arrow at the edge, with the value, for every estimate outside the picture."""
    low, high = reach
    for value, row in zip(values, y, strict=True):
        if low <= value <= high:
            continue
        left = value < low
        edge = low + 0.02 * (high - low) if left else high - 0.02 * (high - low)
        ax.plot([edge], [row], "<" if left else ">", color=colour, markersize=6)
        ax.annotate(
            f"{value:.2f}", (edge, row), xytext=(7 if left else -7, 0), textcoords="offset points",
            ha="left" if left else "right", va="center", fontsize=8, color=INK,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
        )  # fmt: skip


def _reach(table: pd.DataFrame, name: str) -> tuple[float, float]:
    """Axis limits that contain the narrower half of the intervals; wider ones may be cut.

    The cut point of a bill with a very small slope is very uncertain. Methods that average cut
    points then have intervals so wide that no other would be visible beside them.
    """
    width = table[f"{name}_high"] - table[f"{name}_low"]
    narrow = table[width <= width.median()]
    low, high = narrow[f"{name}_low"].min(), narrow[f"{name}_high"].max()
    room = 0.6 * (high - low) or 0.1
    return float(low - room), float(high + room)


def link_deviations(items: pd.DataFrame, most: int = 40) -> Figure:
    """Deviations of every common bill's two logits from the link.

    Parameters
    ----------
    items : DataFrame
        Columns name, left, right, z, opposite, deviates.
    most : int
        The most bills to show, those that deviate most.
    """
    rows = items.sort_values("z", ascending=False).head(most).reset_index(drop=True)
    left = text_width([str(x) for x in rows["name"]]) + 0.4
    figure, axes = new_figure(1.4 + 0.19 * max(len(rows), 4), margins=(left, 0.3, 0.55, 0.6))
    ax: Axes = axes[0, 0]
    y = np.arange(len(rows))
    ax.axvline(0, color=RULE, linewidth=1)
    ax.hlines(y, rows["left"], rows["right"], color=RULE, linewidth=1.5)
    ax.plot(rows["left"], y, "<", color=MUTED, label="left of the middle")
    ax.plot(rows["right"], y, ">", color=INK, label="right of the middle")
    mask = rows["opposite"].to_numpy()
    ax.plot(np.zeros(mask.sum()), y[mask], "x", color=ACCENT, label="opposite direction, left out")
    ax.set_yticks(y, [str(x) for x in rows["name"]], fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    label_axes(ax, "Logit on the reference's scale minus that of the linked target")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=3, frameon=False, fontsize=9)
    return figure
