"""Pictures of the sampler: energy, worst parameters, convergence of everything."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tallgrass.inference.labels import entry_names
from tallgrass.report.palette import BLUE, RED
from tallgrass.report.style import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    Floats,
    chain_colour,
    density,
    draw_density,
    hide_y,
    label_axes,
    new_figure,
    no_label,
    panel_title,
    plain,
)

_LONGEST_TRACE = 400  # points a chain: more cannot be seen at this width
_BINS = 20


def energy(values: Floats) -> Figure:
    """Energies of the draws and changes from draw to draw; close shapes mean an easy walk.

    Parameters
    ----------
    values : ndarray, shape (n_chains, n_draws)
        Hamiltonian energy of each draw.
    """
    figure, axes = new_figure(2.9, margins=(0.4, 0.3, 0.5, 0.5))
    ax: Axes = axes[0, 0]
    centred = values - values.mean(axis=1, keepdims=True)
    draw_density(ax, centred, BLUE, "Energy of the draws (about its mean)")
    draw_density(ax, np.diff(values, axis=1), "#d55e00", "Change from one draw to the next")
    for chain in centred:
        ax.plot(*density(chain), color=BLUE, linewidth=0.6, alpha=0.6)
    ax.set_ylim(0, None)
    hide_y(ax)
    label_axes(ax, "Energy")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=9)
    return figure


def traces(
    labels: Sequence[str], draws: Sequence[Floats], diverging: NDArray[np.bool_] | None = None
) -> Figure:
    """Trace and rank histogram of some parameters, a row each.

    Parameters
    ----------
    labels : sequence of str
        Name of each parameter.
    draws : sequence of ndarray, each of shape (n_chains, n_draws)
        Their draws.
    diverging : ndarray of bool, shape (n_chains, n_draws), optional
        Divergent draws are ticked at the foot of the traces.
    """
    rows = len(labels)
    figure, axes = new_figure(
        1.36 * rows + 0.71,
        columns=2,
        rows=rows,
        margins=(0.55, 0.2, 0.55, 0.5),
        gaps=(0.45, 0.34),
        widths=(1.7, 1),
    )
    for row, (label, values) in enumerate(zip(labels, draws, strict=True)):
        left, right = axes[row]
        _trace(left, values, diverging)
        _rank_histogram(right, values)
        panel_title(left, plain(label, 48), fontsize=9, color=INK, pad=4)
        panel_title(right, "Ranks by chain", fontsize=9, color=MUTED, pad=4)
        for ax, words in ((left, "Draw"), (right, "Rank among all draws")):
            no_label(ax.yaxis)
            if row == rows - 1:
                ax.set_xlabel(words, fontsize=9, color=INK)
            else:  # the numbers are those below the last row
                no_label(ax.xaxis)
                ax.set_xticks([])
    chains = min(len(draws[0]), 8)
    handles = [
        Line2D([], [], color=chain_colour(c), linewidth=2, label=f"Chain {c}")
        for c in range(chains)
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.05, 1.0), ncols=chains, frameon=False,
        fontsize=9,
    )  # fmt: skip
    return figure


def _trace(ax: Axes, values: Floats, diverging: NDArray[np.bool_] | None) -> None:
    n_draws = values.shape[1]
    kept = np.unique(np.linspace(0, n_draws - 1, min(n_draws, _LONGEST_TRACE)).astype(int))
    for chain, series in enumerate(values):
        ax.plot(kept, series[kept], color=chain_colour(chain), linewidth=0.5, alpha=0.75)
    if diverging is not None and diverging.any():
        places = np.flatnonzero(diverging.any(axis=0))
        low = ax.get_ylim()[0]
        ax.plot(places, np.full(len(places), low), "|", color=INK, markersize=9, clip_on=False)
    ax.margins(x=0.01)
    ax.tick_params(labelsize=8)


def _rank_histogram(ax: Axes, values: Floats) -> None:
    ranks = pd.Series(values.ravel()).rank().to_numpy().reshape(values.shape)
    edges = np.linspace(0.5, values.size + 0.5, _BINS + 1)
    for chain, series in enumerate(ranks):
        counts, _ = np.histogram(series, bins=edges)
        ax.stairs(counts, edges, baseline=None, color=chain_colour(chain), linewidth=1)
    ax.axhline(values.shape[1] / _BINS, color=MUTED, linestyle="--", linewidth=0.8)
    ax.set_ylim(0, None)
    ax.margins(x=0.02)
    ax.tick_params(labelsize=8)


def convergence(table: pd.DataFrame, rhat: float, ess: float) -> Figure:
    """R-hat and effective draws of every parameter, by variable, against the thresholds.

    Parameters
    ----------
    table : DataFrame
        Columns variable, rhat, ess_bulk, ess_tail, one row a parameter.
    rhat, ess : float
        Thresholds: R-hat must be below, the effective numbers above.
    """
    variables = list(dict.fromkeys(table["variable"]))
    panels = [
        (table["rhat"], rhat, 0.9995, f"R-hat (must be below {rhat:g})"),
        (
            table[["ess_bulk", "ess_tail"]].min(axis=1),
            ess,
            0.0,
            f"Effective draws, bulk or tail (must be above {ess:g})",
        ),
    ]
    # A single chain has nothing to be compared with: no R-hat.
    panels = [panel for panel in panels if panel[0].notna().any()]
    height = 0.42 * len(variables) + 1.0
    figure, axes = new_figure(
        height, columns=len(panels), margins=(1.1, 0.25, 0.15, 0.55), gaps=(0.4, 0)
    )
    for ax, (values, threshold, start, label) in zip(axes[0], panels, strict=True):
        for row, variable in enumerate(reversed(variables)):
            x = values[table["variable"] == variable].to_numpy()
            # A fixed spread, not a random one: the same run draws the same picture.
            y = row + 0.5 * (np.arange(len(x)) * 0.618034 % 1 - 0.5)
            ax.plot(x, y, "o", color=ACCENT, markersize=2.6, alpha=0.5, markeredgewidth=0)
        ax.axvline(threshold, color=RED, linewidth=1.2, linestyle="--")
        ax.set_ylim(-0.6, len(variables) - 0.4)
        ax.set_yticks([])
        ax.grid(axis="x", color=RULE, linewidth=0.6)
        ax.set_xlim(max(0.0, min(start, 1.5 * values.min() - 0.5 * values.median())), None)
        label_axes(ax, label)
    axes[0, 0].set_yticks(range(len(variables)), [plain(v, 18) for v in reversed(variables)])
    return figure


def sampler_figures(trace: xr.DataTree, worst: pd.DataFrame) -> dict[str, Figure]:
    """Energy, and traces and ranks of the parameters that did worst, of any sampled run.

    Parameters
    ----------
    trace : DataTree
        With posterior and sample_stats.
    worst : DataFrame
        From :func:`tallgrass.inference.convergence.worst_parameters`.
    """
    figures = {}
    statistics = trace["sample_stats"] if "sample_stats" in trace.children else xr.DataTree()
    if "energy" in statistics:
        energies = statistics["energy"].transpose("chain", "draw").to_numpy().astype(float)
        if np.isfinite(energies).all() and energies.shape[1] > 2:
            figures["energy"] = energy(energies)
    if len(worst):
        draws = [
            _draws(trace, str(variable), str(name))
            for variable, name in zip(worst["variable"], worst["name"], strict=True)
        ]
        diverging = None
        if "diverging" in statistics:
            diverging = statistics["diverging"].transpose("chain", "draw").to_numpy().astype(bool)
        figures["traces"] = traces([str(label) for label in worst.index], draws, diverging)
    return figures


def _draws(trace: xr.DataTree, variable: str, name: str) -> Floats:
    """Draws of one entry of a variable, shape (n_chains, n_draws)."""
    array = trace["posterior"][variable].transpose("chain", "draw", ...)
    entry = entry_names(array).index(name)
    return np.asarray(array, float).reshape(*array.shape[:2], -1)[:, :, entry]
