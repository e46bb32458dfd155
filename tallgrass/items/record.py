"""What one calibration leaves in MLflow, and in which order: params, trace, metrics, tables."""

import json
from dataclasses import asdict

import numpy as np
import xarray as xr

from tallgrass.inference.samplers import trajectory
from tallgrass.items.model import ItemModel
from tallgrass.items.prepare import ReadyCalibration
from tallgrass.items.report import CalibrationInput, build_calibration, calibration_figures
from tallgrass.items.spec import CalibrationSpec
from tallgrass.report.images import images
from tallgrass.settings import Settings
from tallgrass.tracking.record import installed, save_trace, versions_of_libraries
from tallgrass.tracking.store import masked
from tallgrass.tracking.writing import ActiveRun

MODEL = "items"
PRIORS = {
    "prior.theta": "normal:0,1",
    "prior.a": "lognormal:0,0.2",
    "prior.b": "normal:0,1",
    "prior.anchor_log_a_sd": "0.05",
    "prior.anchor_b_sd": "0.05",
}
_HEADLINE_SECONDS = ("sampling_s", "total_s")


class CalibrationRecorder:
    """Writes one calibration to MLflow."""

    def __init__(self, run: ActiveRun, ready: ReadyCalibration, settings: Settings) -> None:
        self.run = run
        self.metrics: dict[str, float] = {}
        self._ready = ready
        self._settings = settings

    def attributes(self) -> dict[str, str]:
        """What a trace says of its run."""
        return {
            "run_id": self.run.run_id,
            "spec": json.dumps(_without_secrets(self._ready.spec), sort_keys=True),
            "model": MODEL,
        }

    def before_estimation(self) -> None:
        """Params, tags, dataset and spec: a run that cannot say what it is does not start."""
        ready = self._ready
        spec, responses, log = ready.spec, ready.data.responses, ready.data.log
        parameters = _without_secrets(spec)
        # What a run was sampled with has one name in every kind of run.
        sampler = {"nuts": spec.sampler, "gibbs": "gibbs"}.get(spec.engine, "em")
        counts = {
            "n_users": len(responses.users),
            "n_items": len(responses.items),
            "n_responses": len(responses),
            "n_anchors": 0 if ready.anchors is None else len(ready.anchors.items),
        }
        dropped = {
            "n_rows": log.n_rows,
            "n_missing": log.n_missing,
            "n_duplicates": log.n_duplicates,
            "n_items_dropped": len(log.dropped),
            "n_anchors_dropped": len(ready.thin_anchors),
            "n_users_dropped": log.n_users_dropped,
        }
        versions = versions_of_libraries()
        self.run.log_params(
            parameters
            | {"sampler": sampler, "model": MODEL, "session": masked(ready.data.location)}
            | {f"model.{name}": value for name, value in counts.items()}
            | {f"data.{name}": value for name, value in dropped.items()}
            | PRIORS
            | _steps(spec)
            | {f"version.{library}": number for library, number in versions.items()}
        )
        self.run.set_tags(
            {
                "model": MODEL,
                "engine": spec.engine,
                "session": masked(ready.data.location),
                "window": spec.window,
                "anchors.thin": ", ".join(ready.thin_anchors),
                "data.sha256": responses.fingerprint,
                "spec.sha256": spec.sha256,
            }
        )
        self._log({f"data/{name}": float(value) for name, value in {**counts, **dropped}.items()})
        profile = {"num_rows": counts["n_responses"], **counts}
        name = f"responses {spec.window}".strip()
        self.run.log_input(name, responses.fingerprint, profile, masked(ready.data.location))
        self.run.log_text(json.dumps(parameters, indent=2), "spec/run.json")
        self.run.log_text(json.dumps(PRIORS, indent=2), "spec/prior.json")
        self.run.log_text(json.dumps(asdict(log), indent=2), "data/filters.json")
        self.run.log_text(installed(), "env/requirements.txt")

    def trace(self, trace: xr.DataTree) -> None:
        """Store draws or estimates: before anything that can fail."""
        save_trace(self.run, trace)

    def after_estimation(self, finished: CalibrationInput) -> str:
        """Verdict, metrics, tables, figures and the report; returns where the report is."""
        run, verdict, found = self.run, finished.verdict, finished.found
        metrics = {
            "fit/marginal_reliability": found.marginal_reliability,
            "fit/empirical_reliability": found.empirical_reliability,
            "fit/infit_max": float(found.items["infit"].max()),
            "fit/outfit_max": float(found.items["outfit"].max()),
            "items/one_sided": float(found.items["one_sided"].sum()),
        }
        if finished.diagnostics is not None:
            metrics |= finished.diagnostics.metrics(self._settings.thresholds.rhat)
        if finished.drift is not None:
            metrics |= {
                "drift/n_drifted": float(finished.drift["drifted"].sum()),
                "drift/n_suspect": float(finished.drift["suspect"].sum()),
                "drift/n_purified": float(len(finished.purified)),
            }
        if finished.agreement is not None:
            pairs = finished.agreement.pairs
            metrics["agreement/n_flagged"] = float(pairs["flagged"].sum())
        run.set_tags(
            {
                "verdict": verdict.status,
                "verdict.reasons": "; ".join(verdict.reasons),
                "anchors.purified": ", ".join(finished.purified),
            }
        )
        self._log({name: value for name, value in metrics.items() if np.isfinite(value)})
        run.log_table(found.items, "tables/items")
        run.log_table(found.users, "tables/users")
        if finished.diagnostics is not None:
            run.log_table(finished.diagnostics.table, "tables/diagnostics")
        if finished.drift is not None:
            run.log_table(finished.drift, "tables/drift")
        if finished.agreement is not None:
            run.log_table(finished.agreement.pairs, "tables/agreement")
            run.log_table(finished.agreement.summary, "tables/agreement_summary")
            run.log_table(finished.agreement.consensus, "tables/consensus")
        pngs = images(calibration_figures(finished))
        for name, data in pngs.items():
            run.log_bytes(data, f"plots/{name}.png")
        run.log_text(build_calibration(finished, pngs), "report/index.html")
        return run.artifact_location("report/index.html")

    def published(self, n: int) -> None:
        """Say how many items went to the database, and where."""
        spec = self._ready.spec
        self.run.set_tags({"published": n, "published.table": spec.publish_table})
        self._log({"items/published": float(n)})

    def timings(self, seconds: dict[str, float]) -> None:
        """Seconds by step, and everything measured once more as ``metrics.json``."""
        self._log(
            {
                name if name in _HEADLINE_SECONDS else f"time/{name}": value
                for name, value in seconds.items()
            }
        )
        self.run.log_text(json.dumps(self.metrics, indent=2, sort_keys=True), "metrics.json")

    def _log(self, metrics: dict[str, float]) -> None:
        self.metrics |= metrics
        self.run.log_metrics(metrics)


def _steps(spec: CalibrationSpec) -> dict[str, str]:
    """What the trajectories of NUTS were made of; nothing of other engines."""
    if spec.engine != "nuts":
        return {}
    return {"sampler.trajectory": trajectory(ItemModel.trajectory, spec.sampler_spec)}


def _without_secrets(spec: CalibrationSpec) -> dict[str, object]:
    """The parameters with the passwords of addresses masked: a run is there for all to see."""
    return {
        name: masked(value) if isinstance(value, str) else value
        for name, value in spec.model_dump(mode="json").items()
    }
