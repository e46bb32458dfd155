"""The request for responses, immutable and the same for every format of input."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from tallgrass.errors import DataError, nearest


@dataclass(frozen=True)
class ResponseRequest:
    """Where responses are and which of them to read.

    Parameters
    ----------
    location : str
        A database URL (``postgresql://...``, ``sqlite:///...``), or a file.
    table : str
        Table of the database, ``schema.table`` or ``table``; ignored with a query.
    query : str
        SQL that returns the columns below. ``:window``, ``:since``, ``:until`` and
        ``:min_responses`` in it are bound parameters and never pasted into the text.
    window : str
        Only responses whose window column holds this label.
    since, until : str
        ISO dates or times: only responses at ``since`` or later and before ``until``.
    user, item, response, time, window_column : str
        Names of the columns.
    duplicates : str
        Which of several answers of a user to an item counts: ``first``, ``last``, or ``error``.
        They are ordered by the time column if there is one, else as in the input.
    min_responses : int
        Items with fewer responses are dropped.
    items, ignore : tuple of str
        Names of items, or patterns of names (``q*``): only those of ``items`` are read, where it
        is not empty, and none of ``ignore``.
    covariates : tuple of str
        Names of columns, or patterns of them, that say something of the users, and are no items.
    missing : tuple of str
        Further texts that stand for no answer, such as -9.
    graded : bool
        Whether answers are whole numbers, of which the lowest of an item counts as 0; else they
        are 0 and 1.
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
    items: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    graded: bool = False

    def wants(self, item: str) -> bool:
        """Whether an item, or a column of a wide table, is to be read."""
        chosen = not self.items or any(fnmatchcase(item, pattern) for pattern in self.items)
        return chosen and not any(fnmatchcase(item, pattern) for pattern in self.ignore)

    @property
    def no_answers(self) -> frozenset[str]:
        """``missing`` in lower case, numbers as a column of fractions has them too: -9.0."""
        texts = {text.lower() for text in self.missing}
        whole = [text for text in texts if text.removeprefix("-").isdigit()]
        return frozenset({*texts, *(f"{n}{end}" for n in whole for end in (".0", ",0"))})

    def covariates_in(self, columns: Sequence[str]) -> list[str]:
        """Those columns that are kept as covariates of the users."""
        taken = {*self.required, self.time, self.window_column}
        return [
            name
            for name in map(str, columns)
            if name not in taken and any(fnmatchcase(name, p) for p in self.covariates)
        ]

    def required_covariates(self, available: Sequence[str]) -> list[str]:
        """As :meth:`covariates_in`; a DataError when one that was asked for is missing."""
        covariates = self.covariates_in(available)
        for pattern in self.covariates:
            if not any(fnmatchcase(name, pattern) for name in covariates):
                raise DataError(
                    f"responses without the covariate {pattern}",
                    ", ".join(map(str, available)),
                    f"{nearest(pattern, list(map(str, available)))} covariates are names or "
                    "patterns of columns",
                )
        return covariates

    @property
    def required(self) -> tuple[str, str, str]:
        """The columns that every source must have."""
        return self.user, self.item, self.response

    def needed(self, available: Sequence[str]) -> list[str]:
        """The columns to read, of those available.

        Raises
        ------
        DataError
            When a column that the request needs is missing.
        """
        columns = list(self.required)
        if self.window:
            columns.append(self.window_column)
        if self.since or self.until:
            columns.append(self.time)
        missing = [name for name in columns if name not in available]
        if missing:
            raise DataError(
                f"responses without the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
                ", ".join(available),
                f"{nearest(missing[0], list(available))} name it with user_column, item_column, "
                "response_column, time_column or window_column",
            )
        covariates = self.required_covariates(available)
        time = [self.time] * (self.time in available and self.time not in columns)
        return [*columns, *time, *covariates]


def moment(text: str, name: str) -> datetime | None:
    """An ISO date or time, or None for the empty text.

    Raises
    ------
    DataError
        When the text is neither.
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{name} is not a date or time", text, "write it as 2026-01-31") from None
