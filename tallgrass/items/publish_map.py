"""Which column of the user's table holds what: the text of ``publish_map``, read and checked.

``item_id=item,a_hat=a,b_hat=b,model='2PL',n_window=3``: on the left a column of the table, on the
right a value of the calibration, a text in single quotes, or a number.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tallgrass.errors import SpecError, nearest

FIELDS = (
    "item", "a", "b", "a_sd", "b_sd", "a_low", "a_high", "b_low", "b_high", "c", "c_sd", "n",
    "share_correct", "infit", "outfit", "engine", "item_model", "window", "run_id", "published_at",
)  # fmt: skip
_PART = re.compile(r"\s*([^=,']+?)\s*=\s*('(?:[^']|'')*'|[^,']*?)\s*(?:,|$)")
_FIELD = re.compile(r"b_\d+(_sd)?")  # thresholds


class Constant(NamedTuple):
    """A value that is the same in every row."""

    value: str | int | float


def parse_map(text: str) -> dict[str, "str | Constant"]:
    """By column of the table the name of a field, or a constant; empty for the empty text.

    Raises
    ------
    SpecError
        When a part is not column=field, a column occurs twice, or item is not among the fields.

    Examples
    --------
    >>> parse_map("item_id=item,model='2PL'")
    {'item_id': 'item', 'model': Constant(value='2PL')}
    """
    result: dict[str, str | Constant] = {}
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None or not part[2]:
            raise SpecError(
                "publish_map: bad part", text[place:][:60], "write item_id=item,b_hat=b,model='2PL'"
            )
        column, value = part[1], part[2]
        if column in result:
            raise SpecError("publish_map: a column occurs twice", column, "name each once")
        result[column] = _value(value)
        place = part.end()
    if text.strip() and "item" not in result.values():
        raise SpecError("publish_map: no column for the item", text, "add item_id=item")
    return result


def _value(text: str) -> "str | Constant":
    if text.startswith("'"):
        return Constant(text[1:-1].replace("''", "'"))
    if text in FIELDS or _FIELD.fullmatch(text):
        return text
    for kind in (int, float):
        try:
            return Constant(kind(text))
        except ValueError:
            continue
    raise SpecError(
        "publish_map: neither a value of a calibration nor a constant", text,
        f"{nearest(text, list(FIELDS))} a text constant needs single quotes",
    )  # fmt: skip


def key_columns(text: str, mapping: Mapping[str, "str | Constant"]) -> tuple[str, ...]:
    """The columns by which a row is known; without a text that of the item."""
    given = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    of_item = next((column for column, value in mapping.items() if value == "item"), "item")
    return given or (of_item,)
