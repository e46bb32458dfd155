"""Pictures of any posterior: vectors as forests, divergences, predictions beside the data."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tallgrass.inference.labels import entry_label, entry_names
from tallgrass.inference.summary import draws_of
from tallgrass.own.description import Description, Variable
from tallgrass.own.graph import Layout, layout
from tallgrass.report.palette import RED
from tallgrass.report.sampler import convergence, sampler_figures
from tallgrass.report.style import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    Floats,
    density,
    hide_y,
    label_axes,
    new_figure,
    plain,
    text_width,
)

if TYPE_CHECKING:
    import xarray as xr

    from tallgrass.own.analysis import OwnAnalysis

_MOST_ENTRIES = 60  # of a forest
_MOST_FORESTS = 6
_MOST_VARIABLES = 40  # of the picture of convergence
_ROW = 0.19  # inches an entry
_PAIRED = 4  # variables of the picture of divergences
_BOX_ROW, _BOX_HEIGHT = 0.85, 0.46  # inches of a row of the graph, and of a box in it
_LINES = 50  # replicated data sets


def figures(run: "OwnAnalysis") -> dict[str, Figure]:
    """Every figure that the run has something to show in, by name."""
    drawn = {}
    if (placed := layout(run.description)) is not None:
        drawn["model"] = model_graph(run.description, placed)
    worst = run.convergence.sort_values("rhat_max", ascending=False, kind="stable")
    names = worst["variable"].head(_MOST_VARIABLES)
    table = run.diagnostics.table
    shown = table[table["variable"].isin(names)]
    if len(shown):
        drawn["convergence"] = convergence(shown, run.thresholds.rhat, run.thresholds.ess)
    drawn |= sampler_figures(run.trace, run.worst)
    pairs = divergent_pairs(run.trace)
    if pairs is not None:
        drawn["divergences"] = pairs
    for i, (name, replicated) in enumerate(run.extra.replicated.items()):
        if f"observed_data/{name}" in run.trace:
            values = np.asarray(run.trace["observed_data"][name], float).ravel()
            known = np.isfinite(values)
            drawn[f"predictive_{i}"] = predictive(values[known], replicated[:, known], name)
    for i, name in enumerate(vectors(run.trace)):
        rows = run.summary[run.summary["variable"] == name]
        drawn[f"forest_{i}"] = forest(name, rows)
    return drawn


def model_graph(description: Description, placed: Layout) -> Figure:
    """The variables as boxes, with arrows to what depends on them.

    Parameters
    ----------
    placed : Layout
        From :func:`tallgrass.own.graph.layout`.
    """
    height = _BOX_ROW * len(placed.rows)
    figure, axes = new_figure(height + 0.2, margins=(0.1, 0.1, 0.1, 0.1))
    ax: Axes = axes[0, 0]
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(-height, 0)
    by_name = {variable.name: variable for variable in description.variables}
    centres = {
        name: ((i + 0.5) / len(row), -_BOX_ROW * (depth + 0.5))
        for depth, row in enumerate(placed.rows)
        for i, name in enumerate(row)
    }
    half = 0.5 * _BOX_HEIGHT
    for above, below in placed.arrows:
        (x0, y0), (x1, y1) = centres[above], centres[below]
        down = 1 if y1 < y0 else -1
        ax.annotate(
            "",
            (x1, y1 + down * half),
            (x0, y0 - down * half),
            arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 0.9},
            zorder=1,  # below the boxes that it passes
        )
    width = min(0.3, 0.92 / max(map(len, placed.rows)))
    for name, (x, y) in centres.items():
        _box(ax, by_name[name], x, y, width)
    return figure


def _box(ax: Axes, variable: Variable, x: float, y: float, width: float) -> None:
    """A variable: its name, and below it the distribution and the size."""
    observed, data = variable.kind == "observed", variable.kind == "data"
    corner = "square" if variable.kind == "deterministic" else "round"
    style = f"{corner},pad=0" + (",rounding_size=0.02" if corner == "round" else "")
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - _BOX_HEIGHT / 2),
            width,
            _BOX_HEIGHT,
            boxstyle=style,
            facecolor=RULE if observed else "white",
            edgecolor=INK if variable.kind == "free" else MUTED,
            linestyle=":" if data else "--" if variable.kind == "potential" else "-",
            linewidth=1.2,
            zorder=2,
        )
    )
    size = " × ".join(  # noqa: RUF001
        f"{dim} {n:,}" if dim else f"{n:,}"
        for dim, n in zip(
            variable.dims or ("",) * len(variable.shape), variable.shape, strict=False
        )
    )
    kind = {"deterministic": "computed", "potential": "term of the density", "data": "data"}.get(
        variable.kind, variable.text.partition("(")[0]
    )
    letters = max(8, round(width * 95))
    ax.text(
        x, y + 0.1, plain(variable.name, letters), ha="center", va="center", fontsize=9, zorder=3
    )
    below = plain(", ".join(filter(None, (kind, size))), round(letters * 1.25))
    ax.text(x, y - 0.11, below, ha="center", va="center", fontsize=7, color=MUTED, zorder=3)


def vectors(trace: "xr.DataTree") -> list[str]:
    """The first variables with several entries, not too many for a picture."""
    posterior = trace["posterior"].to_dataset()
    sizes = {
        str(name): int(np.prod(array.shape[2:], dtype=int))
        for name, array in posterior.data_vars.items()
        if array.ndim > 2
    }
    fitting = [name for name, size in sizes.items() if 1 < size <= _MOST_ENTRIES]
    return fitting[:_MOST_FORESTS]


def forest(variable: str, rows: pd.DataFrame) -> Figure:
    """Posterior mean and 95 % interval of every entry of a variable, in its order.

    Parameters
    ----------
    rows : DataFrame
        Columns name, mean, hdi_low, hdi_high.
    """
    n = len(rows)
    labels = [plain(name, 40) for name in rows["name"]]
    figure, axes = new_figure(
        _ROW * max(n, 4) + 1.1, margins=(text_width(labels) + 0.3, 0.25, 0.45, 0.55)
    )
    ax: Axes = axes[0, 0]
    places = np.arange(n)[::-1]
    if rows["hdi_low"].min() <= 0 <= rows["hdi_high"].max():
        ax.axvline(0, color=RULE, linewidth=1)
    ax.hlines(places, rows["hdi_low"], rows["hdi_high"], color=ACCENT, linewidth=1.6)
    ax.plot(rows["mean"], places, "o", color=ACCENT, markersize=4.6)
    ax.set_yticks(places, labels, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-1, n)
    label_axes(ax, "Posterior mean and 95 % interval", title=plain(variable, 60))
    return figure


def divergent_pairs(trace: "xr.DataTree") -> Figure | None:
    """Scalars against each other, divergent draws marked; None without divergences or scalars."""
    if "sample_stats" not in trace.children or "diverging" not in trace["sample_stats"]:
        return None
    diverging = trace["sample_stats"]["diverging"].transpose("chain", "draw").to_numpy().ravel()
    diverging = diverging.astype(bool)
    posterior = trace["posterior"].to_dataset()
    scalars = [str(name) for name, array in posterior.data_vars.items() if array.ndim == 2]
    columns: dict[str, Floats] = {name: draws_of(trace, name)[0] for name in scalars[:_PAIRED]}
    for name, array in posterior.data_vars.items():
        if len(columns) >= _PAIRED:
            break
        if array.ndim > 2 and array.size:
            first = entry_label(str(name), entry_names(array)[0])
            columns[first] = draws_of(trace, str(name))[0]
    columns = {name: x for name, x in columns.items() if np.isfinite(x).all() and np.ptp(x) > 0}
    if not diverging.any() or len(columns) < 2:
        return None
    names = list(columns)
    n = len(names) - 1
    figure, axes = new_figure(1.9 * n + 0.8, columns=n, rows=n, margins=(0.7, 0.2, 0.4, 0.55))
    for row in range(n):
        for column in range(n):
            ax = axes[row, column]
            if column > row:
                ax.set_visible(False)
                continue
            x, y = columns[names[column]], columns[names[row + 1]]
            ax.plot(x[~diverging], y[~diverging], ".", color=MUTED, markersize=2, alpha=0.25)
            ax.plot(x[diverging], y[diverging], ".", color=RED, markersize=5)
            ax.tick_params(labelsize=7)
            label_axes(
                ax,
                plain(names[column], 24) if row == n - 1 else "",
                plain(names[row + 1], 24) if column == 0 else "",
            )
    return figure


def predictive(observed: Floats, replicated: Floats, title: str) -> Figure:
    """The data beside data that the model predicts.

    Parameters
    ----------
    observed : ndarray, shape (n,)
        The data.
    replicated : ndarray, shape (n_draws, n)
        Data drawn from the posterior.
    """
    figure, axes = new_figure(2.8, margins=(0.4, 0.3, 0.45, 0.5))
    ax: Axes = axes[0, 0]
    chosen = replicated[
        np.linspace(0, len(replicated) - 1, min(_LINES, len(replicated))).astype(int)
    ]
    whole = np.allclose(observed, np.round(observed)) and len(np.unique(observed)) <= 30
    low, high = observed.min(), observed.max()
    bins = np.arange(low - 0.5, high + 1.5) if whole else None
    for sample in chosen:
        if bins is None:
            ax.plot(*density(sample), color=ACCENT, linewidth=0.5, alpha=0.35)
        else:
            ax.stairs(
                np.histogram(sample, bins)[0] / len(sample),
                bins,
                color=ACCENT,
                linewidth=0.5,
                alpha=0.35,
            )
    if bins is None:
        ax.plot(*density(observed), color=INK, linewidth=2, label="Data")
    else:
        ax.stairs(
            np.histogram(observed, bins)[0] / len(observed),
            bins,
            color=INK,
            linewidth=2,
            label="Data",
        )
    ax.plot([], [], color=ACCENT, linewidth=1, label="Predicted")
    hide_y(ax)
    label_axes(ax, "Value", title=plain(title, 60))
    ax.legend(frameon=False, fontsize=9)
    return figure
