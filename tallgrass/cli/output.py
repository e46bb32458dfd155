"""Print to the terminal. Names from the data may contain anything, so they are escaped."""

import json
import math
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from textwrap import wrap
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from tallgrass import escaping

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.table import Table


printable = escaping.printable
_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "unresolved": "yellow",
    "FAILED": "red",
    "KILLED": "yellow",
    "fits": "green",
    "questioned": "yellow",
    "not checked": "yellow",
}
_ENDLESS = 10_000  # columns, to ask how wide a table would be


def say(*lines: object, to: TextIO | None = None) -> None:
    """Print lines of text, escaped."""
    for line in lines:
        print(printable(line), file=to or sys.stdout)


def dumb() -> bool:
    """Whether the terminal knows no control codes."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], spare: Sequence[str] = ()
) -> None:
    """Print a table: drawn on a terminal, else as plain columns.

    On a terminal that is too narrow for it, columns of ``spare`` are left out, the first ones
    first, and named below the table.
    """
    heads = [printable(head) for head in heads]
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and rows:
        _draw(heads, cells, spare)
        return
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for row in [list(heads), *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def _draw(heads: Sequence[str], cells: Sequence[Sequence[str]], spare: Sequence[str]) -> None:
    from rich.console import Console

    console = Console()
    endless = console.options.update(width=_ENDLESS)
    left_out: list[str] = []
    drawn = _drawn(heads, cells, left_out)
    for head in spare:
        if console.measure(drawn, options=endless).maximum <= console.width:
            break
        left_out.append(head)
        drawn = _drawn(heads, cells, left_out)
    console.print(drawn)
    if left_out:
        words = f"Too narrow for {', '.join(left_out)}: widen the terminal, or use --json."
        say(*wrap(words, console.width))


def _drawn(
    heads: Sequence[str], cells: Sequence[Sequence[str]], left_out: Sequence[str]
) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = [i for i, head in enumerate(heads) if head not in left_out]
    # A terminal that knows no control codes may not know the letters that lines are drawn with.
    box = None if dumb() else SIMPLE_HEAD
    drawn = Table(box=box, pad_edge=False, padding=(0, 1 if box else 2, 0, 0))
    for i in shown:
        drawn.add_column(Text(heads[i]), overflow="fold")
    for row in cells:
        # Text, not str, because rich would read [brackets] in a name as markup.
        drawn.add_row(*(Text(row[i], style=_style(row[i])) for i in shown))
    return drawn


def _style(cell: str) -> str:
    """The style of a verdict or a status, with or without what is said beside it."""
    return _STYLES.get(cell.partition(",")[0], "")


def as_json(value: Any) -> str:
    """One JSON object; a number that is not finite becomes null, because JSON has no form for it.

    Unprintable characters, such as escapes and halves of file names' characters, become codes.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=_as_text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an unexpected error as Python does, but escaped and without passwords."""
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        say(escaping.masked(line), to=sys.stderr)


def in_browser(address: str) -> str:
    """The address of a page of MLflow, and how to open it where no server shows it."""
    from tallgrass.tracking import store

    return address if store.on_server() else f"{address}  (start it with: tallgrass ui)"


@contextmanager
def stdout_for_answer(json: bool) -> Iterator[None]:
    """With ``--json``, the output of libraries goes to standard error."""
    if json:
        with redirect_stdout(sys.stderr):
            yield
    else:
        yield


def records(frame: "DataFrame") -> list[dict[str, Any]]:
    """The rows of a table, with None for missing values."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _as_text(value: Any) -> Any:
    if hasattr(value, "item"):  # a NumPy scalar
        return value.item()
    return value.isoformat() if isinstance(value, datetime) else str(value)
