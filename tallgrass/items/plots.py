"""Pictures of a calibration: curves, information, items against abilities, anchors, methods."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tallgrass.items.curves import Curves
from tallgrass.report.style import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    Floats,
    label_axes,
    new_figure,
    place_labels,
    plain,
)

_BLUE, _ORANGE = "#0072b2", "#d55e00"
_COLOURS = (_BLUE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")  # of items that are named
_LONGEST = 24  # letters of a name in a legend
_NAMED = 6
_SHARE = {False: "Probability of a correct answer", True: "Expected share of the points"}
_SHOWN_ANCHORS = 40


def item_curves(of_items: Curves, theta: Floats, names: Sequence[str] = ()) -> Figure:
    """Characteristic curves of all items, and the information of items and of the whole test.

    Parameters
    ----------
    of_items : Curves
        Of graded items the share of the points that can be had is shown.
    theta : ndarray
        Estimated abilities; the range that holds 95 % of them is shaded.
    names : sequence of str, optional
        Of the items; shown where there are few.
    """
    grid = np.linspace(-4, 4, 161)
    figure, axes = new_figure(3.6, columns=2, margins=(0.6, 0.7, 0.45, 0.55), gaps=(0.75, 0.5))
    left: Axes = axes[0, 0]
    right: Axes = axes[0, 1]
    shade = max(0.08, min(0.8, 12 / len(of_items.slope)))
    curves = of_items.moments(grid)[0] / (of_items.categories - 1)[:, None]
    information = of_items.information(grid)
    if 0 < len(names) <= len(_COLOURS):
        for name, colour, curve, told in zip(names, _COLOURS, curves, information, strict=False):
            left.plot(grid, curve, color=colour, linewidth=1.3, label=plain(name, _LONGEST))
            right.plot(grid, told, color=colour, linewidth=1.3)
        left.legend(loc="upper left", frameon=False, fontsize=8)
    else:
        left.plot(grid, curves.T, color=_BLUE, linewidth=0.7, alpha=shade)
        right.plot(grid, information.T, color=_BLUE, linewidth=0.7, alpha=shade)
    left.plot(grid, curves.mean(axis=0), color=INK, linewidth=1.8)
    left.set_ylim(0, 1)
    graded = bool((of_items.categories > 2).any())
    label_axes(left, "Ability θ", _SHARE[graded], "Characteristic curves")
    right.set_ylim(0, None)
    label_axes(right, "Ability θ", "Information of an item", "Information")
    whole = right.twinx()
    whole.plot(grid, information.sum(axis=0), color=_ORANGE, linewidth=1.8)
    whole.set_ylim(0, None)
    whole.set_ylabel("of all items together", fontsize=9.5, color=_ORANGE)
    whole.tick_params(colors=MUTED, labelcolor=_ORANGE, labelsize=9, length=3)
    whole.spines["top"].set_visible(False)
    low, high = np.quantile(theta, [0.025, 0.975])
    for ax in (left, right):
        ax.axvspan(low, high, color=RULE, alpha=0.35, linewidth=0, zorder=0)
        ax.set_xlim(-4, 4)
    return figure


def wright_map(items: pd.DataFrame, theta: Floats) -> Figure:
    """Users by ability above, items by difficulty below, on one scale (after Wright)."""
    b = items["b"].to_numpy(float)
    ends = np.quantile(np.concatenate([theta, b]), [0.002, 0.998])
    edges = np.linspace(min(ends[0], -3.0), max(ends[1], 3.0), 49)
    figure, axes = new_figure(3.9, rows=2, margins=(0.75, 0.2, 0.3, 0.55), gaps=(0.5, 0.06))
    upper: Axes = axes[0, 0]
    lower: Axes = axes[1, 0]
    inside = np.clip(theta, edges[0], edges[-1])
    upper.hist(inside, bins=list(edges), color=_BLUE, alpha=0.75)
    upper.set_ylabel("Users", fontsize=9.5, color=INK)
    upper.set_xticks([])
    is_anchor = items["anchor"].to_numpy(bool)
    free = np.clip(b, edges[0], edges[-1])
    stacked = [free[~is_anchor], free[is_anchor]] if is_anchor.any() else [free]
    colours = [ACCENT, _ORANGE][: len(stacked)]
    labels = ["items", "anchors"][: len(stacked)]
    lower.hist(stacked, bins=list(edges), color=colours, stacked=True, alpha=0.85, label=labels)
    lower.invert_yaxis()
    lower.yaxis.set_major_locator(MaxNLocator(5, integer=True, prune="lower"))
    lower.set_ylabel("Items", fontsize=9.5, color=INK)
    if is_anchor.any():
        lower.legend(loc="lower right", frameon=False, fontsize=9)
    for ax in (upper, lower):
        ax.set_xlim(edges[0], edges[-1])
    label_axes(lower, "Ability of users, difficulty of items", "Items")
    return figure


def drift(table: pd.DataFrame, drift_a: float, drift_b: float) -> Figure:
    """Change of every anchor in b and a, with 95 % intervals, against the thresholds.

    Filled marks are estimates, open marks are estimates from the responses alone.
    """
    rows = table.head(_SHOWN_ANCHORS).iloc[::-1]
    places = np.arange(len(rows))
    wide = min(max((len(str(name)) for name in rows["item"]), default=4), 24) * 0.075 + 0.25
    figure, axes = new_figure(
        0.2 * len(rows) + 1.15, columns=2, margins=(wide, 0.2, 0.45, 0.55), gaps=(0.3, 0.5)
    )
    moved = (rows["drifted"] | rows["suspect"]).to_numpy(bool)
    for ax, name, limit in ((axes[0, 0], "b", drift_b), (axes[0, 1], "a", drift_a)):
        change = rows[f"{name}_change"].to_numpy(float)
        half = 1.96 * rows[f"{name}_sd"].to_numpy(float)
        alone = rows[f"{name}_alone"].to_numpy(float) - rows[f"{name}_before"].to_numpy(float)
        reach = 1.96 * rows[f"{name}_alone_sd"].to_numpy(float)
        ax.axvspan(-limit, limit, color=RULE, alpha=0.4, linewidth=0, zorder=0)
        ax.axvline(0, color=MUTED, linewidth=0.8)
        for chosen, colour in ((~moved, _BLUE), (moved, _ORANGE)):
            ax.errorbar(
                change[chosen], places[chosen], xerr=half[chosen], fmt="o", color=colour,
                markersize=4, linewidth=1.1,
            )  # fmt: skip
            ax.hlines(
                places[chosen] - 0.25,
                np.clip(alone - reach, -6 * limit, 6 * limit)[chosen],
                np.clip(alone + reach, -6 * limit, 6 * limit)[chosen],
                color=colour, linewidth=0.7, alpha=0.45,
            )  # fmt: skip
            ax.plot(
                np.clip(alone[chosen], -6 * limit, 6 * limit), places[chosen] - 0.25, linestyle="",
                marker="D", markersize=4, markerfacecolor="white", markeredgecolor=colour,
            )  # fmt: skip
        ax.set_ylim(-0.7, len(rows) - 0.3)
        label_axes(ax, f"Change of {name} since the anchors were made", "", f"{name}")
    axes[0, 0].set_yticks(places, [plain(name, 24) for name in rows["item"]], fontsize=8)
    axes[0, 1].set_yticks([])
    return figure


def anchor_priors(table: pd.DataFrame) -> Figure:
    """Prior and posterior of the anchors' parameters, before against now."""
    rows = table.sort_values("b_before", kind="stable").reset_index(drop=True)
    figure, axes = new_figure(3.6, columns=2, margins=(0.65, 0.2, 0.6, 0.55), gaps=(0.75, 0.5))
    for ax, name in ((axes[0, 0], "b"), (axes[0, 1], "a")):
        previous, current = rows[f"{name}_before"].to_numpy(), rows[name].to_numpy()
        prior = 1.96 * 0.05 * (previous if name == "a" else np.ones(len(rows)))
        ends = [min(previous.min(), current.min()) - 0.1, max(previous.max(), current.max()) + 0.1]
        ax.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        moved = (rows["drifted"] | rows["suspect"]).to_numpy(bool)
        for chosen, colour, marker in ((~moved, _BLUE, "o"), (moved, _ORANGE, "D")):
            ax.errorbar(
                previous[chosen], current[chosen], xerr=prior[chosen],
                yerr=1.96 * rows[f"{name}_sd"].to_numpy()[chosen], fmt=marker, color=colour,
                markersize=4, linewidth=0.8, alpha=0.8,
            )  # fmt: skip
        label_axes(ax, f"{name} before (prior, 95 %)", f"{name} now (posterior, 95 %)", name)
    handles = [
        Line2D([], [], color=_BLUE, marker="o", linestyle="", label="stayed"),
        Line2D([], [], color=_ORANGE, marker="D", linestyle="", label="drifted or in conflict"),
    ]
    axes[0, 0].legend(handles=handles, loc="upper left", frameon=False, fontsize=9)
    return figure


def agreement(pairs: pd.DataFrame, limit: float) -> Figure:
    """Estimates of one method against the other's, a row per pair; disagreements are marked."""
    groups = list(pairs.groupby(["first", "second"], sort=False))
    figure, axes = new_figure(
        3.4 * len(groups) + 0.5,
        columns=2,
        rows=len(groups),
        margins=(0.7, 0.2, 0.45, 0.55),
        gaps=(0.75, 0.85),
    )
    for row, ((first, second), part) in zip(axes, groups, strict=True):
        for ax, name in zip(row, ("b", "a"), strict=True):
            x, y = (part[f"{name}_{side}"].to_numpy(float) for side in ("first", "second"))
            far = np.abs(y - x) > limit
            ends = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
            ends += np.array([-0.05, 0.05]) * max(float(np.ptp(ends)), 0.1)
            ax.fill_between(ends, ends - limit, ends + limit, color=RULE, alpha=0.5, linewidth=0)
            ax.plot(x[~far], y[~far], ".", color=_BLUE, markersize=5, alpha=0.7)
            ax.plot(x[far], y[far], "D", color=_ORANGE, markersize=4, alpha=0.8)
            ax.set_xlim(*ends)
            ax.set_ylim(*ends)
            title = f"{name}: {int(far.sum())} of {len(part)} differ by more than {limit:g}"
            label_axes(ax, f"{name}, {plain(first, 20)}", f"{name}, {plain(second, 20)}", title)
            worst = np.argsort(-np.abs(y - x))[: min(_NAMED, int(far.sum()))]
            names = [plain(part["item"].iloc[k], 16) for k in worst]
            place_labels(ax, np.column_stack([x, y]), worst, names, 7.5)
    return figure


def fit_statistics(items: pd.DataFrame) -> Figure:
    """Infit and outfit of every item against its difficulty."""
    figure, axes = new_figure(3.2, columns=2, margins=(0.65, 0.2, 0.45, 0.55), gaps=(0.7, 0.5))
    for ax, name in ((axes[0, 0], "infit"), (axes[0, 1], "outfit")):
        x, y = items["b"].to_numpy(float), items[name].to_numpy(float)
        far = np.abs(items[f"{name}_z"].to_numpy(float)) > 3
        ax.axhspan(0.8, 1.2, color=RULE, alpha=0.4, linewidth=0, zorder=0)
        ax.axhline(1, color=MUTED, linewidth=0.8)
        ax.plot(x[~far], y[~far], ".", color=_BLUE, markersize=5, alpha=0.7)
        ax.plot(x[far], y[far], "D", color=_ORANGE, markersize=4)
        worst = np.flatnonzero(far)[np.argsort(-np.abs(y[far] - 1))][:_NAMED]
        low, high = float(np.nanmin(y)), float(np.nanmax(y))
        ax.set_ylim(min(0.7, low - 0.05), max(1.3, high + 0.05))
        label_axes(ax, "Difficulty b", name.capitalize())
        names = [plain(items["item"].iloc[k], 16) for k in worst]
        place_labels(ax, np.column_stack([x, y]), worst, names, 7.5)
    return figure
