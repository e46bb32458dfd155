"""Which responses are wanted, as one frozen value that every format of input understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tallgrass.errors import DataError, nearest


@dataclass(frozen=True)
class ResponseRequest:
    """Where responses are and which of them are wanted.

    Parameters
    ----------
    location : str
        A database URL (``postgresql://...``, ``sqlite:///...``), or a CSV or Parquet file.
    table : str
        Table of the database, ``schema.table`` or ``table``; not used with a query.
    query : str
        SQL that gives the columns below. ``:window``, ``:since``, ``:until`` and
        ``:min_responses`` in it are bound parameters, never text that is put in.
    window : str
        Only responses whose window column holds this label.
    since, until : str
        ISO dates or times: only responses at ``since`` or later and before ``until``.
    user, item, response, time, window_column : str
        Names of the columns.
    duplicates : str
        Which of several answers of a user to an item counts: ``first``, ``last``, or ``error``.
        The order is that of the time column where there is one, else that of the input.
    min_responses : int
        Items with fewer responses are dropped.
    """

    location: str
    table: str = "responses"
    query: str = ""
    window: str = ""
    since: str = ""
    until: str = ""
    user: str = "user"
    item: str = "item"
    response: str = "response"
    time: str = "time"
    window_column: str = "window"
    duplicates: str = "first"
    min_responses: int = 200

    @property
    def required(self) -> tuple[str, str, str]:
        """The columns without which there are no responses."""
        return self.user, self.item, self.response

    def needed(self, there: Sequence[str]) -> list[str]:
        """The columns to read of those that are there.

        Raises
        ------
        DataError
            When one that the request cannot do without is missing.
        """
        wanted = list(self.required)
        if self.window:
            wanted.append(self.window_column)
        if self.since or self.until:
            wanted.append(self.time)
        missing = [name for name in wanted if name not in there]
        if missing:
            names = ", ".join(there)
            raise DataError(
                f"responses without the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
                names,
                f"{nearest(missing[0], list(there))} name it with user_column, item_column, "
                "response_column, time_column or window_column",
            )
        return wanted + [self.time] * (self.time in there and self.time not in wanted)


def moment(text: str, name: str) -> datetime | None:
    """An ISO date or time, or None for the empty text.

    Raises
    ------
    DataError
        When it is not one.
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{name} is not a date or time", text, "write it as 2026-01-31") from None
