"""A forest plot that the page draws itself: a row a person, which a reader can filter and print."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import ClassVar

from tallgrass.report.palette import STYLES, style_words
from tallgrass.report.scale import Scale


@dataclass(frozen=True)
class Estimate:
    """One row of a forest plot.

    Parameters
    ----------
    name : str
        Whose estimate it is.
    low, middle, high : float
        Estimate and ends of its interval.
    value, interval : str
        The same in words.
    style : str
        Class of the mark: one of :data:`~tallgrass.report.palette.STYLES`, and ``hollow`` for a
        mark that is not filled.
    who : str
        Id of the person, from :func:`~tallgrass.report.people.person_id`.
    """

    name: str
    low: float
    middle: float
    high: float
    value: str
    interval: str
    style: str = "other"
    who: str = ""

    @property
    def shape(self) -> str:
        """The form of the mark, which tells groups apart without colour."""
        return next((s for s in STYLES if s in self.style.split()), "other")


@dataclass(frozen=True)
class Forest:
    """A forest plot.

    Parameters
    ----------
    name : str
        Of the picture, in its id.
    alt : str
        What a reader who cannot see it needs to know.
    caption, label : str
        Below the picture, and above its axis.
    rows : tuple of Estimate
        From top to bottom.
    """

    kind: ClassVar[str] = "forest"
    name: str
    alt: str
    caption: str
    label: str
    rows: tuple[Estimate, ...]

    @cached_property
    def scale(self) -> Scale:
        """The range of all intervals."""
        return Scale.over(chain.from_iterable((row.low, row.high) for row in self.rows))

    @property
    def styles(self) -> list[str]:
        """The groups that have a row."""
        return [s for s in STYLES if s in self._shapes]

    @property
    def words(self) -> dict[str, str]:
        """What the groups are called."""
        return style_words()

    @property
    def _shapes(self) -> set[str]:
        return {row.shape for row in self.rows}
