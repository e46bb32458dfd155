# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""Sections and images -> one self-contained page."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from jinja2 import Environment, PackageLoader, StrictUndefined

from tallgrass.diagnostics import Check, Verdict
from tallgrass.report import joint, legislators, machinery, overview, parties
from tallgrass.report.figures import figures, images
from tallgrass.report.inputs import ReportInput
from tallgrass.report.page import Cell, Column, Picture, Section, Table, rows
from tallgrass.report.words import chamber_words, counted, number

MODELS = {"flat": "Flat model", "hierarchical": "Hierarchical model", "joint": "Joint model"}


def build(run: ReportInput, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of one run as one HTML page that asks nothing of the network.

    Parameters
    ----------
    run : ReportInput
        The run.
    pngs : mapping of str to bytes, optional
        What :func:`tallgrass.report.images` gave for the figures of this run, when they are
        wanted as files as well; drawn here otherwise.
    """
    files = images(figures(run)) if pngs is None else pngs
    template = environment().get_template("report.html")
    return template.render(
        maker="ideal points from roll-call votes",
        title=chamber_words(run),
        model=MODELS[run.spec.model],
        status=run.verdict.status,
        status_words=status_words(run.verdict),
        reasons=run.verdict.reasons,
        checks=checks_table(run.verdict),
        facts=_facts(run),
        sections=sections(run, set(files)),
        images={name: image(data) for name, data in files.items()},
    )


def sections(run: ReportInput, drawn: set[str]) -> list[Section]:
    """The sections that this run has something to show in, in their order.

    ``drawn`` are the names of the figures at hand.
    """
    candidates = [
        overview.key_findings(run),
        overview.the_model(run),
        overview.how_to_read(run),
        *joint.joint_sections(run),
        *parties.party_sections(run),
        *legislators.ideal_point_sections(run),
        legislators.rollcall_section(run),
        machinery.convergence_section(run),
        legislators.comparison_section(run),
        machinery.sampler_section(run, drawn),
        machinery.fit_section(run, drawn),
        machinery.data_section(run),
        machinery.machine_section(run),
        machinery.environment_section(run),
    ]
    return [with_images(section, drawn) for section in candidates if section is not None]


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


def _facts(run: ReportInput) -> list[tuple[str, str]]:
    """The line of facts below the title."""
    spec, attributes = run.spec, run.trace.attrs
    posterior = run.trace["posterior"].sizes
    n, m = run.votes.cells.shape
    steps = ", normal trajectories" if attributes.get("trajectory") == "normal" else ""
    facts = [
        ("Legislators", f"{n:,}"),
        ("Roll calls", f"{m:,}"),
        ("Votes", f"{run.votes.n_observations:,}"),
        ("Sampler", f"{attributes.get('sampler', spec.sampler)}{steps}, start {spec.init}"),
        ("Draws", f"{posterior['chain']} × {posterior['draw']:,}"),
        ("Run", run.run_id),
    ]
    if "created_at" in attributes:
        facts.append(("Made", str(attributes["created_at"])[:16].replace("T", " ")))
    return facts


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
