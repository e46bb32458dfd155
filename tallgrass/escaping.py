"""Text from elsewhere made safe for where it goes: a terminal, a log, a spreadsheet, markdown.

HTML is the business of the report's templates, which escape by themselves, and SQL that of
SQLAlchemy, which binds.
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
# What spreadsheets take for the start of a formula, also after what some of them take for the end
# of a cell. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile("(^|[;\t\r\n])(?=[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n])")
# Underlines inside a word are underlines, and "< 1" opens no tag: what need not change stays.
_MARKDOWN = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")
_TAG = re.compile(r"<(?=[\w/!?])")


def printable(value: object) -> str:
    """A value on one line, with control characters (terminal escapes, say) shown as codes."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def masked(text: str) -> str:
    """The text with passwords and tokens of the URIs in it replaced by ``***``."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def neutralised(cell: Any) -> Any:
    """A table cell that a spreadsheet shows as text and never runs as a formula."""
    return _FORMULA.sub(r"\1'", cell) if isinstance(cell, str) else cell


def markdown(value: object) -> str:
    """A value on one line that markdown shows as it is: no emphasis, link, picture, tag or cell."""
    text = printable(" ".join(str(value).split()))
    return _TAG.sub("&lt;", _MARKDOWN.sub(r"\\\1", text))
