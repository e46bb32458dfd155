"""A picture of simulation-based calibration: are true values spread evenly among their draws."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.style import ACCENT, INK, MUTED, RULE, Floats, label_axes, new_figure, plain

_BINS = 20
_OUTSIDE = "#d55e00"


def calibration(ranks: pd.DataFrame, grid: Floats, low: Floats, high: Floats) -> Figure:
    """Histograms of ranks, and empirical distribution functions less the uniform one, by variable.

    Parameters
    ----------
    ranks : DataFrame
        Columns variable, name, simulation and fraction (the rank of the truth among the draws,
        between 0 and 1), one row a parameter and simulation.
    grid : ndarray
        Points in (0, 1).
    low, high : ndarray, shape of grid
        Simultaneous band of the empirical distribution function of one parameter.
    """
    variables = list(dict.fromkeys(ranks["variable"]))
    figure, axes = new_figure(
        1.35 * len(variables) + 0.85,
        columns=2,
        rows=len(variables),
        margins=(0.75, 0.2, 0.35, 0.5),
        gaps=(0.75, 0.45),
        widths=(1, 1.5),
    )
    for (left, right), variable in zip(axes, variables, strict=True):
        of_variable = ranks[ranks["variable"] == variable]
        _histogram(left, of_variable["fraction"].to_numpy())
        outside, total = _differences(right, of_variable, grid, low, high)
        left.set_title(plain(variable, 30), loc="left", fontsize=9.5, fontweight="bold", pad=4)
        words = f"{total} parameters" if total > 1 else "1 parameter"
        title = f"{words}, {outside} outside the band"
        right.set_title(title, loc="left", fontsize=9, color=INK if outside else MUTED, pad=4)
    label_axes(axes[-1, 0], "Rank of the truth, all together")
    label_axes(axes[-1, 1], "Rank of the truth, each for itself")
    for left, right in axes:
        left.set_ylabel("Truths", fontsize=8.5, color=MUTED)
        right.set_ylabel("ECDF less x", fontsize=8.5, color=MUTED)
    return figure


def _histogram(ax: Axes, fractions: Floats) -> None:
    counts, edges = np.histogram(fractions, bins=_BINS, range=(0.0, 1.0))
    ax.stairs(counts, edges, fill=True, color=ACCENT, alpha=0.35)
    ax.axhline(len(fractions) / _BINS, color=MUTED, linestyle="--", linewidth=0.9)
    ax.set_ylim(0, None)
    ax.set_xlim(0, 1)
    ax.tick_params(labelsize=8)


def _differences(
    ax: Axes, ranks: pd.DataFrame, grid: Floats, low: Floats, high: Floats
) -> tuple[int, int]:
    """Draw one line a parameter; returns how many leave the band, and how many there are."""
    ends = np.array([0.0, *grid, 1.0])
    ax.fill_between(ends, [0, *(low - grid), 0], [0, *(high - grid), 0], color=RULE, linewidth=0)
    ax.axhline(0, color=MUTED, linewidth=0.8, linestyle="--")
    groups = ranks.groupby("name", sort=False)["fraction"]
    outside = 0
    for _, fractions in groups:
        ordered = np.sort(fractions.to_numpy())
        share = np.searchsorted(ordered, grid, side="right") / len(ordered)
        leaves = bool(((share < low - 1e-12) | (share > high + 1e-12)).any())
        outside += leaves
        ax.plot(
            ends,
            [0, *(share - grid), 0],
            color=_OUTSIDE if leaves else ACCENT,
            linewidth=1.4 if leaves else 0.6,
            alpha=1.0 if leaves else max(0.15, min(1.0, 12 / len(groups))),
            zorder=3 if leaves else 2,
        )
    ax.set_xlim(0, 1)
    ax.tick_params(labelsize=8)
    return outside, len(groups)
