"""Link two runs as an MLflow run of its own: read both, link, keep tables, picture and report."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from tallgrass.errors import DataError, SpecError, TallgrassError, nearest
from tallgrass.inference.summary import draws_of, names_of
from tallgrass.report.images import images
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.linking import ROBUST, Linking, LinkOptions, Scale, link_scales
from tallgrass.rollcalls.linking.common import OVER
from tallgrass.rollcalls.report import build_link, link_figures
from tallgrass.rollcalls.votes import RollCall
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

FEWEST_DRAWS = 20
_BESIDE = 100  # draws linked beside a joint run

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LinkResult:
    """What linking two runs gave: where it is in MLflow, and the link.

    Parameters
    ----------
    run_id, experiment_id, ui_url : str
        The MLflow run that holds the tables and the report.
    linking : Linking
        Coefficients, common items, the target's members on the reference's scale.
    report_path : str
        Where the HTML report was stored.
    """

    run_id: str
    experiment_id: str
    ui_url: str
    linking: Linking
    report_path: str


def link(
    reference: str,
    target: str,
    options: LinkOptions | None = None,
    settings: Settings | None = None,
) -> LinkResult:
    """Put the scale of one run on that of another, by what the two have in common.

    Parameters
    ----------
    reference, target : str
        Ids of two runs, or their first characters. The target's positions are put on the
        reference's scale.
    options : LinkOptions, optional
        Over bills or members, what is done with bills that deviate, anchors, number of draws.
    settings : Settings, optional
        Where MLflow is; read from the environment and ``.env`` without it.

    Raises
    ------
    TallgrassError
        When a run is unknown, holds no ideal points, or too little is common. Nothing is written
        then.
    """
    began = time.perf_counter()
    options, settings = options or LinkOptions(), settings or load_settings()
    _check(options)
    from tallgrass.rollcalls.report import LinkInput
    from tallgrass.tracking import store, writing

    store.connect(settings.tracking_uri)
    scales = [read_scale(run_id) for run_id in (reference, target)]
    if scales[0].run_id == scales[1].run_id:
        raise DataError("a run is not linked with itself", scales[0].run_id)
    linking = link_scales(scales[0], scales[1], options)
    name = f"link {scales[1].words} to {scales[0].words}"
    with writing.start_run(settings.experiment, name) as run:
        ids = {"reference": scales[0].run_id, "target": scales[1].run_id}
        parameters = {"robust": options.robust, "anchors": ",".join(options.anchors)}
        run.log_params({"model": "link", "over": linking.common.over, **ids, **parameters})
        run.set_tags({"model": "link", "warnings": "; ".join(linking.warnings), **ids})
        metrics = {k: v for k, v in linking.metrics.items() if np.isfinite(v)}
        run.log_text(json.dumps(asdict(options) | ids, indent=2), "spec/link.json")
        for table in ("coefficients", "draws", "items", "positions"):
            run.log_table(getattr(linking, table), f"tables/link_{table}")
        page = LinkInput(linking, scales[0], scales[1], options, run.run_id)
        pngs = images(link_figures(page))
        for figure, data in pngs.items():
            run.log_bytes(data, f"plots/{figure}.png")
        run.log_text(build_link(page, pngs), "report/index.html")
        metrics["total_s"] = time.perf_counter() - began
        run.log_metrics(metrics)
        where = run.artifact_location("report/index.html")
        return LinkResult(run.run_id, run.experiment_id, run.ui_url, linking, where)


def linked_beside(run_ids: Mapping[str, str]) -> Linking | None:
    """The Senate's own run linked to the House's, to stand beside a joint run; None without both.

    What cannot be linked is no fault of the joint run: it is said, and left out.
    """
    if not all(run_ids.values()):
        return None
    try:
        scales = [read_scale(run_ids[chamber]) for chamber in CHAMBERS]
        return link_scales(scales[0], scales[1], LinkOptions(over="bills", draws=_BESIDE))
    except TallgrassError as error:
        logger.warning("the chambers' own runs could not be linked: %s", error)
        return None


def _check(options: LinkOptions) -> None:
    for name, value, known in (("over", options.over, OVER), ("robust", options.robust, ROBUST)):
        if value not in known:
            raise SpecError(f"{name}: unknown choice", value, nearest(value, list(known)))
    if options.draws < FEWEST_DRAWS:
        raise SpecError("too few draws to link", options.draws, f"use {FEWEST_DRAWS} or more")


def read_scale(run_id: str) -> Scale:
    """A run as a scale: its draws, roll calls and members.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no trace or tables.
    DataError
        When it is no run that places legislators.
    """
    from tallgrass.tracking import reading

    trace = reading.load_trace(run_id)
    if "xi" not in trace["posterior"]:
        raise DataError(
            "a run without ideal points cannot be linked", run_id, "is it a calibration?"
        )
    return scale_of(trace, earlier.rollcalls_table(run_id), earlier.ideal_points(run_id))


def scale_of(trace: "DataTree", rollcalls: "pd.DataFrame", members: "pd.DataFrame") -> Scale:
    """A trace with its tables of roll calls and members as a scale."""
    texts = ["vote_id", "bill", "motion", "vote_type", "date"]
    known = rollcalls.reindex(columns=texts).fillna("").astype(str)
    by_id = {row[0]: RollCall(**dict(zip(texts, row, strict=True))) for row in known.to_numpy()}
    people = members.set_index("slug")
    slugs = names_of(trace, "legislator")
    return Scale(
        run_id=str(trace.attrs.get("run_id", "")),
        session=str(trace.attrs.get("session", "")),
        chamber=str(trace.attrs.get("chamber", "")),
        rollcalls=tuple(by_id[i] for i in names_of(trace, "rollcall")),
        slugs=tuple(slugs),
        names=tuple(people.loc[slugs, "name"].astype(str)),
        parties=tuple(people.loc[slugs, "party"].astype(str)),
        alpha=draws_of(trace, "alpha"),
        beta=draws_of(trace, "beta"),
        xi=draws_of(trace, "xi"),
    )
