"""Responses in JSON: an array of records, or a line for every record or user.

A record is long (user, item, response) or wide (a user and its answers). A line of a user may hold
its answers as an object, ``{"subject_id": "u1", "responses": {"q1": 1}}``, the form of py-irt.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.tables import open_bytes
from tallgrass.items.sources.request import ResponseRequest

USER_KEYS = ("subject_id", "subject", "user_id", "person")  # for a user, where it has another name


def is_json(head: bytes) -> bool:
    """Whether a file that begins so is JSON: no header of a CSV file begins with a bracket."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def read_json(
    path: Path, request: ResponseRequest, limits: Limits = DEFAULT_LIMITS
) -> Iterator[pd.DataFrame]:
    """The file as one table, long or wide.

    Raises
    ------
    DataError
        When it is not JSON of this form, or too large.
    """
    label = shown(path.name)
    with open_bytes(path, limits) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{label} is not text", f"byte 0x{data[error.start]:02x}", "save it in UTF-8"
        ) from None
    records = _records(text, label)
    rows: list[dict[str, Any]] = []
    for record in records:
        if not isinstance(record, dict):
            raise DataError(f"{label} is JSON of another form", repr(record)[:60], _FORM)
        rows.extend(_rows(record, request, label))
    table = pd.DataFrame(rows)
    limits.check_table(label, len(table), len(table.columns))
    yield table


_FORM = 'write an array of {"user": "u1", "item": "q1", "response": 1}, or a CSV or Parquet file'


def _records(text: str, label: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        pass
    else:
        return whole if isinstance(whole, list) else [whole]
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise DataError(f"{label}, line {number}: not JSON", error.msg, _FORM) from None
    return records


def _rows(record: dict[str, Any], request: ResponseRequest, label: str) -> list[dict[str, Any]]:
    answers = record.get("responses")
    user = next((record[k] for k in (request.user, *USER_KEYS) if k in record), None)
    if not isinstance(answers, dict):
        if any(isinstance(value, dict | list) for value in record.values()):
            raise DataError(f"{label} is JSON of another form", str(sorted(record))[:60], _FORM)
        return [{**record, request.user: user} if user is not None else record]
    if user is None:
        raise DataError(
            f"{label} has answers without a user", str(sorted(record))[:60],
            f"name the user {request.user}",
        )  # fmt: skip
    about = {name: record[name] for name in request.covariates_in(list(record))}
    return [
        {request.user: user, request.item: item, request.response: answer, **about}
        for item, answer in answers.items()
    ]
