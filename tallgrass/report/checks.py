"""The checks of a verdict as a table, and what pages of all kinds share: templates, images."""

import base64
import re
from dataclasses import dataclass, replace

from jinja2 import Environment, PackageLoader, StrictUndefined

from tallgrass.inference.diagnostics import Check, Verdict
from tallgrass.report.page import Cell, Column, Picture, Section, Table, rows
from tallgrass.report.words import counted, number


def with_images(section: Section, drawn: set[str]) -> Section:
    """The section without the pictures that are not at hand."""
    blocks = (b for b in section.blocks if not isinstance(b, Picture) or b.name in drawn)
    return replace(section, blocks=tuple(blocks))


@dataclass(frozen=True)
class Image:
    """An image as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int


def image(data: bytes) -> Image:
    """A PNG file as the page embeds it."""
    # A PNG file says its size in bytes 16 to 24; with it the page keeps still while it loads.
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return Image(f"data:image/png;base64,{base64.b64encode(data).decode()}", width, height)


def _unbroken(value: object) -> object:
    """Text in which a number and its % stay on one line."""
    # Markup is text as well, but already escaped and laid out: the page's own.
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", value) if type(value) is str else value


def environment() -> Environment:
    """The templates of the pages, which escape all text."""
    return Environment(
        loader=PackageLoader("tallgrass.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def status_words(verdict: Verdict) -> str:
    """How many checks passed, in words."""
    checks = verdict.checks
    failed = sum(check.passed is False for check in checks)
    open_ = sum(check.passed is None for check in checks)
    if failed:
        return f"{failed} of {counted(len(checks), 'check')} did not pass"
    if open_:
        return f"Every check that could be made passed; {open_} could not be made"
    return "Every check passed"


def checks_table(verdict: Verdict) -> Table:
    """The checks of a verdict with their values and thresholds."""
    words = {True: ("pass", "passed"), False: ("fail", "failed"), None: ("not checked", "open")}
    cells = rows(
        [Cell(CHECK_NAMES.get(check.name, check.name)) for check in verdict.checks],
        [
            "not available" if check.value is None else _value(check.value)
            for check in verdict.checks
        ],
        [_must_be(check) for check in verdict.checks],
        [Cell(words[check.passed][0], style=words[check.passed][1]) for check in verdict.checks],
    )
    columns = (
        Column("Check"),
        Column("Value", numeric=True),
        Column("Must be"),
        Column("Result"),
    )
    return Table("Checks behind the verdict", columns, cells)


CHECK_NAMES = {
    "R-hat max": "Highest R-hat",
    "bulk ESS min": "Fewest effective draws (bulk)",
    "tail ESS min": "Fewest effective draws (tail)",
    "divergences": "Divergences",
    "E-BFMI min": "Lowest E-BFMI of a chain",
    "reflected chains": "Chains that run the other way round",
    "R-hat max of the abilities": "Highest R-hat of the abilities",
    "unfinished maximisations": "Maximisations that stopped before they converged",
    "parameters without a standard error": "Parameters without a standard error",
    "|r| with the baseline": "Correlation with the baseline, |r|",
}


def _must_be(check: Check) -> str:
    words = {"<": "below", ">": "above", "=": "at most" if check.threshold else "exactly"}
    return f"{words[check.relation]} {check.threshold:g}"


def _value(value: float) -> str:
    """A check's value: whole numbers whole, others with four decimals."""
    return number(value, 0 if value == int(value) or abs(value) >= 100 else 4)
