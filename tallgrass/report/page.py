"""The parts of a page, as values that the template lays out."""

import base64
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tallgrass.report.forest import Forest
from tallgrass.report.people import Cards, last_name_first
from tallgrass.report.scatter import Scatter
from tallgrass.report.words import ALMOST, measured, number

FULL = 30  # rows of a table that is shown whole, and not in a window of its own


@dataclass(frozen=True)
class Text:
    """A paragraph; ``tone`` is empty, ``warning`` or ``aside``."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of short statements."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A figure: its name, what a reader who cannot see it needs to know, and a caption."""

    kind: ClassVar[str] = "picture"
    name: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Cell:
    """A table cell; ``sort`` is what it is ordered by, ``style`` a CSS class.

    ``who`` is the id of the person that it names; in a row's first cell, of the whole row.
    """

    text: str
    sort: float | str | None = None
    style: str = ""
    who: str = ""

    @property
    def key(self) -> str:
        """What it is ordered by, as the page writes it: seven digits tell any two figures apart."""
        return f"{self.sort:.7g}" if isinstance(self.sort, float) else str(self.sort)


@dataclass(frozen=True)
class Column:
    """A column's title; numeric ones are right-aligned. ``hint`` explains it."""

    title: str
    numeric: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    caption : str
        What the rows are.
    columns, rows : tuple
        One Column a column; one tuple of Cells a row, the first of which names the row.
    find : str
        Label of the box that filters the rows; none when empty.
    sortable : bool
        Whether a click on a column's title orders the rows.
    fold : str
        When given, the table is folded away under these words.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    find: str = ""
    sortable: bool = False
    fold: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it has more rows than are shown at once."""
        return len(self.rows) > FULL


@dataclass(frozen=True)
class Pairs:
    """A tool that says how likely a statement is of two names; it is hidden without scripts.

    Parameters
    ----------
    title : str
        What to do.
    relation : str
        The statement, between the two names.
    names : tuple of str
        The names, in the order of the lists.
    probabilities : tuple of float
        Of the statement, for the first name with the second, third, ..., then for the second with
        the third, ...; exchanging two names gives the probability that is left to 1.
    """

    kind: ClassVar[str] = "pairs"
    title: str
    relation: str
    names: tuple[str, ...]
    probabilities: tuple[float, ...]

    @cached_property
    def listed(self) -> list[str]:
        """The names as the lists show them, the last name first."""
        return [last_name_first(name) for name in self.names]

    @property
    def codes(self) -> str:
        """Probabilities in percent, a byte each, in base 64; 0 and 100 where nearly certain."""
        percents = (_percent_code(p) for p in self.probabilities)
        return base64.b64encode(bytes(percents)).decode()


def _percent_code(probability: float) -> int:
    if probability < ALMOST:
        return 0
    if probability > 1 - ALMOST:
        return 100
    return min(max(round(100 * probability), 1), 99)


Block = Text | Bullets | Picture | Table | Pairs | Forest | Scatter | Cards


@dataclass(frozen=True)
class Section:
    """A titled part of the page; ``id`` is its place in the table of contents.

    ``brief`` says that it belongs to the summary of two pages.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    brief: bool = False


def person_cell(name: str, who: str) -> Cell:
    """The cell that names a person; it is ordered by the last name."""
    return Cell(name, last_name_first(name), who=who)


def figure(value: float, *thresholds: float) -> Cell:
    """A cell of a diagnostic, ordered by its number."""
    return Cell(measured(value, *thresholds), float(value) if math.isfinite(value) else None)


def numeric(value: float, digits: int = 2, show: Callable[[float, int], str] = number) -> Cell:
    """A cell that is ordered by its number; one without a number has none to be ordered by."""
    return Cell(show(value, digits), float(value) if math.isfinite(value) else None)


def rows(*columns: Iterable[Cell | str]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of a table from its columns, in which plain text becomes a cell."""
    return tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
        for row in zip(*columns, strict=True)
    )


def two_columns(
    caption: str, titles: tuple[str, str], pairs: Sequence[tuple[str, str]], fold: str = ""
) -> Table:
    """A table of names and values."""
    first, second = titles
    cells = rows([name for name, _ in pairs], [value for _, value in pairs])
    return Table(caption, (Column(first), Column(second)), cells, fold=fold)
