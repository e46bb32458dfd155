"""One calibration, as the way of a run takes it."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd
import xarray as xr

from tallgrass.inference.diagnostics import Diagnostics, diagnose
from tallgrass.inference.draws import Interrupted, Sampled
from tallgrass.inference.thresholds import Thresholds
from tallgrass.items import engines, tables
from tallgrass.items.agreement import agreement
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.declaration import MODEL, declaration, without_secrets
from tallgrass.items.dif import dif_table
from tallgrass.items.drift import (
    curves_of_drift,
    drift_table,
    drifted_anchors,
    undrifted,
    with_information,
)
from tallgrass.items.engines import ItemEstimates
from tallgrass.items.local_dependence import LocalDependence, local_dependence
from tallgrass.items.point_estimates import estimated
from tallgrass.items.prepare import (
    PreparedCalibration,
    groups_by_user,
)
from tallgrass.items.priors import item_priors
from tallgrass.items.publishing import TOO_FEW, published
from tallgrass.items.report import build_calibration, calibration_figures
from tallgrass.items.responses import Anchors
from tallgrass.items.tables import Calibrated
from tallgrass.items.verdict import judge_draws, judge_estimates
from tallgrass.machine import Finding
from tallgrass.study.analysis import Declaration
from tallgrass.study.clock import Clock
from tallgrass.study.study import Sampling, Study

# The variables that are judged, in the order of the table of diagnostics.
VARIABLES = ("a", "b", "c", "threshold_b", "theta", "population_mean", "population_sd")
MOST_ROUNDS = 5  # of dropping anchors that drifted

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Estimated(Sampled):
    """Point estimates as a trace, and what the maximisation said."""

    estimates: ItemEstimates


@dataclass(frozen=True, eq=False)
class CalibrationStudy(Study[CalibrationAnalysis]):
    """A prepared calibration by one engine.

    Parameters
    ----------
    prepared : PreparedCalibration
        Responses, all anchors, and spec.
    anchors : Anchors or None
        The anchors that hold the scale in this fit.
    others : mapping of str to DataFrame
        Estimates of other methods to compare with, by name.
    purified : tuple of str
        Anchors that an earlier fit found to have drifted.
    recovered : bool
        Whether the draws are those of a process that is gone: they are taken as they are.
    rounds : int
        How often anchors were dropped so far.
    """

    prepared: PreparedCalibration
    anchors: Anchors | None
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    purified: tuple[str, ...] = ()
    recovered: bool = False
    rounds: int = 0
    # Tables of the draws that were looked at last: drift and analysis read the same ones.
    _latest: list[tuple[xr.DataTree, Calibrated]] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Name of the MLflow run."""
        return f"calibrate {self.prepared.spec.engine}"

    @property
    def chains(self) -> int:
        """Chains that are sampled at a time; a maximisation has all threads."""
        return self.prepared.spec.chains if self.prepared.spec.bayesian else 1

    @property
    def repeatable(self) -> bool:
        """A maximisation takes moments, and keeps nothing while it is under way."""
        return not self.prepared.spec.bayesian

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the machine."""
        return self.prepared.findings

    def declaration(self) -> Declaration:
        """What is recorded before anything is estimated."""
        return declaration(self.prepared)

    def attributes(self) -> Mapping[str, str]:
        """The spec without passwords, and the fingerprint of the responses."""
        return {
            "spec": json.dumps(without_secrets(self.prepared.spec), sort_keys=True),
            "model": MODEL,
            "data_sha256": self.prepared.data.responses.fingerprint,
        }

    def draw(self, sampling: Sampling) -> Sampled:
        """Sample, or maximise, with the anchors of this fit."""
        spec, responses = self.prepared.spec, self.prepared.data.responses
        if not spec.bayesian:
            return self._estimated(sampling.attributes)
        common = responses, self.anchors, spec.sampler_spec, sampling.observer
        choice, sink = spec.prior_choice, sampling.sink
        try:
            if spec.item_model != "2pl":
                sampled = engines.calibrate_other_nuts(
                    spec.item_model, *common, sink=sink, choice=choice
                )
            elif spec.engine == "nuts":
                sampled = engines.calibrate_nuts(*common, sink=sink, choice=choice)
            else:
                sampled = engines.calibrate_gibbs(
                    *common, sink=sink, choice=choice, thresholds=sampling.thresholds
                )
        except Interrupted as interruption:
            if interruption.sampled is not None:
                interruption.sampled.trace.attrs.update(sampling.attributes)
            raise
        sampled.trace.attrs.update(sampling.attributes)
        return sampled

    def refined(self, sampled: Sampled | None) -> Self | None:
        """The calibration without the anchors that drifted, where the spec asks for it.

        Without those, others may be seen to have drifted, or not to: it is repeated until nothing
        changes, at most five times.
        """
        if sampled is None or self.recovered or self.rounds == MOST_ROUNDS:
            return None
        if self.prepared.anchors is None or not self.prepared.spec.purify:
            return None
        purified = drifted_anchors(self._drift(self._calibrated(sampled), self.prepared.anchors))
        if set(purified) == set(self.purified):
            return None
        kept = undrifted(self.prepared.anchors, purified)
        if kept is None or len(kept.items) < self.prepared.spec.least_anchors:
            logger.warning("%s: they cannot hold the scale, so those of before are kept", TOO_FEW)
            return None
        logger.warning("anchors dropped because they drifted: %s", ", ".join(purified) or "none")
        return replace(self, anchors=kept, purified=purified, rounds=self.rounds + 1, _latest=[])

    def analysed(
        self, sampled: Sampled | None, run_id: str, thresholds: Thresholds, clock: Clock
    ) -> CalibrationAnalysis:
        """Estimates, convergence, drift, and agreement with other methods."""
        assert sampled is not None  # draw() returns draws or estimates, or raises
        diagnostics: Diagnostics | None = None
        notes = (*_thin(self.prepared), *self._unsettled(sampled))
        with clock.timed("diagnostics_s"):
            if isinstance(sampled, Estimated):
                verdict = judge_estimates(sampled.estimates)
                notes = (*notes, *sampled.estimates.notes)
            else:
                diagnostics = diagnose(sampled.trace, VARIABLES)
                verdict = judge_draws(diagnostics, sampled.trace, thresholds)
        with clock.timed("fit_checks_s"):
            calibrated = tables.with_fit(
                self._calibrated(sampled),
                self.prepared.data.responses,
                self.prepared.spec.places_fit,
                self.prepared.spec.item_model,
            )
            dependence = self._dependence(calibrated)
        spec, drift, compared = self.prepared.spec, None, None
        if self.prepared.anchors is not None and spec.on_scale_of_anchors:
            drift = self._drift(calibrated, self.prepared.anchors)
            # Anchors that were dropped stay flagged, whatever the last fit says of them.
            drift["purified"] = drift["item"].isin(self.purified)
            drift["suspect"] |= drift["purified"]
        if self.others:
            compared = agreement({spec.engine: calibrated.items, **self.others}, spec.agreement)
        with clock.timed("dif_s"):
            functioning = self._dif(calibrated)
        return CalibrationAnalysis(
            run_id=run_id,
            diagnostics=diagnostics,
            verdict=verdict,
            thresholds=thresholds,
            findings=self.findings,
            timings=clock.total(),
            trace=sampled.trace,
            prepared=self.prepared,
            calibrated=calibrated,
            purified=self.purified,
            drift=drift,
            agreement=compared,
            dif=functioning,
            dependence=dependence,
            notes=notes,
        )

    def _dependence(self, calibrated: Calibrated) -> LocalDependence | None:
        """Pairs of items whose answers agree more than the abilities explain."""
        if not self.prepared.spec.fit_checks:
            return None
        theta = calibrated.users["theta"].to_numpy(float)
        responses = self.prepared.data.responses
        return local_dependence(responses, theta, calibrated.curves, calibrated.population.sd)

    def _dif(self, calibrated: Calibrated) -> pd.DataFrame | None:
        """Groups compared item by item, where the spec asks for it."""
        data, names = self.prepared.data, self.prepared.spec.dif_covariates
        if not names or (calibrated.items["a"] <= 0).any():
            return None
        tables = [
            dif_table(data.responses, calibrated.items, groups_by_user(data, name), name)
            for name in names
        ]
        return pd.concat(tables, ignore_index=True)

    def figures(self, analysis: CalibrationAnalysis) -> Mapping[str, Any]:
        """The figures by name."""
        return calibration_figures(analysis)

    def page(self, analysis: CalibrationAnalysis, pngs: Mapping[str, bytes]) -> str:
        """The report."""
        return build_calibration(analysis, pngs)

    def published(self, analysis: CalibrationAnalysis, clock: Clock) -> Declaration | None:
        """Write the items that did not drift to the database, where the verdict allows it."""
        spec = self.prepared.spec
        if not spec.publish:
            return None
        with clock.timed("publish_s"):
            return published(spec, analysis)

    def _unsettled(self, sampled: Sampled) -> tuple[str, ...]:
        """What is to be said where dropping anchors came to no end."""
        anchors = self.prepared.anchors
        if anchors is None or not self.prepared.spec.purify or self.recovered:
            return ()
        moved = drifted_anchors(self._drift(self._calibrated(sampled), anchors))
        if set(moved) == set(self.purified):
            return ()
        if len(anchors.items) - len(moved) < self.prepared.spec.least_anchors:
            return (f"{TOO_FEW}: they cannot hold the scale",)
        return (f"after {self.rounds} rounds of dropping anchors others still seem to drift",)

    def _estimated(self, attributes: Mapping[str, str]) -> Estimated:
        spec, responses = self.prepared.spec, self.prepared.data.responses
        began = time.perf_counter()
        estimates = estimated(responses, self.anchors, spec)
        seconds = time.perf_counter() - began
        priors = item_priors(responses, self.anchors, spec.prior_choice)
        trace = tables.trace_of_estimates(estimates, responses, priors, dict(attributes))
        return Estimated(trace, 0.0, seconds, True, estimates)

    def _calibrated(self, sampled: Sampled) -> Calibrated:
        """Tables of items and users, made once for the same draws."""
        for trace, calibrated in self._latest:
            if trace is sampled.trace:
                return calibrated
        responses = self.prepared.data.responses
        priors = item_priors(responses, self.anchors, self.prepared.spec.prior_choice)
        if isinstance(sampled, Estimated):
            calibrated = tables.of_estimates(sampled.estimates, responses, priors)
        else:
            calibrated = tables.of_trace(sampled.trace, responses, priors)
        self._latest[:] = [(sampled.trace, calibrated)]
        return calibrated

    def _drift(self, calibrated: Calibrated, anchors: Anchors) -> pd.DataFrame:
        spec, responses = self.prepared.spec, self.prepared.data.responses
        table = drift_table(
            calibrated, responses, anchors, spec.drift_a, spec.drift_b, spec.prior_choice
        )
        curves = curves_of_drift(table, calibrated, anchors)
        return with_information(table, calibrated.population, spec.drift_information, curves)


def _thin(prepared: PreparedCalibration) -> tuple[str, ...]:
    names = prepared.thin_anchors
    if not names:
        return ()
    few = f"fewer than {prepared.spec.min_responses} responses"
    return (f"{len(names)} anchors left out, {few}: {', '.join(names[:10])}",)
