"""Link two runs as an MLflow run of its own: read both, link, keep tables, picture and report."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallgrass.errors import DataError, SpecError, nearest
from tallgrass.inference.draws import Sampled
from tallgrass.inference.thresholds import Thresholds
from tallgrass.machine import Finding
from tallgrass.rollcalls.link_analysis import LinkAnalysis
from tallgrass.rollcalls.linking import ROBUST, Linking, LinkOptions, Scale, link_scales
from tallgrass.rollcalls.linking.common import OVER
from tallgrass.rollcalls.report import build_link, link_figures
from tallgrass.rollcalls.stored_scales import read_scale
from tallgrass.settings import Settings, load_settings
from tallgrass.study.analysis import Declaration
from tallgrass.study.clock import Clock
from tallgrass.study.study import Context, Sampling, Study
from tallgrass.study.way import carry_out
from tallgrass.tracking.progress import parts

SPEC = "spec/link.json"
FEWEST_DRAWS = 20


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
    analysis : LinkAnalysis
        What the record and the report were made from.

    Examples
    --------
    >>> ids = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> result = tg.link(*ids, tg.LinkOptions(draws=50))
    >>> list(result.linking.coefficients.columns[:2])
    ['treatment', 'method']
    """

    run_id: str
    experiment_id: str
    ui_url: str
    linking: Linking
    report_path: str
    analysis: LinkAnalysis


@dataclass(frozen=True, eq=False)
class LinkStudy(Study[LinkAnalysis]):
    """The link of two runs, as the way of a run takes it."""

    reference: Scale
    target: Scale
    options: LinkOptions
    linking: Linking

    @property
    def name(self) -> str:
        """Name of the MLflow run."""
        return f"link {self.target.words} to {self.reference.words}"

    @property
    def title(self) -> str:
        """Title of the process."""
        return "link"

    @property
    def repeatable(self) -> bool:
        """A link is made again from its two runs."""
        return True

    def declaration(self) -> Declaration:
        """Which runs are linked, and how."""
        ids = {"reference": self.reference.run_id, "target": self.target.run_id}
        options = {"robust": self.options.robust, "anchors": ",".join(self.options.anchors)}
        return Declaration(
            params={"model": "link", "over": self.linking.common.over, **ids, **options},
            tags={"model": "link", "warnings": "; ".join(self.linking.warnings), **ids},
            texts={SPEC: json.dumps(asdict(self.options) | ids, indent=2)},
        )

    def draw(self, sampling: Sampling) -> Sampled | None:
        """Nothing is sampled: the draws are those of the two runs."""
        return None

    def analysed(
        self, sampled: Sampled | None, run_id: str, thresholds: Thresholds, clock: Clock
    ) -> LinkAnalysis:
        """The link, for the record and the report."""
        return LinkAnalysis(
            run_id=run_id,
            thresholds=thresholds,
            timings=clock.total(),
            linking=self.linking,
            reference=self.reference,
            target=self.target,
            options=self.options,
        )

    def figures(self, analysis: LinkAnalysis) -> Mapping[str, Any]:
        """The pictures by name."""
        return link_figures(analysis)

    def page(self, analysis: LinkAnalysis, pngs: Mapping[str, bytes]) -> str:
        """The report."""
        return build_link(analysis, pngs)


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

    Examples
    --------
    >>> reference, target = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> linked = tg.link(reference, target, tg.LinkOptions(robust="drop", draws=50))
    >>> len(linked.linking.coefficients) > 0
    True
    """
    clock = Clock(time.perf_counter())
    options, settings = options or LinkOptions(), settings or load_settings()
    check_options(options)

    def prepared(_others: tuple[Finding, ...], _state: Path) -> LinkStudy:
        with clock.timed("prepare_s"):
            return link_study(reference, target, options, settings.progress)

    outcome = carry_out(prepared, settings, clock, Context(), limited=False)
    return LinkResult(
        outcome.run_id,
        outcome.experiment_id,
        outcome.ui_url,
        outcome.analysis.linking,
        outcome.report_path,
        outcome.analysis,
    )


def link_study(
    reference: str, target: str, options: LinkOptions, progress: str = "none"
) -> LinkStudy:
    """Read both runs and link them.

    Parameters
    ----------
    progress : str
        How it is shown how far linking is: as the setting ``progress``.

    Raises
    ------
    TallgrassError
        When a run is unknown, holds no ideal points, or too little is common.
    """
    first, second = read_scale(reference), read_scale(target)
    if first.run_id == second.run_id:
        raise DataError("a run is not linked with itself", first.run_id)
    with parts(progress, "linking pairs of draws") as told:
        linking = link_scales(first, second, options, told)
    return LinkStudy(first, second, options, linking)


def check_options(options: LinkOptions) -> None:
    """Refuse unknown choices and too few draws.

    Raises
    ------
    SpecError
        When an option cannot be used.
    """
    for name, value, known in (("over", options.over, OVER), ("robust", options.robust, ROBUST)):
        if value not in known:
            raise SpecError(f"{name}: unknown choice", value, nearest(value, list(known)))
    if options.draws < FEWEST_DRAWS:
        raise SpecError("too few draws to link", options.draws, f"use {FEWEST_DRAWS} or more")
