"""A verdict as a small box for notebooks; text from the data is escaped."""

from collections.abc import Sequence
from html import escape

_COLOURS = {"pass": "#1a7f37", "fail": "#b42318", "unresolved": "#8a6100"}
_CELL = 'style="text-align:left;padding:1px 12px 1px 0"'


def verdict_box(
    status: str, checks: Sequence[tuple[str, str, str, str]], notes: Sequence[str]
) -> str:
    """The box as HTML.

    Parameters
    ----------
    status : str
        pass, fail or unresolved.
    checks : sequence of (what, value, passes, outcome)
        Its rows, as text.
    notes : sequence of str
        What is said below them.

    Examples
    --------
    >>> "unresolved" in verdict_box("unresolved", [], ["one chain"])
    True
    """
    colour = _COLOURS.get(status, "inherit")
    rows = "".join(
        "<tr>" + "".join(f"<td {_CELL}>{escape(cell)}</td>" for cell in check) + "</tr>"
        for check in checks
    )
    said = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return (
        f'<div style="border-left:4px solid {colour};padding-left:10px">'
        f'<b style="color:{colour}">{escape(status)}</b><table>{rows}</table>{said}</div>'
    )
