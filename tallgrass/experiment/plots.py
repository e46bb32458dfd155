"""Pictures that compare runs: a scatter matrix, and effective draws per second."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from tallgrass.report.palette import COLOURS, MARKERS, group
from tallgrass.report.style import ACCENT, INK, MUTED, RULE, label_axes, new_figure, plain
from tallgrass.rounding import diagnostic

_VERDICTS = {"pass": "#1b6b3a", "fail": "#a3201d"}
_INCHES_A_CHARACTER = 0.075


def scatter_matrix(estimates: pd.DataFrame, parties: Sequence[str]) -> Figure:
    """Ideal points of every pair of runs, with ``|r|`` in the opposite cell.

    Parameters
    ----------
    estimates : DataFrame
        One row per legislator, one column per run (its label).
    parties : sequence of str
        Party of every legislator.
    """
    labels = [str(label) for label in estimates]
    n = len(labels)
    figure, grid = new_figure(8.0, n, n, margins=(0.15, 0.15, 0.15, 0.15), gaps=(0.06, 0.06))
    values = estimates.to_numpy(float)
    groups = np.array([group(party) for party in parties])
    size = max(7.0, 11.5 - n)
    for i in range(n):
        for j in range(n):
            ax: Axes = grid[i, j]
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_visible(True)
                spine.set_color(RULE)
            if i == j:
                words = "\n".join(plain(word, 18) for word in labels[i].split())
                ax.text(
                    0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center",
                    fontsize=size, color=INK,
                )  # fmt: skip
                continue
            x, y = values[:, j], values[:, i]
            both = np.isfinite(x) & np.isfinite(y)
            if i < j:
                r = abs(np.corrcoef(x[both], y[both])[0, 1]) if both.sum() > 2 else np.nan
                ax.text(
                    0.5, 0.5, diagnostic(r), transform=ax.transAxes,
                    ha="center", va="center", fontsize=size + 1, color=INK,
                )  # fmt: skip
                continue
            for party, colour in COLOURS.items():
                mask = both & (groups == party)
                ax.plot(
                    x[mask], y[mask], MARKERS[party], color=colour, markersize=2.6, alpha=0.7,
                    markeredgewidth=0,
                )  # fmt: skip
    return figure


def rates(labels: Sequence[str], values: Sequence[float], verdicts: Sequence[str]) -> Figure:
    """Effective draws per second of every run as bars on a logarithmic axis.

    Parameters
    ----------
    labels : sequence of str
        Names of the runs.
    values : sequence of float
        The least bulk effective sample size per second of sampling.
    verdicts : sequence of str
        Verdict of every run; bars of runs that did not pass are hollow.
    """
    height = 0.3 * len(labels) + 1.0
    left = min(3.6, 0.3 + _INCHES_A_CHARACTER * max(len(label) for label in labels))
    figure, axes = new_figure(height, margins=(left, 0.9, 0.2, 0.6))
    ax: Axes = axes[0, 0]
    places = np.arange(len(labels))[::-1]
    numbers = np.asarray(values, float)
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    low = positive.min() / 3 if len(positive) else 0.1
    for place, value, verdict in zip(places, numbers, verdicts, strict=True):
        colour = _VERDICTS.get(verdict, MUTED)
        if not np.isfinite(value) or value <= 0:
            continue
        ax.barh(
            place, value - low, left=low, height=0.6, edgecolor=colour,
            color=colour if verdict == "pass" else "white",
        )  # fmt: skip
        ax.annotate(
            f"{value:,.0f}" if value >= 1000 else f"{value:.3g}",
            (value, place), xytext=(5, 0), textcoords="offset points", va="center",
            fontsize=8.5, color=INK,
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(left=low)
    # Within one decade matplotlib labels six ticks as powers of ten, which overlap.
    if ax.get_xlim()[1] < 1000 * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(places, [plain(label, 44) for label in labels], fontsize=8.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    label_axes(ax, "Effective draws per second (filled: verdict pass)")
    ax.axvline(low, color=ACCENT, linewidth=0)
    return figure
