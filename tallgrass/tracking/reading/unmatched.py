"""Why no run matches: values that no run has, and keys that an MLflow filter cannot find."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from tallgrass.errors import nearest, shown
from tallgrass.tracking.reading.listing import records
from tallgrass.tracking.reading.searching import as_text, search

_MOST_RUNS = 1000  # the newest, of which the values are looked at
_MOST_SEARCHED = 100  # by MLflow, which is slower
_KEY = re.compile(r"\b(metrics|params|tags)\.(?:`([^`]+)`|\"([^\"]+)\"|([\w/.\-]+))")


def reasons(fields: Mapping[str, Any], filters: Mapping[str, Any]) -> list[str]:
    """What no run has of what was asked for, each with the nearest that there is.

    Parameters
    ----------
    fields : mapping of str to type
        Parameters of this kind of run, as for :func:`~tallgrass.tracking.reading.listing.listed`.
    filters : mapping
        The filters that no run matched.

    Returns
    -------
    list of str
        Empty where runs have each value, and none has all of them.
    """
    asked = {n: as_text(v) for n, v in filters.items() if n in {*fields, "verdict"} and v}
    words = []
    if asked:
        runs = records(fields, limit=_MOST_RUNS)
        for name, value in asked.items():
            known = sorted({as_text(run[name]) for run in runs if run.get(name) is not None})
            if known and value not in known:
                words.append(f"no run has {name} {shown(value)}: {nearest(value, known)}")
    if filters.get("filter"):
        words += _unknown_keys(str(filters["filter"]))
    return words


def _unknown_keys(text: str) -> Sequence[str]:
    """Keys of a filter that no run has, with the nearest."""
    runs = list(islice(search([], page_size=_MOST_SEARCHED), _MOST_SEARCHED))
    words = []
    for kind, *names in _KEY.findall(text):
        name = next(filter(None, names))
        known = sorted({key for run in runs for key in getattr(run.data, kind)})
        if known and name not in known:
            words.append(f"no run has {kind}.{shown(name)}: {nearest(name, known)}")
    return words
