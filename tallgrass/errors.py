"""The errors that a user can cause: what is wrong, the value received, how to fix it."""

from difflib import get_close_matches
from typing import Any

from tallgrass.escaping import masked, printable

_LONGEST_VALUE = 200
_LONGEST_NAME = 100  # when names are compared: the time grows with the square of the length


class TallgrassError(Exception):
    """An error the user can fix; the command line prints it as one line and exits with status 2.

    Parameters
    ----------
    what : str
        What is wrong, in one clause ("unknown chamber").
    received : object, optional
        The value that was received. Long values are shortened.
    mend : str, optional
        What the user can do about it ("use senate or house").
    parameter : str, optional
        The parameter or setting whose value it is.

    Notes
    -----
    The text is one line. Control characters, such as terminal escapes in a name, are escaped, and
    passwords in addresses are replaced by ``***``.
    """

    def __init__(
        self, what: str, received: Any = None, mend: str = "", parameter: str = ""
    ) -> None:
        self.what = what
        self.received = received
        self.mend = mend
        self.parameter = parameter
        super().__init__(what, received, mend)

    def __str__(self) -> str:
        line = masked(self.what)
        if self.received is not None:
            line += f": received {shown(self.received)}"
        return printable(f"{line}. {self.mend}" if self.mend else line)


class SpecError(TallgrassError):
    """A parameter or prior that cannot be used."""


class DataError(TallgrassError):
    """Input data that cannot be read, or that the chosen model cannot be fitted to."""


class TrackingError(TallgrassError):
    """An MLflow store, run or artifact that cannot be reached, read or written."""


class SamplingError(TallgrassError):
    """A sampler that could not start or did not finish."""


def first_line(error: BaseException) -> str:
    """The first line of an error that is not blank, or the kind of the error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def shown(value: Any) -> str:
    """A value as errors print it: quoted, escaped, on one line and shortened."""
    if isinstance(value, str):
        masked_value = masked(value)
        text = repr(masked_value) if masked_value.isprintable() else ascii(masked_value)
    else:
        try:
            text = masked(repr(value))
        except (RecursionError, ValueError):  # nested too deeply, or a number of too many digits
            text = f"a {type(value).__name__} that is too large to show"
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def nearest(name: str, known: list[str]) -> str:
    """The end of an error about an unknown name: the nearest known names, else all of them."""
    near = get_close_matches(name[:_LONGEST_NAME], known, n=5, cutoff=0.4)
    if near:
        return "did you mean " + " or ".join(near) + "?"
    return "known: " + ", ".join(sorted(known)[:20]) if known else "none are known"
