"""The map of a chamber in two dimensions: members, and the lines at which roll calls cut."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from tallgrass.report.palette import COLOURS, MARKERS, group, shown
from tallgrass.report.style import (
    INK,
    RULE,
    label_axes,
    new_figure,
    party_legend,
    place_labels,
    plain,
)
from tallgrass.rollcalls.groups import ends_words

_HALF = 1.1774  # radius that holds half of a normal distribution in two dimensions
_PAD = 0.06  # of the range
_ALONG = (0.1, 0.9)  # where the arrows stand on their lines, so that few meet
_HEIGHT, _LEAST_HEIGHT = 7.2, 3.8  # inches
AXIS_2 = "Axis 2  (within the parties)"


def axis_1() -> str:
    """The label of the first axis, with the groups at its ends."""
    ends = ends_words(shown())
    return f"Axis 1  ({ends})" if ends else "Axis 1"


def chamber_map(table: pd.DataFrame, labelled: int = 16) -> Figure:
    """Every member on the map, with the ellipse that holds half of the posterior.

    Parameters
    ----------
    table : DataFrame
        Columns name, party, mean, sd, mean_2, sd_2, r_12.
    labelled : int
        Members to name: those who stand most clearly apart from the middle of their party.
    """
    figure, ax = _axes(table)
    groups = table["party"].map(group)
    points = table[["mean", "mean_2"]].to_numpy(float)
    for name, colour in COLOURS.items():
        mask = (groups == name).to_numpy()
        if mask.any():
            _ellipses(ax, table[mask], colour)
    _members(ax, table, groups)
    named = apart_first(table)[:labelled]
    place_labels(ax, points, named, [plain(name, 22) for name in table["name"].iloc[named]], 7.5)
    party_legend(ax, groups.unique().tolist())
    return figure


def cutting_lines(table: pd.DataFrame, rollcalls: pd.DataFrame) -> Figure:
    """The members, and where roll calls divide them; the arrow points to the yeas.

    Parameters
    ----------
    table : DataFrame
        As of :func:`chamber_map`.
    rollcalls : DataFrame
        The roll calls to draw: columns bill, vote_id, alpha, beta, beta_2.
    """
    figure, ax = _axes(table)
    groups = table["party"].map(group)
    _members(ax, table, groups, alpha=0.45)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    corners = np.array([[left, bottom], [left, top], [right, bottom], [right, top]])
    reach = 0.04 * np.hypot(right - left, top - bottom)
    ends, labels = [], []
    places = np.linspace(*_ALONG, max(len(rollcalls), 2))
    for place, (_, row) in zip(places, rollcalls.iterrows(), strict=False):
        slope = np.array([row["beta"], row["beta_2"]], float)
        length = np.linalg.norm(slope)
        sides = corners @ slope - row["alpha"]
        if length == 0 or (sides > 0).all() or (sides < 0).all():
            continue  # the line does not cross the map
        line = _inside(slope, float(row["alpha"]), (left, right, bottom, top))
        ax.plot(line[:, 0], line[:, 1], color=INK, linewidth=1.1, alpha=0.8, zorder=3)
        arrow = reach * slope / length
        foot = line[0] + place * (line[1] - line[0])
        ax.annotate(
            "",
            tuple(foot + arrow),
            tuple(foot),
            arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.1},
        )
        ends.append(foot + 1.3 * arrow)
        labels.append(plain(str(row["bill"] or row["vote_id"]), 18))
    if ends:
        points = np.concatenate([table[["mean", "mean_2"]].to_numpy(float), np.array(ends)])
        place_labels(ax, points, np.arange(len(points) - len(ends), len(points)), labels, 8)
    party_legend(ax, groups.unique().tolist())
    return figure


def _axes(table: pd.DataFrame) -> tuple[Figure, Axes]:
    """Axes of equal units on both sides, so that angles are seen as they are."""
    low = np.array([table["mean"].min(), table["mean_2"].min()])
    high = np.array([table["mean"].max(), table["mean_2"].max()])
    pad = _PAD * max(*(high - low), 1e-9)
    low, high = low - pad, high + pad
    margins = (0.8, 0.3, 0.45, 0.55)
    figure, axes = new_figure(_HEIGHT, margins=margins)
    width = figure.get_figwidth() - margins[0] - margins[1]
    tall = width * (high[1] - low[1]) / (high[0] - low[0]) + margins[2] + margins[3]
    if tall <= _HEIGHT:
        figure, axes = new_figure(max(tall, _LEAST_HEIGHT), margins=margins)
    ax: Axes = axes[0, 0]
    room = figure.get_figheight() - margins[2] - margins[3]
    # The longer side fills the axes; the other is widened about its middle.
    unit = max((high[0] - low[0]) / width, (high[1] - low[1]) / room)
    middle, half = (low + high) / 2, unit * np.array([width, room]) / 2
    ax.set_xlim(middle[0] - half[0], middle[0] + half[0])
    ax.set_ylim(middle[1] - half[1], middle[1] + half[1])
    ax.axhline(0, color=RULE, linewidth=1, zorder=0)
    label_axes(ax, axis_1(), AXIS_2)
    return figure, ax


def _members(ax: Axes, table: pd.DataFrame, groups: pd.Series, alpha: float = 0.9) -> None:
    for name, colour in COLOURS.items():
        part = table[(groups == name).to_numpy()]
        if len(part):
            ax.plot(
                part["mean"], part["mean_2"], MARKERS[name], color=colour, markersize=5.5,
                alpha=alpha, markeredgecolor="white", markeredgewidth=0.5,
            )  # fmt: skip


def apart_first(table: pd.DataFrame) -> np.ndarray:
    """Members by position in the table, those who stand most clearly apart from their party first.

    Parameters
    ----------
    table : DataFrame
        Columns party, mean, sd, mean_2, sd_2.
    """
    points = table[["mean", "mean_2"]].to_numpy(float)
    middle = table.groupby("party")[["mean", "mean_2"]].transform("mean").to_numpy()
    # In posterior standard deviations: those of whom one knows that they stand apart.
    sd = np.maximum(table[["sd", "sd_2"]].to_numpy(float), 1e-9)
    distance = np.hypot(*((points - middle) / np.hypot(sd, np.median(sd, axis=0))).T)
    return np.argsort(-distance, kind="stable")


def half_ellipses(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ellipse of each member that holds half of the posterior, as of a normal distribution.

    Parameters
    ----------
    table : DataFrame
        Columns sd, sd_2, r_12.

    Returns
    -------
    long, short, angles : ndarray, each (n_members,)
        Half axes in the unit of the map, and the angle of the longer one in degrees.
    """
    covariance = table["r_12"] * table["sd"] * table["sd_2"]
    matrices = np.empty((len(table), 2, 2))
    matrices[:, 0, 0], matrices[:, 1, 1] = table["sd"] ** 2, table["sd_2"] ** 2
    matrices[:, 0, 1] = matrices[:, 1, 0] = covariance
    values, vectors = np.linalg.eigh(matrices)
    half = _HALF * np.sqrt(np.maximum(values, 0))
    return half[:, 1], half[:, 0], np.degrees(np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]))


def _ellipses(ax: Axes, table: pd.DataFrame, colour: str) -> None:
    long, short, angles = half_ellipses(table)
    ax.add_collection(
        EllipseCollection(
            2 * long, 2 * short, angles, units="xy", offsets=table[["mean", "mean_2"]],
            transOffset=ax.transData, facecolors=to_rgba(colour, 0.06),
            edgecolors=to_rgba(colour, 0.3), linewidths=0.5,
        )
    )  # fmt: skip


def _inside(slope: np.ndarray, alpha: float, box: tuple[float, float, float, float]) -> np.ndarray:
    """The two points at which ``slope . (x, y) = alpha`` leaves a box (left, right, low, high)."""
    left, right, bottom, top = box
    on_sides = [(x, (alpha - slope[0] * x) / slope[1]) for x in (left, right) if slope[1] != 0]
    on_ends = [((alpha - slope[1] * y) / slope[0], y) for y in (bottom, top) if slope[0] != 0]
    found = [(x, y) for x, y in on_sides if bottom <= y <= top]
    found += [(x, y) for x, y in on_ends if left <= x <= right]
    points = np.array(found)
    far = int(np.argmax(np.linalg.norm(points - points[0], axis=1)))
    # From the left or, of an upright line, from below: arrows of like lines then stand apart.
    return np.array(sorted((tuple(points[0]), tuple(points[far]))))
