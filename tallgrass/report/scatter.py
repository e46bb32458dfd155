"""A scatter that the page draws itself, of people who can be pointed at, opened and filtered."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tallgrass.report.labels import label_offsets
from tallgrass.report.palette import STYLES, style_words
from tallgrass.report.scale import Scale

# Units of the picture; a reader's screen shows about one and a half pixels for one.
WIDTH, HEIGHT = 640.0, 460.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 12.0, 12.0, 46.0
SIZE = 10.0  # of the names beside marks


@dataclass(frozen=True)
class Point:
    """A mark of a scatter.

    Parameters
    ----------
    x, y : float
        Position.
    name, title : str
        The name beside the mark, and what is said of it when it is pointed at.
    style : str
        One of :data:`~tallgrass.report.palette.STYLES`.
    who : str
        Id of the person.
    named : bool
        Whether the name stands beside the mark.
    ringed : bool
        Whether the mark is framed, as those of anchors are.
    ellipse : (float, float, float)
        Half axes in the unit of the data and the angle of the first in degrees; none when empty.
    """

    x: float
    y: float
    name: str
    title: str
    style: str = "other"
    who: str = ""
    named: bool = False
    ringed: bool = False
    ellipse: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Line:
    """A straight line through the picture: ``y = intercept + slope * x``."""

    slope: float
    intercept: float
    style: str = "dashed"


@dataclass(frozen=True)
class Name:
    """A name as it is written: its place, and the end of the line that comes from its mark.

    ``index`` is that of the point.
    """

    index: int
    text: str
    who: str
    x: float
    y: float
    end_x: float
    end_y: float


@dataclass(frozen=True)
class Scatter:
    """A scatter.

    Parameters
    ----------
    name, alt, caption : str
        As those of a forest plot.
    x_label, y_label : str
        Of the axes.
    points : tuple of Point
        The marks.
    lines : tuple of Line
        Behind the marks.
    equal : bool
        Whether both axes have one unit, so that angles are seen as they are.
    """

    kind: ClassVar[str] = "scatter"
    name: str
    alt: str
    caption: str
    x_label: str
    y_label: str
    points: tuple[Point, ...]
    lines: tuple[Line, ...] = ()
    equal: bool = False

    width: ClassVar[float] = WIDTH
    left: ClassVar[float] = LEFT
    right: ClassVar[float] = WIDTH - RIGHT
    top: ClassVar[float] = TOP

    @cached_property
    def scales(self) -> tuple[Scale, Scale]:
        """The ranges across and up."""
        across = Scale.over([point.x for point in self.points], 0.06)
        up = Scale.over([point.y for point in self.points], 0.06)
        if self.equal and self.height == HEIGHT:
            # Too tall for its width: the range across is widened about its middle.
            unit = (up.high - up.low) / (HEIGHT - TOP - BOTTOM)
            half, middle = unit * (WIDTH - LEFT - RIGHT) / 2, (across.low + across.high) / 2
            across = Scale(middle - half, middle + half)
        return across, up

    @cached_property
    def height(self) -> float:
        """Of the whole picture, in its own units."""
        if not self.equal:
            return HEIGHT
        across = Scale.over([point.x for point in self.points], 0.06)
        up = Scale.over([point.y for point in self.points], 0.06)
        room = (WIDTH - LEFT - RIGHT) * (up.high - up.low) / (across.high - across.low)
        return min(room + TOP + BOTTOM, HEIGHT)

    @property
    def foot(self) -> float:
        """Where the axis across lies."""
        return self.height - BOTTOM

    @property
    def styles(self) -> list[str]:
        """The groups that have a mark."""
        found = {point.style for point in self.points}
        return [style for style in STYLES if style in found]

    @property
    def words(self) -> dict[str, str]:
        """What the groups are called."""
        return style_words()

    def across(self, value: float) -> float:
        """A value across, in units of the picture."""
        return round(LEFT + self.scales[0].share(value) * (self.right - LEFT), 1)

    def up(self, value: float) -> float:
        """A value up, in units of the picture."""
        return round(self.foot - self.scales[1].share(value) * (self.foot - TOP), 1)

    def ellipse(self, point: Point) -> tuple[float, float, float]:
        """Half axes and angle of a point's ellipse as SVG draws it; for axes of one unit."""
        assert point.ellipse is not None  # checked by the template
        unit = (self.right - LEFT) / (self.scales[0].high - self.scales[0].low)
        long, short, angle = point.ellipse
        return round(long * unit, 1), round(short * unit, 1), round(-angle, 1)

    def ends(self, line: Line) -> tuple[float, float, float, float]:
        """Where a line begins and ends within the axes: x, y, x, y; zeros if it is outside."""
        across, up = self.scales
        limits = [across.low, across.high]
        if not line.slope and not up.low <= line.intercept <= up.high:
            return (0.0, 0.0, 0.0, 0.0)
        if line.slope:
            crossings = sorted((v - line.intercept) / line.slope for v in (up.low, up.high))
            limits = [max(limits[0], crossings[0]), min(limits[1], crossings[1])]
        if limits[0] >= limits[1] or not math.isfinite(line.slope):
            return (0.0, 0.0, 0.0, 0.0)
        first, last = ((x, line.intercept + line.slope * x) for x in limits)
        return (
            self.across(first[0]), self.up(first[1]), self.across(last[0]), self.up(last[1])
        )  # fmt: skip

    @cached_property
    def names(self) -> list[Name]:
        """The names beside marks, where they cover neither each other nor a mark."""
        chosen = [i for i, point in enumerate(self.points) if point.named]
        if not chosen:
            return []
        places = np.array([(self.across(p.x), -self.up(p.y)) for p in self.points])
        labels = [self.points[i].name for i in chosen]
        frame = (LEFT, -self.foot, self.right, -TOP)
        offsets = label_offsets(places, chosen, labels, frame, SIZE)
        names = []
        for i, label, (dx, dy) in zip(chosen, labels, offsets, strict=True):
            x, y = places[i][0] + dx, -(places[i][1] + dy) - 0.3 * SIZE
            wide = len(label) * 0.56 * SIZE
            end = min(max(places[i][0], x), x + wide)
            written = (round(float(v), 1) for v in (x, y, end, y - 0.3 * SIZE))
            names.append(Name(i, label, self.points[i].who, *written))
        return names
