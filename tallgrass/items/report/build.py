"""The report of one calibration as one self-contained page."""

from collections.abc import Mapping

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.models import WORDS
from tallgrass.items.report import checks, comparisons, dependence, dif, items
from tallgrass.items.report.figures import calibration_figures
from tallgrass.report.checks import verdict_head
from tallgrass.report.environment import environment_section
from tallgrass.report.fit import fit_beside
from tallgrass.report.html import html_page
from tallgrass.report.images import images
from tallgrass.report.page import Section
from tallgrass.report.words import moment
from tallgrass.tracking.store import masked

ENGINES = {
    "nuts": "posterior by NUTS",
    "gibbs": "posterior by Gibbs sampling",
    "map": "posterior mode",
    "mml": "marginal maximum likelihood",
}


OF_NUTS = tuple(
    name for name in SamplerSpec.model_fields if name not in ("draws", "tune", "chains", "seed")
)


def build_calibration(run: CalibrationAnalysis, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of one calibration as one HTML page that loads nothing from the network.

    Parameters
    ----------
    run : CalibrationAnalysis
        The calibration.
    pngs : mapping of str to bytes, optional
        Its figures as PNG files, where they are at hand; drawn here otherwise.
    """
    files = images(calibration_figures(run)) if pngs is None else pngs
    window = f": {run.spec.window}" if run.spec.window else ""
    head = verdict_head(
        run.verdict,
        "item calibration",
        f"Calibration of {len(run.responses.items):,} items{window}",
        f"{WORDS[run.spec.item_model]}, {ENGINES[run.spec.engine]}",
        _facts(run),
        fit_beside(run.fit_verdict, "responses"),
    )
    return html_page(head, sections(run, set(files)), files)


def sections(run: CalibrationAnalysis, drawn: set[str]) -> list[Section | None]:
    """The sections in their order; None where this calibration has nothing to show."""
    return [
        items.key_findings(run),
        items.the_model(run),
        items.item_section(run),
        items.curves_section(run),
        items.wright_section(run),
        comparisons.drift_section(run),
        dif.dif_section(run),
        comparisons.agreement_section(run),
        checks.fit_section(run),
        dependence.dependence_section(run),
        checks.convergence_section(run, drawn),
        checks.data_section(run),
        environment_section(_parameters(run), run.timings, run.environment, run.findings),
    ]


def _parameters(run: CalibrationAnalysis) -> list[tuple[str, str]]:
    values = run.spec.model_dump(mode="json")
    if run.spec.engine != "nuts":
        # Parameters of NUTS play no part, and nothing here was sampled with nutpie.
        for name in OF_NUTS:
            del values[name]
    if not run.spec.bayesian:
        for name in ("draws", "tune", "chains", "seed"):
            del values[name]
    return [(name, masked(str(value))) for name, value in values.items()]


def _facts(run: CalibrationAnalysis) -> list[tuple[str, str]]:
    responses = run.responses
    facts = [
        ("Items", f"{len(responses.items):,}"),
        ("Users", f"{len(responses.users):,}"),
        ("Responses", f"{len(responses):,}"),
        ("Anchors", f"{0 if run.anchors is None else len(run.anchors.items):,}"),
        ("Model", run.spec.item_model),
        ("Engine", run.spec.engine),
    ]
    if run.diagnostics is not None:
        sizes = run.trace["posterior"].sizes
        facts.append(("Draws", f"{sizes['chain']} × {sizes['draw']:,}"))  # noqa: RUF001
    facts.append(("Run", run.run_id))
    facts.append(("Made", moment(run.trace.attrs["created_at"])))
    return facts
