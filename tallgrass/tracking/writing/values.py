"""Single values as they are written to MLflow: rounded, as text, within its limits."""

import json
import logging
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

logger = logging.getLogger(__name__)

# Metric names, decimals, direction; the first match counts.
_ROUNDING = [
    (re.compile(r"rhat_max|rhat/.*_max"), 4, ROUND_FLOOR),
    (re.compile(r"ebfmi_min|nuts/ebfmi.*|abs_r"), 4, ROUND_CEILING),
    (re.compile(r"ess_min|ess_tail_min|ess/.*_min"), 0, ROUND_CEILING),
    (re.compile(r".*_s|ess/per_second"), 1, ROUND_HALF_EVEN),
    (re.compile(r"(baseline|fit)/.*"), 4, ROUND_HALF_EVEN),
]


def rounded(name: str, value: float) -> float:
    """A metric rounded to meaningful decimals.

    Metrics of the verdict stay on their side of the threshold, so that a query on them agrees with
    the verdict: R-hat is rounded down, and ESS, E-BFMI and abs. r up, because "< 1.01" and "> 400"
    exclude equality.
    """
    for pattern, decimals, rounding in _ROUNDING:
        if pattern.fullmatch(name):
            # From the shortest text, because the float 1.004 * 1e4 is a little below 10040.
            exact = Decimal(repr(float(value)))
            return float(exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding))
    return float(f"{value:.9g}")


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
