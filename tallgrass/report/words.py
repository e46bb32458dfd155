"""Numbers, people and names as a reader sees them."""

import math
from datetime import datetime

from tallgrass.rounding import diagnostic

MINUS, NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"
ALMOST = 0.005


def number(value: float, digits: int = 2) -> str:
    """A number with a real minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def measured(value: float, *thresholds: float) -> str:
    """A diagnostic as the terminal shows it too: never equal to a threshold that it misses."""
    if not math.isfinite(value):
        return NOTHING
    return diagnostic(value, *thresholds).replace("-", MINUS)


def trimmed(value: float, digits: int = 3) -> str:
    """A number without zeros at its end: 1, 0.5."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float, digits: int = 2) -> str:
    """A number that always shows its sign."""
    text = number(value, digits)
    return f"+{text}" if text != NOTHING and value > 0 and float(text.replace(",", "")) else text


def percent(value: float, digits: int = 0) -> str:
    """A share as a percentage."""
    return f"{number(100 * value, digits)} %" if math.isfinite(value) else NOTHING


def chance(share: float) -> str:
    """A probability counted in draws, which are too few to tell 1 in 200 from never."""
    if not math.isfinite(share):
        return NOTHING
    if share < ALMOST:
        return "under 1 %"
    return "over 99 %" if share > 1 - ALMOST else percent(share)


def span(low: float, high: float, digits: int = 2) -> str:
    """An interval in words, which read well with minus signs."""
    return f"{number(low, digits)} to {number(high, digits)}"


def shortened(text: str, longest: int = 100) -> str:
    """A long text cut at the end of a word."""
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" ,;") + "…"


def moment(stored: object) -> str:
    """A stored time (ISO 8601) as a reader sees it, to the minute and with its time zone.

    Examples
    --------
    >>> from tallgrass.report.words import moment
    >>> moment("2026-11-30T08:55:07+00:00")
    '2026-11-30 08:55 UTC'
    """
    try:
        when = datetime.fromisoformat(str(stored))
    except ValueError:
        return str(stored)
    zone = "UTC" if not when.utcoffset() else f"UTC{when:%z}"
    return f"{when:%Y-%m-%d %H:%M} {zone}"


def counted(n: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """Items as in a sentence: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
