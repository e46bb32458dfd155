"""Pictures of ideal points: every legislator, and the same people under two runs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tallgrass.report.palette import COLOURS, MARKERS, OTHER, group, letters, shown
from tallgrass.report.style import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    label_axes,
    new_figure,
    party_legend,
    place_labels,
    plain,
    text_width,
)
from tallgrass.rollcalls.groups import ends_words

CHAMBERS = ("house", "senate")  # where there are two, the marks of the second are open
ROW = 0.172  # inches per legislator in the forest plot, so that 8 point labels do not touch


def scale_label(
    parties: Sequence[str] | pd.Series, positions: "pd.Series[float] | None" = None
) -> str:
    """The label of an axis of ideal points; it names the ends if there are parties.

    With positions, only if the second group (Republicans) stands to the right: a model of the
    user's may run otherwise.
    """
    if len(shown()) < 2:
        return "Ideal point"
    if positions is not None:
        means = positions.groupby([group(party) for party in parties]).mean()
        if means.get(shown()[1], np.inf) <= means.get(shown()[0], -np.inf):
            return "Ideal point"
    if any(group(party) != OTHER for party in parties):
        return f"Ideal point  ({ends_words(shown())})"
    return "Ideal point"


def member_label(name: str, party: str, district: str, longest: int = 34) -> str:
    """A legislator as a label: name, party letter and district."""
    seat = "-".join(part for part in (letters(party) or "?", district) if part)
    return f"{plain(name, longest)} ({plain(seat, 12)})"


def forest(table: pd.DataFrame, title: str = "") -> Figure:
    """Ideal point and 95 % interval of every legislator, the highest on top.

    Parameters
    ----------
    table : DataFrame
        Columns name, party, district, mean, hdi_low, hdi_high, anchor and, for two chambers,
        chamber: the marks of senators are open.
    title : str
        Text above the axes.
    """
    ordered = table.sort_values("mean", kind="stable").reset_index(drop=True)
    n = len(ordered)
    height = ROW * max(n, 4) + 1.5
    is_anchor = ordered["anchor"].to_numpy() != 0
    labels = [
        member_label(name, party, district) + (" · anchor" if anchor else "")
        for name, party, district, anchor in zip(
            ordered["name"], ordered["party"], ordered["district"], is_anchor, strict=True
        )
    ]
    left = text_width(labels) + 0.3
    figure, axes = new_figure(height, margins=(left, 0.25, 0.85, 0.65))
    ax: Axes = axes[0, 0]
    rows = np.arange(n)
    ax.hlines(rows[::2], 0, 1, transform=ax.get_yaxis_transform(), color="#f1f2f4", linewidth=9)
    ax.axvline(0, color=RULE, linewidth=1)
    groups = ordered["party"].map(group)
    chambers = ordered["chamber"] if "chamber" in ordered else pd.Series("", index=ordered.index)
    open_marks = chambers.eq(CHAMBERS[1]).to_numpy()
    for party in COLOURS:
        mask = (groups == party).to_numpy()
        if not mask.any():
            continue
        part, colour = ordered[mask], COLOURS[party]
        ax.hlines(rows[mask], part["hdi_low"], part["hdi_high"], color=colour, linewidth=1.5)
        for is_open in np.unique(open_marks[mask]):
            of_chamber = mask & (open_marks == is_open)
            ax.plot(
                ordered["mean"][of_chamber], rows[of_chamber], MARKERS[party], color=colour,
                markersize=4.6, markerfacecolor="white" if is_open else colour,
            )  # fmt: skip
    ax.plot(
        ordered["mean"][is_anchor], rows[is_anchor], "D", color=INK, fillstyle="none", markersize=9
    )
    ax.set_yticks(rows, labels, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-1, n)
    ax.spines["left"].set_visible(False)
    label_axes(ax, scale_label(ordered["party"], ordered["mean"]))
    # In a long picture the axis at the bottom is not visible from the top.
    ax.tick_params(axis="x", top=True, labeltop=True)
    two_chambers = set(chambers) == set(CHAMBERS)
    party_legend(
        ax, groups.unique().tolist(), 1 + 0.2 / height, _chamber_entries() if two_chambers else ()
    )
    if title:
        figure.suptitle(
            plain(title, 90), x=0.03, y=1 - 0.12 / height, ha="left", va="top", fontsize=11,
            fontweight="bold", color=INK,
        )  # fmt: skip
    return figure


def _chamber_entries() -> list[Line2D]:
    """Entries of the legend for filled and open marks."""
    return [
        Line2D([], [], color=INK, marker="D", linestyle="", markersize=5.5, label=chamber.title(),
               markerfacecolor=face)
        for chamber, face in zip(CHAMBERS, (INK, "white"), strict=True)
    ]  # fmt: skip


def shrinkage_scatter(table: pd.DataFrame, labelled: int = 6) -> Figure:
    """Estimates without party (rescaled) against estimates with party.

    Parameters
    ----------
    table : DataFrame
        Columns name, party, flat, hierarchical, moved, party_mean, anchored.
    labelled : int
        Number of legislators to name, those that moved most.
    """
    figure, axes = new_figure(6.2, margins=(0.8, 0.3, 0.45, 0.52))
    ax: Axes = axes[0, 0]
    _party_points(ax, table, ("flat", "hierarchical"))
    low = min(table["flat"].min(), table["hierarchical"].min())
    high = max(table["flat"].max(), table["hierarchical"].max())
    pad = 0.06 * (high - low)
    ax.set_xlim(low - pad, high + pad)
    ax.set_ylim(low - pad, high + pad)
    ax.axline((0, 0), slope=1, color=MUTED, linewidth=1, linestyle="--", zorder=1)
    for party, centre in table.groupby("party")["party_mean"].first().items():
        ax.axhline(centre, color=COLOURS[group(str(party))], linewidth=1, alpha=0.5, zorder=1)
    _names(ax, table, ("flat", "hierarchical"), "moved", labelled)
    label_axes(ax, "Without party (flat model, rescaled)", "With party (hierarchical model)")
    party_legend(ax, table["party"].map(group).unique().tolist())
    return figure


def comparison_scatter(
    table: pd.DataFrame, slope: float, intercept: float, note: str = "", labelled: int = 6
) -> Figure:
    """The estimates of the baseline and of this run, with the line that links the two scales.

    Parameters
    ----------
    table : DataFrame
        Columns name, party, current, reference_raw, difference, anchored.
    slope, intercept : float
        Line from the baseline's scale to this one; it falls when the sign is flipped.
    note : str
        Text in a corner: the correlation, and whether the sign is flipped.
    labelled : int
        Number of legislators to name, those farthest from the line.
    """
    figure, axes = new_figure(6.2, margins=(0.8, 0.3, 0.45, 0.52))
    ax: Axes = axes[0, 0]
    _party_points(ax, table, ("reference_raw", "current"))
    for axis, values in ((ax.set_xlim, table["reference_raw"]), (ax.set_ylim, table["current"])):
        pad = 0.08 * (values.max() - values.min())
        axis(values.min() - pad, values.max() + pad)
    ax.axline((0, intercept), slope=slope, color=ACCENT, linewidth=1.2, linestyle="--", zorder=1)
    _names(ax, table, ("reference_raw", "current"), "difference", labelled)
    label_axes(ax, "Ideal point in the baseline (its own scale)", "Ideal point in this run")
    if note:
        right = slope >= 0
        ax.text(
            0.98 if right else 0.02, 0.03, plain(note, 100), transform=ax.transAxes, fontsize=9.5,
            color=INK, ha="right" if right else "left", va="bottom",
            bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": RULE},
        )  # fmt: skip
    party_legend(ax, table["party"].map(group).unique().tolist())
    return figure


def external_scatter(table: pd.DataFrame, name: str, labelled: int = 8) -> Figure:
    """The ideal points of a run against published scores.

    Parameters
    ----------
    table : DataFrame
        Columns name, party, ideal_point, score, rank_change.
    name : str
        What the scores are called.
    labelled : int
        Number of legislators to name, those at the most different places.
    """
    table = table.assign(anchored=False)
    figure, axes = new_figure(6.2, margins=(0.8, 0.3, 0.45, 0.52))
    ax: Axes = axes[0, 0]
    _party_points(ax, table, ("score", "ideal_point"))
    for axis, values in ((ax.set_xlim, table["score"]), (ax.set_ylim, table["ideal_point"])):
        pad = 0.08 * (values.max() - values.min())
        axis(values.min() - pad, values.max() + pad)
    placed = table.fillna({"rank_change": 0.0})
    _names(ax, placed, ("score", "ideal_point"), "rank_change", labelled)
    label_axes(ax, plain(f"Score: {name}", 60), "Ideal point in this run")
    party_legend(ax, table["party"].map(group).unique().tolist())
    return figure


def _party_points(ax: Axes, table: pd.DataFrame, columns: tuple[str, str]) -> None:
    groups = table["party"].map(group)
    for name, colour in COLOURS.items():
        part = table[groups == name]
        if len(part):
            ax.plot(
                part[columns[0]], part[columns[1]], MARKERS[name], color=colour, markersize=5.5,
                alpha=0.75, markeredgecolor="white", markeredgewidth=0.5,
            )  # fmt: skip
    anchors = table[table["anchored"]]
    ax.plot(
        anchors[columns[0]], anchors[columns[1]], "D", color=INK, fillstyle="none", markersize=11
    )


def _names(ax: Axes, table: pd.DataFrame, columns: tuple[str, str], by: str, labelled: int) -> None:
    """Name the anchors, and the legislators with the largest absolute value of a column."""
    anchors = np.flatnonzero(table["anchored"])
    order = np.argsort(-table[by].abs().to_numpy(), kind="stable")
    named = np.concatenate([anchors, order[~np.isin(order, anchors)][:labelled]])
    labels = [
        plain(name, 28) + (" (anchor)" if anchored else "")
        for name, anchored in zip(
            table["name"].iloc[named], table["anchored"].iloc[named], strict=True
        )
    ]
    place_labels(ax, table[list(columns)].to_numpy(float), named, labels)
