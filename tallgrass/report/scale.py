"""An axis of a picture that the page draws itself: its range, and round numbers along it."""

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from tallgrass.report.words import trimmed


@dataclass(frozen=True)
class Scale:
    """A range of values, in the unit of the values."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float], room: float = 0.04) -> "Scale":
        """The range of some values with ``room`` (a share of the range) on either side.

        Examples
        --------
        >>> from tallgrass.report.scale import Scale
        >>> Scale.over([0, 10], room=0.1)
        Scale(low=-1.0, high=11.0)
        """
        known = list(values)
        low, high = min(known, default=0.0), max(known, default=1.0)
        pad = room * (high - low) or 0.5
        return cls(float(low - pad), float(high + pad))

    def share(self, value: float) -> float:
        """Where a value stands, as a share of the range."""
        return (value - self.low) / (self.high - self.low)

    def percent(self, value: float) -> str:
        """Where a value stands, as a length in a style sheet or a picture."""
        return f"{100 * self.share(value):.2f}%"

    def ticks(self, most: int = 7) -> list[tuple[float, str]]:
        """Round values within the range, at most about ``most``, each with its words."""
        found = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        return [(float(v), trimmed(float(v))) for v in found if self.low <= v <= self.high]
