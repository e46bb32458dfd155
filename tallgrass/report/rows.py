"""The rows of a table as HTML: for thousands of cells a template takes three times as long."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from tallgrass.report.page import Cell, Column, Table

_PERCENT = re.compile(r"(?<=\d) %")


def unbroken(value: object) -> object:
    """Text in which a number and its % stay on one line."""
    # Markup is text as well, but already escaped and laid out: the page's own.
    return _PERCENT.sub("\N{NO-BREAK SPACE}%", value) if type(value) is str else value


def rows_of(table: Table, stacked: bool) -> Markup:
    """The rows of a table's body, all text escaped.

    Parameters
    ----------
    stacked : bool
        Whether a narrow screen shows the cells of a row below each other, each with its column.
    """
    kinds = [_Kind(column, i == 0, stacked) for i, column in enumerate(table.columns)]
    return Markup("".join(_rows(table, kinds)))


class _Kind:
    """What the cells of a column have in common."""

    def __init__(self, column: Column, first: bool, stacked: bool) -> None:
        self.tag = "th" if first else "td"
        self.numeric = "n" if column.numeric else ""
        label = f' data-label="{_text(column.title)}"' if stacked else ""
        self.begin = f"<{self.tag}" + (' scope="row"' if first else label)


def _rows(table: Table, kinds: list[_Kind]) -> Iterator[str]:
    for row in table.rows:
        who = f' data-who="{_text(row[0].who)}"' if row and row[0].who else ""
        yield f"<tr{who}>"
        for kind, cell in zip(kinds, row, strict=False):
            yield _cell(kind, cell)
        yield "</tr>\n"


def _cell(kind: _Kind, cell: Cell) -> str:
    style = kind.numeric
    if cell.style:
        style += (" " if style else "") + _text(cell.style)
    of_class = f' class="{style}"' if style else ""
    key = "" if cell.sort is None else f' data-sort="{_text(cell.key)}"'
    shown = _text(cell.text)
    if cell.who:
        shown = f'<a class="who" href="#{_text(cell.who)}">{shown}</a>'
    return f"{kind.begin}{of_class}{key}>{shown.strip()}</{kind.tag}>"


def _text(value: object) -> str:
    return str(escape(unbroken(value)))
