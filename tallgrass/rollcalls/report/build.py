# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""Sections and images -> one self-contained page."""

from collections.abc import Mapping

from tallgrass.report.checks import verdict_head
from tallgrass.report.environment import environment_section
from tallgrass.report.fit import fit_beside
from tallgrass.report.html import html_page
from tallgrass.report.images import images
from tallgrass.report.page import Bullets, Section
from tallgrass.report.palette import showing
from tallgrass.report.words import moment
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report import (
    career_links,
    careers,
    explanation,
    joint,
    legislators,
    machinery,
    misfit,
    overview,
    pairs,
    parties,
    plane,
)
from tallgrass.rollcalls.report.baseline import agreement_tables, comparison_section
from tallgrass.rollcalls.report.cards import cards_section
from tallgrass.rollcalls.report.external import external_section
from tallgrass.rollcalls.report.figures import figures
from tallgrass.rollcalls.report.place import chamber_words
from tallgrass.study.model_file import as_named, short

MODELS = {
    "flat": "Flat model",
    "hierarchical": "Hierarchical model",
    "joint": "Joint model",
    "dynamic": "Dynamic model",
}


def build(run: RollCallAnalysis, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of one run as one HTML page that loads nothing from the network.

    Parameters
    ----------
    run : RollCallAnalysis
        The run.
    pngs : mapping of str to bytes, optional
        What :func:`tallgrass.report.images.images` gave for the figures of this run, when they are
        wanted as files as well; drawn here otherwise.
    """
    files = images(figures(run)) if pngs is None else pngs
    with showing(run.votes.groups):
        return _page(run, files)


def _page(run: RollCallAnalysis, files: Mapping[str, bytes]) -> str:
    head = verdict_head(
        run.verdict,
        "ideal points from roll-call votes",
        chamber_words(run),
        (MODELS.get(run.spec.model) or f"Model {short(run.spec.model)}")
        + (", two dimensions" if run.spec.dims == 2 else ""),
        _facts(run),
        fit_beside(run.fit_verdict, "votes"),
        agreement_tables(run),
    )
    return html_page(head, sections(run, set(files)), files)


def first_findings(run: RollCallAnalysis) -> tuple[str, ...]:
    """What the run says in a few sentences, for those who see no page: who stands where."""
    if run.careers is None:
        with showing(run.votes.groups):
            return overview.first_findings(run)
    lists = (block for block in careers.key_findings(run).blocks if isinstance(block, Bullets))
    return next(lists).items[:3]


def sections(run: RollCallAnalysis, drawn: set[str]) -> list[Section | None]:
    """The sections in their order; None where this run has nothing to show.

    ``drawn`` are the names of the figures at hand.
    """
    if run.careers is not None:
        return _career_sections(run, drawn)
    return [
        overview.key_findings(run),
        *plane.plane_sections(run),
        explanation.the_model(run),
        explanation.how_to_read(run),
        *joint.joint_sections(run),
        *parties.party_sections(run),
        *legislators.ideal_point_sections(run),
        pairs.pairs_section(run),
        cards_section(run),
        legislators.rollcall_section(run),
        misfit.anchors_section(run),
        misfit.misfit_section(run),
        machinery.convergence_section(run),
        comparison_section(run),
        external_section(run),
        machinery.sampler_section(run, drawn),
        misfit.fit_section(run, drawn),
        machinery.data_section(run),
        machinery.machine_section(run),
        environment_section(_parameters(run), run.timings, run.environment),
    ]


def _career_sections(run: RollCallAnalysis, drawn: set[str]) -> list[Section | None]:
    """Those of a dynamic run: of the others, the ones that do not grow with the sessions."""
    return [
        careers.key_findings(run),
        *careers.career_sections(run),
        explanation.the_model(run),
        careers.how_to_read(run),
        *career_links.link_sections(run),
        misfit.misfit_section(run),
        machinery.convergence_section(run),
        comparison_section(run),
        machinery.sampler_section(run, drawn),
        misfit.fit_section(run, drawn),
        machinery.data_section(run),
        machinery.machine_section(run),
        environment_section(_parameters(run), run.timings, run.environment),
    ]


def _parameters(run: RollCallAnalysis) -> list[tuple[str, str]]:
    values = run.spec.model_dump(mode="json")
    return [(name, as_named(str(value))) for name, value in values.items()]


def _facts(run: RollCallAnalysis) -> list[tuple[str, str]]:
    """The line of facts below the title."""
    spec, attributes = run.spec, run.trace.attrs
    posterior = run.trace["posterior"].sizes
    n, m = run.votes.cells.shape
    steps = ", normal trajectories" if attributes.get("trajectory") == "normal" else ""
    facts = [
        ("Legislators" if run.careers is None else "Members in sessions", f"{n:,}"),
        ("Roll calls", f"{m:,}"),
        ("Votes", f"{run.votes.n_observations:,}"),
        ("Sampler", f"{attributes.get('sampler', spec.sampler)}{steps}, start {spec.init}"),
        ("Draws", f"{posterior['chain']} × {posterior['draw']:,}"),
        ("Run", run.run_id),
    ]
    if "created_at" in attributes:
        facts.append(("Made", moment(attributes["created_at"])))
    return facts
