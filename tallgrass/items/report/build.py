"""The report of one calibration as one self-contained page."""

from collections.abc import Mapping

from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.report import checks, comparisons, items
from tallgrass.items.report.figures import calibration_figures
from tallgrass.report.checks import checks_table, environment, image, status_words, with_images
from tallgrass.report.environment import environment_section
from tallgrass.report.images import images
from tallgrass.report.page import Section
from tallgrass.tracking.store import masked

ENGINES = {
    "nuts": "Two-parameter model, posterior by NUTS",
    "gibbs": "Two-parameter model, posterior by Gibbs sampling",
    "map": "Two-parameter model, posterior mode",
    "mml": "Two-parameter model, marginal maximum likelihood",
}


def build_calibration(run: CalibrationAnalysis, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of one calibration as one HTML page that asks nothing of the network.

    Parameters
    ----------
    run : CalibrationAnalysis
        The calibration.
    pngs : mapping of str to bytes, optional
        Its figures as PNG files, where they are at hand; drawn here otherwise.
    """
    files = images(calibration_figures(run)) if pngs is None else pngs
    window = f": {run.spec.window}" if run.spec.window else ""
    return (
        environment()
        .get_template("report.html")
        .render(
            maker="item calibration",
            title=f"Calibration of {len(run.responses.items):,} items{window}",
            model=ENGINES[run.spec.engine],
            status=run.verdict.status,
            status_words=status_words(run.verdict),
            reasons=run.verdict.reasons,
            checks=checks_table(run.verdict),
            facts=_facts(run),
            sections=sections(run, set(files)),
            images={name: image(data) for name, data in files.items()},
        )
    )


def sections(run: CalibrationAnalysis, drawn: set[str]) -> list[Section]:
    """The sections that this calibration has something to show in, in their order."""
    candidates = [
        items.key_findings(run),
        items.the_model(run),
        items.item_section(run),
        items.curves_section(run),
        items.wright_section(run),
        comparisons.drift_section(run),
        comparisons.agreement_section(run),
        checks.fit_section(run),
        checks.convergence_section(run, drawn),
        checks.data_section(run),
        environment_section(_parameters(run), run.timings, run.environment, run.findings),
    ]
    return [with_images(section, drawn) for section in candidates if section is not None]


def _parameters(run: CalibrationAnalysis) -> list[tuple[str, str]]:
    values = run.spec.model_dump(mode="json").items()
    return [(name, masked(str(value))) for name, value in values]


def _facts(run: CalibrationAnalysis) -> list[tuple[str, str]]:
    responses = run.responses
    facts = [
        ("Items", f"{len(responses.items):,}"),
        ("Users", f"{len(responses.users):,}"),
        ("Responses", f"{len(responses):,}"),
        ("Anchors", f"{0 if run.anchors is None else len(run.anchors.items):,}"),
        ("Engine", run.spec.engine),
    ]
    if run.diagnostics is not None:
        sizes = run.trace["posterior"].sizes
        facts.append(("Draws", f"{sizes['chain']} × {sizes['draw']:,}"))  # noqa: RUF001
    facts.append(("Run", run.run_id))
    facts.append(("Made", str(run.trace.attrs["created_at"])[:16].replace("T", " ")))
    return facts
