"""When the items of a calibration may be published, and which of them."""

import logging
from dataclasses import replace

from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.drift import drifted_anchors
from tallgrass.items.publication import publish
from tallgrass.items.publish_target import target_of
from tallgrass.items.spec import CalibrationSpec
from tallgrass.study.analysis import Declaration
from tallgrass.tracking.reading import searching
from tallgrass.tracking.store import masked

TOO_FEW = "every anchor drifted, or all but too few"

logger = logging.getLogger(__name__)


def published(spec: CalibrationSpec, analysis: CalibrationAnalysis) -> Declaration:
    """Write the items that did not drift, if the verdict allows it; say what was done.

    Raises
    ------
    DataError
        When the table cannot be written; then it is unchanged.
    """
    reason = refusal(spec, analysis) or _overtaken(spec, analysis.run_id)
    if reason:
        logger.warning("nothing was published: %s", reason)
        return _said(spec, 0, {"published.refused": reason})
    drifted = set() if analysis.drift is None else set(drifted_anchors(analysis.drift))
    items = analysis.calibrated.items
    rows = items[~items["item"].isin(drifted)]
    about = {
        "engine": spec.engine,
        "item_model": spec.item_model,
        "window": spec.window,
        "run_id": analysis.run_id,
    }
    written = publish(target_of(spec, items), rows, about, spec.publish_dry_run)
    if not spec.publish_dry_run:
        return _said(spec, written.rows, {})
    logger.info("nothing was written (publish_dry_run); it would be:\n%s", written.statements)
    said = _said(spec, 0, {"published.refused": "publish_dry_run"})
    return replace(said, texts={"publish/statements.sql": written.statements})


def refusal(spec: CalibrationSpec, analysis: CalibrationAnalysis) -> str:
    """Why nothing may be published; empty where it may."""
    status = analysis.verdict.status
    if status == "fail":
        return "the verdict is fail"
    if status == "unresolved" and not spec.publish_unresolved:
        open_ = [check.name for check in analysis.verdict.checks if check.passed is None]
        return (
            f"the verdict is unresolved ({', '.join(open_)} could not be computed): sample more "
            "chains, or allow it with publish_unresolved"
        )
    if (drift := analysis.drift) is not None:
        stayed = len(drift) - len(drifted_anchors(drift))
        if stayed < spec.least_anchors:
            return f"{TOO_FEW}, so that nothing holds the scale"
    return ""


def _overtaken(spec: CalibrationSpec, run_id: str) -> str:
    """Why a run that is recovered late may not publish; empty where it may.

    Items that a run published which began later are newer than these.
    """
    conditions = [
        searching.equals("tags.session", masked(spec.responses)),
        searching.equals("tags.`published.table`", spec.publish_table),
        "metrics.`items/published` > 0",
        f"attributes.start_time > {searching.find_run(run_id).info.start_time}",
    ]
    for run in searching.search(conditions):
        if run.info.run_id != run_id and run.data.params.get("window", "") == spec.window:
            return f"run {run.info.run_id[:8]}, which began later, has published there"
    return ""


def _said(spec: CalibrationSpec, count: int, tags: dict[str, str]) -> Declaration:
    return Declaration(
        params={},
        tags={"published": count, "published.table": spec.publish_table, **tags},
        metrics={"items/published": float(count)},
    )
