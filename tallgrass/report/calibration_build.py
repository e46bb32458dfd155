"""The report of one calibration as one self-contained page."""

from collections.abc import Mapping

from tallgrass.report import calibration_checks, calibration_comparisons, calibration_items
from tallgrass.report.build import checks_table, environment, image, status_words, with_images
from tallgrass.report.calibration_figures import calibration_figures
from tallgrass.report.calibration_inputs import CalibrationInput
from tallgrass.report.figures import images
from tallgrass.report.page import Section

ENGINES = {
    "nuts": "Two-parameter model, posterior by NUTS",
    "gibbs": "Two-parameter model, posterior by Gibbs sampling",
    "map": "Two-parameter model, posterior mode",
    "mml": "Two-parameter model, marginal maximum likelihood",
}


def build_calibration(run: CalibrationInput, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report of one calibration as one HTML page that asks nothing of the network.

    Parameters
    ----------
    run : CalibrationInput
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


def sections(run: CalibrationInput, drawn: set[str]) -> list[Section]:
    """The sections that this calibration has something to show in, in their order."""
    candidates = [
        calibration_items.key_findings(run),
        calibration_items.the_model(run),
        calibration_items.item_section(run),
        calibration_items.curves_section(run),
        calibration_items.wright_section(run),
        calibration_comparisons.drift_section(run),
        calibration_comparisons.agreement_section(run),
        calibration_checks.fit_section(run),
        calibration_checks.convergence_section(run, drawn),
        calibration_checks.data_section(run),
        calibration_checks.environment_section(run),
    ]
    return [with_images(section, drawn) for section in candidates if section is not None]


def _facts(run: CalibrationInput) -> list[tuple[str, str]]:
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
