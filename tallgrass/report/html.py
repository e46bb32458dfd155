"""Sections and pictures -> one self-contained HTML page that loads nothing from the network."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tallgrass.report.page import Picture, Section, Table
from tallgrass.report.people import Cards
from tallgrass.report.rows import rows_of, unbroken

STYLES = ("style.css", "tables.css", "drawings.css", "print.css")
_TEMPLATES = ("report.html", "tables.html", "drawings.html", "people.html")
SCRIPTS = ("tables.js", "people.js", "pairs.js", "page.js")


@dataclass(frozen=True)
class Beside:
    """A second word in the verdict's box, on another question than the status.

    Parameters
    ----------
    status : str
        The word itself (``fits``).
    tone : str
        ``pass``, ``fail`` or ``open``: its colour.
    words : str
        What it means.
    """

    status: str
    tone: str
    words: str


@dataclass(frozen=True)
class Head:
    """The head of a page.

    Parameters
    ----------
    maker, title, model : str
        What made the page, what it is about, and which model.
    status, status_words : str
        ``pass``, ``fail``, ``unresolved``, and the line that explains it.
    reasons : sequence of str
        Why.
    checks : Table or None
        The checks behind the status.
    facts : sequence of (name, value)
        The line of facts below the title.
    beside : Beside or None
        A second word, on another question than the status.
    tables : sequence of Table
        More tables in the box of the status, below its checks.
    badge : str
        What is shown in place of the status, whose colour stays.
    """

    maker: str
    title: str
    model: str
    status: str
    status_words: str
    reasons: Sequence[str]
    checks: Table | None
    facts: Sequence[tuple[str, str]]
    beside: Beside | None = None
    tables: Sequence[Table] = ()
    badge: str = ""


def html_page(head: Head, sections: Iterable[Section | None], pngs: Mapping[str, bytes]) -> str:
    """The page: sections that have nothing to show and pictures that were not drawn are left out.

    Parameters
    ----------
    head : Head
        The head of the page.
    sections : iterable of Section or None
        In their order.
    pngs : mapping of str to bytes
        The pictures as PNG files, by name.
    """
    present = [_with_images(section, set(pngs)) for section in sections if section is not None]
    blocks = [block for section in present for block in section.blocks]
    environment = templates()
    return environment.get_template("report.html").render(
        maker=head.maker,
        title=head.title,
        model=head.model,
        status=head.status,
        badge=head.badge or head.status,
        status_words=head.status_words,
        reasons=head.reasons,
        checks=head.checks,
        facts=head.facts,
        beside=head.beside,
        tables=head.tables,
        sections=present,
        images={name: _image(png) for name, png in pngs.items()},
        people=[block for block in blocks if isinstance(block, Cards)][:1],
        has_brief=any(section.brief for section in present),
        style=_inlined(environment, STYLES),
        script=_inlined(environment, SCRIPTS),
    )


def _with_images(section: Section, drawn: set[str]) -> Section:
    """The section without the pictures that are not at hand."""
    blocks = (b for b in section.blocks if not isinstance(b, Picture) or b.name in drawn)
    return replace(section, blocks=tuple(blocks))


@dataclass(frozen=True)
class Inlined:
    """A style sheet or script within the page, with the hash by which the page's policy knows it.

    Nothing else is ever applied or run, whatever text the data put on the page.
    """

    text: Markup
    hash: str


def _inlined(environment: Environment, names: Sequence[str]) -> Inlined:
    """Some files of the package as one; they are ours, so that nothing in them is escaped."""
    assert environment.loader is not None  # it is given below
    text = "".join(environment.loader.get_source(environment, name)[0] for name in names)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Inlined(Markup(text), f"sha256-{digest}")


@dataclass(frozen=True)
class Image:
    """An image as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int


def _image(data: bytes) -> Image:
    """A PNG file as the page embeds it."""
    # A PNG file says its size in bytes 16 to 24; with it the page keeps still while it loads.
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return Image(f"data:image/png;base64,{base64.b64encode(data).decode()}", width, height)


@cache
def templates() -> Environment:
    """The templates of the pages, which escape all text; they are compiled once a process."""
    environment = Environment(
        loader=PackageLoader("tallgrass.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["rows_of"] = rows_of
    for name in _TEMPLATES:
        environment.get_template(name)
    return environment
