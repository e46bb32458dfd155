"""What every figure shares: colours, markers, safe text, axes and the placing of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from tallgrass.report.canvas import Canvas
from tallgrass.report.labels import label_offsets
from tallgrass.report.palette import COLOURS, MARKERS, shown

DPI = 120
WIDTH = 8.0  # inches: 960 pixels

INK, MUTED, RULE, ACCENT = "#20242a", "#5f6670", "#d9dce1", "#7a5195"
_CHAINS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")

Floats = NDArray[np.float64]


def plain(text: object, longest: int = 60) -> str:
    r"""Text from the data as matplotlib shows it literally: no mathtext, one line, not too long.

    Matplotlib reads ``$...$`` as a formula and raises on a wrong one; ``\$`` is a dollar sign.
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    if len(words) > longest:
        words = words[: longest - 1].rstrip() + "…"
    return words.replace("$", r"\$")


def chain_colour(chain: int) -> str:
    """One colour a chain, again from the start after eight."""
    return _CHAINS[chain % len(_CHAINS)]


def new_figure(
    height: float,
    columns: int = 1,
    rows: int = 1,
    *,
    margins: tuple[float, float, float, float] = (0.7, 0.2, 0.55, 0.55),
    gaps: tuple[float, float] = (0.6, 0.6),
    widths: Sequence[float] | None = None,
) -> tuple[Figure, NDArray[np.object_]]:
    """A figure of the common width with a grid of axes, shape (rows, columns).

    ``margins`` (left, right, top, bottom) and ``gaps`` (between columns, between rows) are inches:
    fixed places cost nothing, while automatic layout draws every label twice.
    """
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    Canvas(figure)
    left, right, top, bottom = margins
    # subplots_adjust measures gaps in mean axes sizes
    wide = (WIDTH - left - right - gaps[0] * (columns - 1)) / columns
    tall = (height - top - bottom - gaps[1] * (rows - 1)) / rows
    axes = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": left / WIDTH,
            "right": 1 - right / WIDTH,
            "top": 1 - top / height,
            "bottom": bottom / height,
            "wspace": gaps[0] / wide,
            "hspace": gaps[1] / tall,
            "width_ratios": widths,
        },
    )
    for ax in axes.flat:
        _quiet(ax)
    return figure, axes


def _quiet(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(RULE)
    ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=3, width=0.8)
    ax.set_axisbelow(True)


def label_axes(ax: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Axis labels and a title at the left, in the common sizes."""
    ax.set_xlabel(x, fontsize=9.5, color=INK)
    ax.set_ylabel(y, fontsize=9.5, color=INK)
    for axis, label in ((ax.xaxis, x), (ax.yaxis, y)):
        if not label:
            no_label(axis)
    if title:
        panel_title(ax, title, fontsize=11, fontweight="bold", color=INK, pad=8)


def panel_title(ax: Axes, title: str, **how: Any) -> None:
    """A title at the left, right above the axes: Matplotlib would look for what is in its way."""
    ax.set_title(title, loc="left", y=1.0, **how)


def no_label(axis: Axis) -> None:
    """Say that an axis has no label: Matplotlib would look for its place, among the ticks."""
    axis.set_label_coords(0, 0)


def hide_y(ax: Axes) -> None:
    """Take away the vertical axis of a density, whose height means nothing to a reader."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def party_legend(
    ax: Axes, groups: Sequence[str], height: float = 1.0, more: Sequence[Line2D] = ()
) -> None:
    """A legend of the parties with their markers, above the axes (``height`` in fractions).

    ``more`` are entries after the parties.
    """
    handles = [
        Line2D([], [], color=COLOURS[g], marker=MARKERS[g], linestyle="", markersize=6, label=g)
        for g in COLOURS
        if g in groups
    ]
    if not shown() and groups:  # a chamber without groups has nothing to tell apart
        handles = []
    handles += more
    if not handles:
        return
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.01, height),
        ncols=len(handles),
        frameon=False,
        fontsize=9,
    )


def density(draws: ArrayLike, points: int = 256) -> tuple[Floats, Floats]:
    """A Gaussian kernel density estimate on a grid: positions and heights, each (points,).

    The bandwidth is Silverman's; binned, so the cost does not grow with the number of draws.
    """
    values = np.asarray(draws, float).ravel()
    values = values[np.isfinite(values)]
    quartiles = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(), (quartiles[1] - quartiles[0]) / 1.349) or values.std()
    if spread == 0:
        spread = max(abs(values[0]), 1.0) * 1e-3
    bandwidth = 0.9 * spread * len(values) ** -0.2
    # A stray draw must not stretch the grid until a bin is wider than the bandwidth.
    low = max(values.min(), quartiles[0] - 8 * spread) - 4 * bandwidth
    high = min(values.max(), quartiles[1] + 8 * spread) + 4 * bandwidth
    counts, edges = np.histogram(values, bins=points, range=(low, high))
    width = edges[1] - edges[0]
    reach = min(int(4 * bandwidth / width) + 1, points // 2 - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * width / bandwidth) ** 2)
    heights = np.convolve(counts, kernel / kernel.sum(), mode="same") / (len(values) * width)
    return (edges[:-1] + edges[1:]) / 2, heights


def draw_density(ax: Axes, draws: ArrayLike, colour: str, label: str = "") -> float:
    """A filled density; returns its greatest height."""
    x, heights = density(draws)
    ax.fill_between(x, heights, color=colour, alpha=0.22, linewidth=0)
    ax.plot(x, heights, color=colour, linewidth=1.6, label=label)
    return float(heights.max())


def text_width(labels: Sequence[str], size: float = 8) -> float:
    """Inches that the longest of some labels takes, estimated from its number of letters."""
    return max((len(label) for label in labels), default=0) * 0.58 * size / 72


def place_labels(
    ax: Axes, points: Floats, labelled: NDArray[np.int64], labels: Sequence[str], size: float = 8
) -> None:
    """Write labels beside some points where they cover neither each other nor any point.

    Text sizes are estimated: asking the renderer would draw the figure once more. Limits of the
    axes must be final. A label that fits nowhere takes the place with the least overlap.

    Parameters
    ----------
    ax : Axes
        Where the points are.
    points : ndarray, shape (n_points, 2)
        All points, in data units.
    labelled : ndarray of int
        Which of them get a label.
    labels : sequence of str
        One for each of ``labelled``.
    size : float
        Of the text, in points.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    pixels = ax.transData.transform(points)
    dot = figure.dpi / 72
    frame = ax.get_window_extent()
    offsets = label_offsets(
        pixels, labelled, labels, (frame.x0, frame.y0, frame.x1, frame.y1), size, dot
    )
    for index, label, (dx, dy) in zip(labelled, labels, offsets, strict=True):
        ax.annotate(
            label,
            (points[index, 0], points[index, 1]),
            xytext=(dx / dot, dy / dot + 0.3 * size),
            textcoords="offset points",
            fontsize=size,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkB": 3},
        )
