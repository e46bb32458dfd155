"""Make outside text safe for a terminal, a log, a spreadsheet or markdown.

The report's templates escape HTML themselves, and SQLAlchemy binds the values of SQL.
"""

import re
from typing import Any

_SECRET = (
    r"[\w.-]{0,40}(?:password|passwd|pwd|token|secret|api_?key|access_?key|credential|signature)"
    r"[\w.-]{0,40}"
)
_MASKS = (
    (re.compile(r"(https?://)[^\s/@]+@"), r"\1***@"),
    (re.compile(r"(\w://[^\s:@/]*):\S*@"), r"\1:***@"),
    (re.compile(rf"(?i)([?&;]{_SECRET}=)[^&;\s'\"]+"), r"\1***"),
)
# The characters that start a formula in a spreadsheet, also after a character that some of them
# read as the end of a cell. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile("(^|[;\t\r\n])(?=[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n])")
# An underscore inside a word is no emphasis, and "< 1" opens no tag, so these are not escaped.
_MARKDOWN = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")
_TAG = re.compile(r"<(?=[\w/!?])")


def printable(value: object) -> str:
    """A value on one line, with control characters such as terminal escapes shown as codes."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def masked(text: str) -> str:
    """The text, with the passwords and tokens of its URIs replaced by ``***``."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def neutralised(cell: Any) -> Any:
    """A table cell that a spreadsheet shows as text and never runs as a formula."""
    return _FORMULA.sub(r"\1'", cell) if isinstance(cell, str) else cell


def markdown(value: object) -> str:
    """A value on one line, escaped so that markdown shows it as plain text."""
    text = printable(" ".join(str(value).split()))
    return _TAG.sub("&lt;", _MARKDOWN.sub(r"\\\1", text))
