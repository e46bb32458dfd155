"""Pictures of a dynamic run: parties over time, what made their gap, careers, who moved most."""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tallgrass.report.palette import COLOURS, MARKERS, group
from tallgrass.report.style import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    label_axes,
    new_figure,
    party_legend,
    plain,
    text_width,
)
from tallgrass.rollcalls.groups import PARTIES

COLUMNS = 5  # of small multiples
MOVERS = 20
_SLANTED = 5  # labels of more sessions are written slantwise
_MOVEMENT, _REPLACEMENT = "#3b7a57", "#c98a1b"


def session_labels(sessions: Sequence[str], longest: int = 16) -> list[str]:
    """Names of sessions that fit below an axis: their beginnings, where these tell them apart.

    Examples
    --------
    >>> session_labels(["84th_2011-2012", "91st_2025-2026"])
    ['84th', '91st']
    """
    beginnings = [re.split(r"[_ ]", session, maxsplit=1)[0] for session in sessions]
    names = beginnings if len(set(beginnings)) == len(beginnings) else list(sessions)
    return [plain(name, longest) for name in names]


def _sessions_on(ax: Axes, table: pd.DataFrame) -> None:
    """Ticks at the sessions of a table, which has time and session, at their true distances."""
    times = table.drop_duplicates("session")[["time", "session"]].sort_values("time")
    labels = session_labels(list(times["session"]))
    ax.set_xticks(times["time"], labels)
    reach = max(float(np.ptp(times["time"])), 1.0)
    ax.set_xlim(times["time"].min() - 0.1 * reach, times["time"].max() + 0.1 * reach)
    if len(times) > _SLANTED:
        for text in ax.get_xticklabels():
            text.set(rotation=30, ha="right", rotation_mode="anchor")


def _dashes(chamber: str) -> Literal["-", "--"]:
    return "--" if chamber == "senate" else "-"


def _chamber_entries(chambers: Sequence[str]) -> list[Line2D]:
    if len(chambers) < 2:
        return []
    return [
        Line2D([], [], color=MUTED, linestyle=_dashes(c), marker="o",
               markerfacecolor="white" if c == "senate" else MUTED, label=c.capitalize())
        for c in chambers
    ]  # fmt: skip


def polarization(parties: pd.DataFrame, gap: pd.DataFrame) -> Figure:
    """The parties' means over time, and the distance between them below, with 95 % intervals.

    Parameters
    ----------
    parties : DataFrame
        Columns session, chamber, time, party, mean, hdi_low, hdi_high.
    gap : DataFrame
        Columns session, chamber, time, mean, hdi_low, hdi_high.
    """
    figure, axes = new_figure(6.4, rows=2, margins=(0.7, 0.25, 0.4, 0.75), gaps=(0.6, 0.55))
    top, bottom = axes[0, 0], axes[1, 0]
    chambers = list(dict.fromkeys(parties["chamber"]))
    for (chamber, party), part in parties.groupby(["chamber", "party"], sort=False):
        _line(top, part, COLOURS[group(str(party))], MARKERS[group(str(party))], str(chamber))
    for chamber, part in gap.groupby("chamber", sort=False):
        _line(bottom, part, ACCENT, "D", str(chamber))
    top.axhline(0, color=RULE, linewidth=1)
    bottom.set_ylim(0, 1.08 * float(gap["hdi_high"].max()))
    for ax in (top, bottom):
        _sessions_on(ax, gap)
    label_axes(top, y="Mean of the members")
    label_axes(bottom, y="Distance between the means")
    party_legend(top, list(PARTIES), more=_chamber_entries(chambers))
    return figure


def _line(ax: Axes, part: pd.DataFrame, colour: str, marker: str, chamber: str) -> None:
    part = part.sort_values("time")
    face = "white" if chamber == "senate" else colour
    ax.fill_between(
        part["time"], part["hdi_low"], part["hdi_high"], color=colour, alpha=0.16, linewidth=0
    )
    ax.plot(
        part["time"], part["mean"], _dashes(chamber), color=colour, marker=marker, markersize=5.5,
        markerfacecolor=face, linewidth=1.6,
    )  # fmt: skip


def medians(table: pd.DataFrame) -> Figure:
    """The median member of every session, and that of each party, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Columns session, chamber, time, body (all, or a party), mean, hdi_low, hdi_high.
    """
    figure, axes = new_figure(3.9, margins=(0.7, 0.25, 0.4, 0.75))
    ax = axes[0, 0]
    for (chamber, body), part in table.groupby(["chamber", "body"], sort=False):
        colour = INK if body == "all" else COLOURS[group(str(body))]
        _line(ax, part, colour, "D" if body == "all" else MARKERS[group(str(body))], str(chamber))
    _sessions_on(ax, table)
    label_axes(ax, y="Median member")
    chambers = list(dict.fromkeys(table["chamber"]))
    entries = [Line2D([], [], color=INK, marker="D", label="All members")]
    party_legend(ax, list(PARTIES), more=[*entries, *_chamber_entries(chambers)])
    return figure


def decomposition(table: pd.DataFrame) -> Figure:
    """What made each change of the gap: bars for movement and replacement, a mark for their sum.

    Parameters
    ----------
    table : DataFrame
        Rows of the gap: chamber, first, last, change, change_low, change_high, movement,
        replacement.
    """
    n = len(table)
    sessions = list(dict.fromkeys([*table["first"], *table["last"]]))
    short = dict(zip(sessions, session_labels(sessions), strict=True))
    labels = [
        f"{short[row['first']]} to {short[row['last']]}"
        + (f", {row['chamber'].capitalize()}" if len(set(table["chamber"])) > 1 else "")
        for _, row in table.iterrows()
    ]
    figure, axes = new_figure(
        1.3 + 0.42 * n, margins=(text_width(labels, 9) + 0.35, 0.25, 0.45, 0.6)
    )
    ax: Axes = axes[0, 0]
    rows = np.arange(n)[::-1]
    parts = (("movement", _MOVEMENT, "", 0.17), ("replacement", _REPLACEMENT, "//", -0.17))
    for name, colour, hatch, shift in parts:
        words = {"movement": "Members who stayed and moved", "replacement": "Members replaced"}
        ax.barh(
            rows + shift, table[name], height=0.32, color=colour, hatch=hatch, edgecolor="white",
            label=words[name],
        )  # fmt: skip
    ax.hlines(rows, table["change_low"], table["change_high"], color=INK, linewidth=1.6)
    ax.plot(table["change"], rows, "D", color=INK, markersize=6, label="Change of the gap (95 %)")
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(rows, labels, fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    label_axes(ax, "Change of the distance between the parties' means  (right: farther apart)")
    figure.legend(loc="upper left", bbox_to_anchor=(0.01, 1), ncols=3, frameon=False, fontsize=9)
    return figure


def movers(table: pd.DataFrame, most: int = MOVERS) -> Figure:
    """Who moved most: an arrow from the first position to the last, largest change on top.

    Parameters
    ----------
    table : DataFrame
        One row a member in the order of the picture: name, party, first, last (sessions), before,
        after, before_low, before_high, after_low, after_high.
    most : int
        The most rows to draw.
    """
    table = table.head(most)
    n = len(table)
    labels = [f"{plain(row['name'], 26)} ({row['party'][:1]})" for _, row in table.iterrows()]
    height = 1.35 + 0.29 * max(n, 3)
    figure, axes = new_figure(height, margins=(text_width(labels) + 0.3, 0.25, 0.45, 0.65))
    ax: Axes = axes[0, 0]
    rows = np.arange(n)[::-1]
    ax.axvline(0, color=RULE, linewidth=1)
    for row, (_, member) in zip(rows, table.iterrows(), strict=True):
        colour = COLOURS[group(member["party"])]
        ax.hlines(row + 0.14, member["before_low"], member["before_high"], color=MUTED, alpha=0.7)
        ax.hlines(row - 0.14, member["after_low"], member["after_high"], color=colour, alpha=0.7)
        ax.annotate(
            "", xy=(member["after"], row), xytext=(member["before"], row),
            arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.8},
        )  # fmt: skip
        ax.plot([member["before"]], [row], "o", color="white", markeredgecolor=colour, markersize=5)
    ax.set_yticks(rows, labels, fontsize=8.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.8, n - 0.2)
    label_axes(ax, "Ideal point  (left: Democratic end, right: Republican end)")
    party_legend(ax, list(PARTIES), 1 + 0.05 / height)
    return figure


def careers(seats: pd.DataFrame, parties: pd.DataFrame) -> Figure:
    """Careers as small multiples: a member's positions with 95 % intervals, the parties' in grey.

    Parameters
    ----------
    seats : DataFrame
        Member-sessions: person, name, party, chamber, time, session, mean, hdi_low, hdi_high; one
        panel a person, in the order in which they come.
    parties : DataFrame
        As of :func:`polarization`.
    """
    persons = list(dict.fromkeys(seats["person"]))
    lines = -(-len(persons) // COLUMNS)
    figure, axes = new_figure(
        0.75 + 1.45 * lines, columns=COLUMNS, rows=lines, margins=(0.45, 0.15, 0.4, 0.5),
        gaps=(0.12, 0.3),
    )  # fmt: skip
    low = min(float(seats["hdi_low"].min()), float(parties["hdi_low"].min()))
    high = max(float(seats["hdi_high"].max()), float(parties["hdi_high"].max()))
    for i, ax in enumerate(axes.flat):
        if i >= len(persons):
            ax.set_visible(False)
            continue
        part = seats[seats["person"] == persons[i]].sort_values("time")
        for _, line in parties.groupby(["chamber", "party"]):
            ordered = line.sort_values("time")
            ax.plot(ordered["time"], ordered["mean"], color=RULE, linewidth=1.4)
        _career(ax, part)
        _sessions_on(ax, parties)
        ax.set_ylim(low, high)
        words = part["name"].iloc[-1]
        ax.set_title(plain(words, 21), loc="left", fontsize=8, color=INK, pad=3)
        ax.tick_params(labelsize=7)
        if i % COLUMNS:
            ax.set_yticklabels([])
        if i + COLUMNS < len(persons):
            ax.set_xticklabels([])
    return figure


def _career(ax: Axes, part: pd.DataFrame) -> None:
    ax.plot(part["time"], part["mean"], color=MUTED, linewidth=1)
    for _, seat in part.iterrows():
        name = group(seat["party"])
        ax.vlines(seat["time"], seat["hdi_low"], seat["hdi_high"], color=COLOURS[name], linewidth=2)
        ax.plot(
            [seat["time"]], [seat["mean"]], MARKERS[name], color=COLOURS[name], markersize=4.5,
            markerfacecolor="white" if seat["chamber"] == "senate" else COLOURS[name],
        )  # fmt: skip
