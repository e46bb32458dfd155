"""The job of a month: calibrate by several engines, compare, publish what passes, report changes.

One MLflow run of the kind ``monthly`` holds the page, the table of changes and the outcome; the
calibrations are runs of their own under the run that compares them. The first engine is the one
whose items count. The month before is the newest finished job on the same responses by the
same item model in the experiment.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from tallgrass.errors import SpecError
from tallgrass.items.by_engines import ManyCalibrated, calibrate_all, check_engines
from tallgrass.items.changes import changes
from tallgrass.items.earlier import item_table
from tallgrass.items.publication import check
from tallgrass.items.publish_target import target_of
from tallgrass.items.publishing import published, refusal
from tallgrass.items.report.month import MonthInput, build_month
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import changed_calibration
from tallgrass.settings import Settings
from tallgrass.tracking.reading import searching
from tallgrass.tracking.store import masked

ENGINES = ("gibbs", "nuts", "mml")
OF_OTHER_MODELS = ("nuts", "mml")
JOB = "monthly"
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, eq=False)
class Month:
    """What the job of a month did.

    Parameters
    ----------
    run_id : str
        The run of the job.
    compared : ManyCalibrated
        The engines.
    status : str
        Verdict of the engine whose items count.
    published : int
        Rows written.
    reason : str
        Why nothing was published; empty where it was, or was not asked for.
    changes : DataFrame or None
        Against the month before; None in the first month.
    report_path : str
        The page.
    """

    run_id: str
    compared: ManyCalibrated
    status: str
    published: int
    reason: str
    changes: pd.DataFrame | None
    report_path: str

    @property
    def good(self) -> bool:
        """Whether the month passed, and was published where that was asked for."""
        return self.status == "pass" and not self.reason


def of_month(text: str, today: date | None = None) -> dict[str, str]:
    """``since`` and ``until`` of a month such as 2026-10, or of the ``last`` one.

    Raises
    ------
    SpecError
        When the text is neither.

    Examples
    --------
    >>> of_month("2026-12")
    {'since': '2026-12-01', 'until': '2027-01-01'}
    """
    if text == "last":
        first = (today or datetime.now(UTC).date()).replace(day=1)
        text = (first - timedelta(days=1)).strftime("%Y-%m")
    parts = _MONTH.fullmatch(text)
    if parts is None or not 1 <= int(parts[2]) <= 12 or int(parts[1]) < 1:
        raise SpecError("bad value for month", text, "write 2026-10, or last")
    since = date(int(parts[1]), int(parts[2]), 1)
    until = since + timedelta(days=calendar.monthrange(since.year, since.month)[1])
    return {"since": since.isoformat(), "until": until.isoformat()}


def engines_of(spec: CalibrationSpec) -> tuple[str, ...]:
    """The usual engines of a month; Gibbs sampling has one item model alone."""
    return ENGINES if spec.item_model == "2pl" else OF_OTHER_MODELS


def run_month(spec: CalibrationSpec, settings: Settings, engines: Sequence[str] = ()) -> Month:
    """Calibrate by all engines, publish what the first one says, and record what changed.

    ``engines`` are by default those of :func:`engines_of`.

    Raises
    ------
    TallgrassError
        As :func:`tallgrass.items.by_engines.calibrate_all`; also when the table of publication
        could not be written, before anything is estimated.
    """
    from tallgrass.tracking import writing

    engines = engines or engines_of(spec)
    check_engines(engines)
    spec = changed_calibration(spec, {"engine": engines[0]})
    if spec.publish:
        check(target_of(spec))
    quiet = spec.model_copy(update={"publish": False})
    compared = calibrate_all(quiet, engines, settings)
    result = compared.results[engines[0]]
    analysis, location = result.analysis, masked(result.analysis.location)
    before_id = _before(location, spec.item_model, result.experiment_id)
    difference = None
    if before_id:
        difference = changes(
            item_table(before_id), result.items, spec.drift_b, spec.drift_a, spec.drift_information
        )
    title = spec.window or " to ".join(filter(None, (spec.since, spec.until))) or "all responses"
    with writing.start_run(settings.experiment, f"{JOB} {title}") as run:
        run.set_tags({"model": "items", "job": JOB, "session": location})
        run.log_params({"engines": ",".join(engines), "window": spec.window, "since": spec.since,
                        "until": spec.until, "item_model": spec.item_model})  # fmt: skip
        said = published(spec, analysis) if spec.publish else None
        reason = refusal(spec, analysis) if spec.publish else ""
        count = int(said.metrics["items/published"]) if said is not None else 0
        counts = {} if difference is None else difference["change"].value_counts().to_dict()
        run.log_metrics(
            {
                **{f"monthly/n_{k}": float(counts.get(k, 0)) for k in ("moved", "weaker")},
                **{f"monthly/n_{k}": float(counts.get(k, 0)) for k in ("new", "gone")},
                "items/published": float(count),
            }
        )
        if difference is not None:
            run.log_table(difference, "tables/changes")
        for path, text in ({} if said is None else said.texts).items():
            run.log_text(text, path)
        drift = analysis.drift
        page = build_month(
            MonthInput(
                title=title, verdict=result.verdict, fit=analysis.fit_verdict,
                engine=engines[0], run_id=result.run_id,
                compared_id=compared.run_id, before_id=before_id, location=location,
                n_items=len(result.items), n_responses=len(analysis.responses), published=count,
                publication=_words(spec, count, reason),
                n_drifted=0 if drift is None else int((drift["drifted"] | drift["suspect"]).sum()),
                n_anchors=0 if drift is None else len(drift), agreement=compared.agreement,
                changes=difference,
            )
        )  # fmt: skip
        run.log_text(page, "report/index.html")
        run.set_tags(
            {
                "verdict": result.verdict.status,
                "monthly.run": result.run_id,
                "monthly.compared": compared.run_id,
                "monthly.before": before_id,
                "published.refused": reason,
            }
        )
        path = run.artifact_location("report/index.html")
    return Month(run.run_id, compared, result.verdict.status, count, reason, difference, path)


def _before(location: str, item_model: str, experiment_id: str) -> str:
    """The calibration whose items counted in the newest finished job, or empty."""
    conditions = [
        f"tags.job = '{JOB}'",
        searching.equals("tags.session", location),
        searching.equals("params.item_model", item_model),
        "attributes.status = 'FINISHED'",
    ]
    found = searching.search(conditions, searching.experiment_name(experiment_id), page_size=1)
    newest = next(found, None)
    return "" if newest is None else str(newest.data.tags.get("monthly.run", ""))


def _words(spec: CalibrationSpec, count: int, reason: str) -> str:
    if not spec.publish:
        return "Nothing was to be published (publish=false)."
    if reason:
        return f"Nothing was published: {reason}."
    if spec.publish_dry_run:
        return "Nothing was written: this was a dry run."
    return f"{count:,} items were published to {spec.publish_table}."
