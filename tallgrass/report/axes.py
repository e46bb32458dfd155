"""Axes that draw their ticks at once: Matplotlib makes five artists for every tick.

For linear axes with ticks at the bottom, the left and the top; what else is asked for, by those who
change a figure of ours, is left to Matplotlib. The pictures are the same to the last dot.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT, TICKUP
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator
from matplotlib.transforms import Bbox

_PAD = 3.5  # points between a tick and its label, as Matplotlib has it
_MARKS: dict[str, Any] = {"bottom": TICKDOWN, "top": TICKUP, "left": TICKLEFT}
_SIDES = {"top", "labeltop", "bottom", "labelbottom", "left", "labelleft"}
_LOOKS = _SIDES | {"which", "colors", "color", "labelcolor", "labelsize", "length", "width", "pad"}
_SLACK = 1e-9  # of the range: a tick at its very end is drawn


class LeanAxes(Axes):
    """Axes whose ticks are drawn by :class:`_Ticks`; all else is as ever."""

    def clear(self) -> None:
        """Remove everything, and make ready to be drawn on."""
        self._ticks: dict[str, _Ticks] = {}
        super().clear()
        self._ticks = {name: _Ticks(axis) for name, axis in self._axes_by_name().items()}
        for name, axis in self._axes_by_name().items():
            axis.set_visible(False)
            self.add_artist(self._ticks[name]).set_clip_on(False)

    def _axes_by_name(self) -> dict[str, Axis]:
        return {"x": self.xaxis, "y": self.yaxis}

    def grid(
        self, visible: Any = None, which: Any = "major", axis: Any = "both", **how: Any
    ) -> None:
        """Show lines at the ticks; where none are wanted, no tick is made to say so."""
        if visible is False and not mpl.rcParams["axes.grid"]:
            for one in self._axes_by_name().values():
                one.majorTicks = []  # Matplotlib would make one of each to be copied
                one.minorTicks = []
            return
        super().grid(visible, which, axis, **how)

    def set_title(self, label: str, *args: Any, **how: Any) -> Text:
        """Set a title right above the axes."""
        return super().set_title(label, *args, **{"y": 1.0, **how})

    def tick_params(self, axis: Any = "both", **how: Any) -> None:
        """Change the looks of ticks and their labels."""
        # Matplotlib itself says of new axes that there are no ticks at the right.
        if not _LOOKS.issuperset(key for key, value in how.items() if value is not False):
            for name in ("x", "y") if axis == "both" else (axis,):
                self._as_ever(name)
        super().tick_params(axis=axis, **how)

    def set_xscale(self, value: Any, **how: Any) -> None:
        """Set the scale of the horizontal axis."""
        self._as_ever("x")
        super().set_xscale(value, **how)

    def set_yscale(self, value: Any, **how: Any) -> None:
        """Set the scale of the vertical axis."""
        self._as_ever("y")
        super().set_yscale(value, **how)

    def set_xticks(self, ticks: Any, labels: Any = None, **how: Any) -> Any:
        """Set the places of the ticks, and their labels."""
        if self._set_ticks("x", ticks, labels, how):
            return self.get_xticklabels()
        return super().set_xticks(ticks, labels, **how)

    def set_yticks(self, ticks: Any, labels: Any = None, **how: Any) -> Any:
        """Set the places of the ticks, and their labels."""
        if self._set_ticks("y", ticks, labels, how):
            return self.get_yticklabels()
        return super().set_yticks(ticks, labels, **how)

    def set_xticklabels(self, *args: Any, **how: Any) -> Any:
        """Set the labels of the ticks."""
        self._as_ever("x")
        return super().set_xticklabels(*args, **how)

    def set_yticklabels(self, *args: Any, **how: Any) -> Any:
        """Set the labels of the ticks."""
        self._as_ever("y")
        return super().set_yticklabels(*args, **how)

    def get_xticklabels(self, *args: Any, **how: Any) -> list[Text]:
        """The labels below the axes."""
        if "x" in self._ticks and not (args or how):
            return self._ticks["x"].labels()
        return super().get_xticklabels(*args, **how)

    def get_yticklabels(self, *args: Any, **how: Any) -> list[Text]:
        """The labels at the left."""
        if "y" in self._ticks and not (args or how):
            return self._ticks["y"].labels()
        return super().get_yticklabels(*args, **how)

    def _set_ticks(
        self, name: str, ticks: Any, labels: Sequence[str] | None, how: dict[str, Any]
    ) -> bool:
        """Set ticks, unless Matplotlib must because of how they are to look."""
        if name not in self._ticks or not {"fontsize"}.issuperset(how):
            self._as_ever(name)
            return False
        axis = self._axes_by_name()[name]
        axis.set_major_locator(FixedLocator(ticks))
        if labels is not None:
            axis.set_major_formatter(FixedFormatter(labels))
        if "fontsize" in how:
            self.tick_params(axis=name, labelsize=how["fontsize"])
        return True

    def _as_ever(self, name: str) -> None:
        """Leave an axis to Matplotlib: something is asked for that is not known here."""
        if ticks := self._ticks.pop(name, None):
            ticks.remove()
            axis = self._axes_by_name()[name]
            axis.reset_ticks()
            axis.set_visible(True)


class _Ticks(Artist):
    """The ticks of one axis, with their labels and that of the axis."""

    zorder = 0.5  # below what is plotted

    def __init__(self, axis: Axis) -> None:
        super().__init__()
        self._axis = axis
        self._is_x = isinstance(axis, XAxis)

    def labels(self, at_top: bool = False) -> list[Text]:
        """Each label as an artist in its place."""
        text, places = self._text(at_top), self._places()
        made = []
        for place, words in places:
            one = Text()
            one.update_from(text)
            one.set_figure(self._on.get_figure(root=False))  # type: ignore[arg-type]
            one.axes = self._on
            one.set_transform(text.get_transform())
            self._put(one, place, words, at_top)
            made.append(one)
        return made

    @property
    def _on(self) -> Axes:
        return self._axis.axes

    def _places(self) -> list[tuple[float, str]]:
        """Ticks within the axes, by their places and words."""
        places = [float(place) for place in self._axis.get_majorticklocs()]
        words = self._axis.get_major_formatter().format_ticks(places)
        low, high = sorted(self._axis.get_view_interval())
        slack = _SLACK * (high - low)
        return [
            (place, text)
            for place, text in zip(places, words, strict=False)
            if low - slack <= place <= high + slack
        ]

    def _text(self, at_top: bool) -> Text:
        """An artist with the looks of the labels, which is moved from one place to the next."""
        how = self._axis.get_tick_params()
        pad = how.get("length", 3.5) + how.get("pad", _PAD)
        ax = self._on
        if at_top:
            transform, va, ha = ax.get_xaxis_text2_transform(pad)
        elif self._is_x:
            transform, va, ha = ax.get_xaxis_text1_transform(pad)
        else:
            transform, va, ha = ax.get_yaxis_text1_transform(pad)
        text = Text(
            0, 0, "", color=how.get("labelcolor", "black"), fontsize=how.get("labelsize", 10),
            va=va, ha=ha,
        )  # fmt: skip
        text.set_figure(ax.get_figure(root=False))  # type: ignore[arg-type]
        text.axes = ax
        text.set_transform(transform)
        return text

    def _put(self, text: Text, place: float, words: str, at_top: bool) -> None:
        text.set_text(words)
        text.set_position((place, float(at_top)) if self._is_x else (0, place))

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """What the labels cover, for those who ask how large a figure must be."""
        shown = self._axis.get_tick_params()
        texts = self.labels() if shown.get("labelbottom" if self._is_x else "labelleft") else []
        if shown.get("labeltop"):
            texts += self.labels(at_top=True)
        boxes = [self._on.bbox, *(text.get_window_extent(renderer) for text in texts)]
        if self._axis.label.get_text():
            self._place_label(Bbox.union(boxes))
            boxes.append(self._axis.label.get_window_extent(renderer))
        return Bbox.union(boxes)

    def draw(self, renderer: Any) -> None:
        """Draw the ticks, their labels and the label of the axis."""
        ax, how = self._on, self._axis.get_tick_params()
        if not ax.axison:
            return
        places = self._places()
        if places and how.get("gridOn"):
            self._draw_grid(renderer, places, how)
        sides = ["bottom", "top"] if self._is_x else ["left"]
        covered = [ax.bbox]
        for side in sides:
            at_top = side == "top"
            if places and how.get(side) and how.get("length", 3.5):
                self._draw_marks(renderer, places, how, side)
            if how.get(f"label{side}"):
                text = self._text(at_top)
                # Where the label of the axis has no text nobody asks how wide the numbers are.
                asked = bool(self._axis.label.get_text()) and not at_top
                for i, (place, words) in enumerate(places):
                    self._put(text, place, words, at_top)
                    text.draw(renderer)
                    if asked and not (self._is_x and i):  # numbers in a row are equally high
                        covered.append(text.get_window_extent(renderer))
        if self._axis.label.get_text():
            self._place_label(Bbox.union(covered))
            self._axis.label.draw(renderer)
        self.stale = False

    def _place_label(self, covered: Bbox) -> None:
        label = self._axis.label
        away = self._axis.labelpad * self._on.figure.dpi / 72
        x, y = label.get_position()
        label.set_position((x, covered.y0 - away) if self._is_x else (covered.x0 - away, y))

    def _draw_marks(
        self, renderer: Any, places: list[tuple[float, str]], how: dict[str, Any], side: str
    ) -> None:
        at = [place for place, _ in places]
        level = [float(side == "top")] * len(at)
        marks = Line2D(
            *((at, level) if self._is_x else (level, at)), linestyle="none", marker=_MARKS[side],
            markeredgecolor=how.get("color", "black"), markersize=how.get("length", 3.5),
            markeredgewidth=how.get("width", 0.8),
        )  # fmt: skip
        self._drawn(renderer, marks)

    def _draw_grid(
        self, renderer: Any, places: list[tuple[float, str]], how: dict[str, Any]
    ) -> None:
        looks = {
            key.removeprefix("grid_"): value
            for key, value in how.items()
            if key.startswith("grid_")
        }
        for place, _ in places:
            line = Line2D(
                *(([place] * 2, [0, 1]) if self._is_x else ([0, 1], [place] * 2)), **looks
            )
            self._drawn(renderer, line, within=True)

    def _drawn(self, renderer: Any, line: Line2D, within: bool = False) -> None:
        ax = self._on
        line.set_figure(ax.get_figure(root=False))  # type: ignore[arg-type]
        line.axes = ax
        line.set_transform(ax.get_xaxis_transform() if self._is_x else ax.get_yaxis_transform())
        if within:
            line.set_clip_path(ax.patch)
        line.draw(renderer)
