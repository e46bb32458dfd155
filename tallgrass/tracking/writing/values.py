"""Single values as they are written to MLflow: as text, within its limits."""

import json
import logging

logger = logging.getLogger(__name__)


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
