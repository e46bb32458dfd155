"""Single values as they are written to MLflow: short numbers, and text within its limits."""

import json
import logging

logger = logging.getLogger(__name__)


def stored_number(value: float) -> float:
    """A metric to seven significant digits, to nearest, as MLflow's pages show all that it holds.

    Whole numbers stay as they are, and so does a number that would become a rounder one, as
    1.00999999 would: a query such as ``metrics.rhat_max < 1.01`` agrees with the verdict.

    Examples
    --------
    >>> stored_number(1719.43214), stored_number(1.00999999), stored_number(12345678.0)
    (1719.432, 1.00999999, 12345678.0)
    """
    short = float(f"{value:.7g}")
    if value.is_integer() or short == float(f"{value:.5g}"):
        return value
    return short


def text(value: object) -> str:
    """A value as a param or tag: numbers in their shortest form, ``true``, ``none``, or JSON."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, sort_keys=True, default=str)
    return str(value)


def cut(value: str, longest: int, key: str) -> str:
    """The value, or its beginning with a note of its length; MLflow would cut it without one."""
    if len(value) <= longest:
        return value
    logger.warning("%s has %d characters; MLflow keeps %d of them", key, len(value), longest)
    mark = f" ... [cut: {len(value)} characters]"
    return value[: longest - len(mark)] + mark
