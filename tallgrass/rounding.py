"""Numbers rounded for reading, alike in the terminal, in reports and in tables.

Stored numbers are not rounded to these digits; see :mod:`tallgrass.tracking.writing.values`.
"""

import math

MOST_DECIMALS = 15  # what a float can tell apart near 1
_KILO = 1000
WHOLE_FROM, TENTHS_FROM = 100, 10  # decimals say little about an effective sample size


def rounded(value: float, decimals: int, *apart: float) -> str:
    """A number rounded to nearest, with more decimals where fewer would hide what matters.

    Parameters
    ----------
    value : float
        Finite.
    decimals : int
        As many, unless the text would then equal a number of ``apart`` that the value differs from.
    *apart : float
        A threshold, or the 1 of a correlation: a text that equals it says that it was reached.

    Examples
    --------
    >>> rounded(1.00656, 4, 1.01), rounded(1.00996, 4, 1.01), rounded(0.999992, 4, 1.0)
    ('1.0066', '1.00996', '0.99999')
    """
    for more in range(decimals, MOST_DECIMALS):
        text = f"{value:,.{more}f}"
        if all(limit == value or float(text.replace(",", "")) != limit for limit in apart):
            return text
    return repr(value)


def size(n_bytes: int) -> str:
    """Bytes with a unit, to three digits.

    Examples
    --------
    >>> size(512), size(38_100_000), size(999_950)
    ('512 B', '38.1 MB', '1 MB')
    """
    value, units = float(n_bytes), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= _KILO - 0.5:
        value /= _KILO
        unit = next(units)
    return f"{value:.3g} {unit}"


def diagnostic(value: float, *thresholds: float) -> str:
    """R-hat, E-BFMI, |r| with four decimals, effective draws and counts whole; ``-`` for NaN.

    A value is never shown as equal to 1 or to a threshold that it does not equal.

    Examples
    --------
    >>> diagnostic(1719.6), diagnostic(3.0), diagnostic(0.31416)
    ('1,720', '3', '0.3142')
    """
    if not math.isfinite(value):
        return "-"
    whole = value == int(value) or abs(value) >= WHOLE_FROM
    decimals = 0 if whole else 1 if abs(value) >= TENTHS_FROM else 4
    return rounded(value, decimals, 1.0, *thresholds)
