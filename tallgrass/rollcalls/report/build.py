# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""Sections and images -> one self-contained page."""

from collections.abc import Mapping

from tallgrass.report.checks import verdict_head
from tallgrass.report.environment import environment_section
from tallgrass.report.fit import fit_beside
from tallgrass.report.html import html_page
from tallgrass.report.images import images
from tallgrass.report.page import Section
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report import (
    joint,
    legislators,
    machinery,
    misfit,
    overview,
    pairs,
    parties,
)
from tallgrass.rollcalls.report.baseline import agreement_tables, comparison_section
from tallgrass.rollcalls.report.figures import figures
from tallgrass.rollcalls.report.words import chamber_words

MODELS = {"flat": "Flat model", "hierarchical": "Hierarchical model", "joint": "Joint model"}


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
    head = verdict_head(
        run.verdict,
        "ideal points from roll-call votes",
        chamber_words(run),
        MODELS[run.spec.model],
        _facts(run),
        fit_beside(run.fit_verdict, "votes"),
        agreement_tables(run),
    )
    return html_page(head, sections(run, set(files)), files)


def sections(run: RollCallAnalysis, drawn: set[str]) -> list[Section | None]:
    """The sections in their order; None where this run has nothing to show.

    ``drawn`` are the names of the figures at hand.
    """
    return [
        overview.key_findings(run),
        overview.the_model(run),
        overview.how_to_read(run),
        *joint.joint_sections(run),
        *parties.party_sections(run),
        *legislators.ideal_point_sections(run),
        pairs.pairs_section(run),
        legislators.rollcall_section(run),
        misfit.anchors_section(run),
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
    return [(name, str(value)) for name, value in run.spec.model_dump(mode="json").items()]


def _facts(run: RollCallAnalysis) -> list[tuple[str, str]]:
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
