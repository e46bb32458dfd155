"""The description of a finished run, as the MLflow UI shows it on the run's page."""

from collections.abc import Sequence

from tallgrass.escaping import markdown
from tallgrass.inference.verdict import Verdict
from tallgrass.tracking.pages import artifact_page

_MOST = 3  # findings


def description(
    run_id: str, experiment_id: str, verdict: Verdict | None, findings: Sequence[str], fit: str = ""
) -> str:
    """Verdict, fit, findings, where the report is and how to repeat the run, in markdown.

    Parameters
    ----------
    run_id, experiment_id : str
        The run.
    verdict : Verdict or None
        Its verdict; None for a run that is not judged.
    findings : sequence of str
        What came out; the first three are told.
    fit : str
        ``fits``, ``questioned``, or whatever else is known of the fit; empty where it has none.
    """
    verdict_words = "not judged" if verdict is None else verdict.status
    # One looks here first: chains that pass say nothing of the fit.
    head = f"Verdict: {verdict_words}" + (f", fit: {fit}" if fit else "")
    reasons = () if verdict is None or verdict.status == "pass" else verdict.reasons
    report = artifact_page(experiment_id, run_id, "report/index.html")
    first = (
        f"**{head}** \N{MIDDLE DOT} [Open the report]({report}) \N{MIDDLE DOT} "
        f"repeat it: `tallgrass rerun {run_id[:8]}`"
    )
    # Lines, not a list: the page shows about five lines until the reader asks for more.
    told = [markdown(finding) for finding in findings[:_MOST]]
    if reasons:
        told.append(f"Why {verdict_words}: {markdown('; '.join(reasons))}")
    return "  \n".join([first, *told])
