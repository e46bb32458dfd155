"""What one run leaves in MLflow, and in which order: params, trace, metrics, tables, report."""

import json
from dataclasses import asdict

import xarray as xr

from tallgrass.inference.samplers import trajectory
from tallgrass.inference.summary import posterior_summary
from tallgrass.report.images import images
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.prepare import Prepared
from tallgrass.rollcalls.report import ReportInput, build, figures
from tallgrass.rollcalls.spec import prior_record
from tallgrass.rollcalls.votes import FilterLog
from tallgrass.settings import Settings
from tallgrass.tracking.record import installed, save_trace, versions_of_libraries
from tallgrass.tracking.writing import ActiveRun

_NUMERIC_SETTINGS = ("draws", "tune", "chains", "seed", "target_accept")
_HEADLINE_SECONDS = ("sampling_s", "total_s")


class Recorder:
    """Writes one prepared run to MLflow."""

    def __init__(self, run: ActiveRun, ready: Prepared, settings: Settings) -> None:
        self.run = run
        self._ready = ready
        self._settings = settings
        self._metrics: dict[str, float] = {}

    def before_sampling(self) -> None:
        """Params, tags, dataset and spec: a run that cannot say what it is does not start."""
        ready, spec = self._ready, self._ready.spec
        votes, log = ready.data.votes, ready.data.filter_log
        versions = versions_of_libraries()
        counts = {
            "n_legislators": len(votes.legislators),
            "n_rollcalls": len(votes.rollcalls),
            "n_observations": votes.n_observations,
            "n_parameters": ready.model.n_parameters,
        }
        self.run.log_params(
            spec.model_dump()
            | {f"model.{name}": value for name, value in counts.items()}
            | {f"prior.{name}": prior.text for name, prior in spec.priors.items()}
            | {
                "sampler.name": spec.sampler,
                "sampler.version": versions[spec.sampler],
                "sampler.backend": "jax" if spec.adaptation == "flow" else "numba",
                "sampler.adaptation": spec.adaptation,
                "sampler.trajectory": trajectory(ready.model.trajectory, spec),
                "sampler.target_accept": spec.target_accept,
                "data.source": ready.data.source,
                "data.minority_threshold": log.minority_threshold,
                "data.min_votes": log.min_votes,
                "data.n_legislators_read": log.n_legislators_read,
                "data.n_rollcalls_read": log.n_rollcalls_read,
            }
            | {f"data.dropped_{reason}": count for reason, count in _dropped(log).items()}
            | {f"version.{library}": number for library, number in versions.items()}
        )
        self.run.set_tags(
            {
                "model": spec.model,
                "chamber": spec.chamber,
                "session": votes.session,
                "data.sha256": ready.data.fingerprint,
                "spec.sha256": spec.sha256,
            }
        )
        if ready.baseline is not None:
            self.run.set_tags({"baseline.run_id": ready.baseline.run_id})
        self._log_metrics(
            {f"data/{name}": value for name, value in counts.items() if name != "n_parameters"}
            | {"model/n_parameters": counts["n_parameters"]}
            | {f"sampler/{name}": getattr(spec, name) for name in _NUMERIC_SETTINGS}
            # MLflow draws parallel coordinates over numbers, and a param is text.
            | {f"prior/{name}_mu": prior.mu for name, prior in spec.priors.items()}
            | {f"prior/{name}_sigma": prior.sigma for name, prior in spec.priors.items()}
            | {"data/minority_threshold": spec.minority_threshold, "data/min_votes": spec.min_votes}
        )
        profile = {
            "num_rows": len(votes.legislators),
            "num_rollcalls": len(votes.rollcalls),
            "num_elements": votes.n_observations,
        }
        name = f"{votes.session} {votes.chamber}"
        self.run.log_input(name, votes.fingerprint, profile, ready.data.location)
        self.run.log_text(json.dumps(spec.model_dump(mode="json"), indent=2), "spec/run.json")
        self.run.log_text(json.dumps(prior_record(spec), indent=2), "spec/prior.json")
        self.run.log_text(json.dumps(_filter_record(log), indent=2), "data/filters.json")
        self.run.log_text(installed(), "env/requirements.txt")
        if ready.data.joint is not None:
            self.run.log_table(summaries.matched_bills(ready.data.joint), "tables/matched_bills")
            self._log_metrics({"data/n_matched": len(ready.data.joint.matched[0])})

    def trace(self, trace: xr.DataTree) -> None:
        """Store the draws. They are on this machine's disk before MLflow is asked to take them.

        Raises
        ------
        TrackingError
            When MLflow does not take them; the error says where the file is.
        """
        save_trace(self.run, trace)

    def after_sampling(self, finished: ReportInput) -> str:
        """Verdict, metrics, tables, figures and the report; returns where the report is."""
        run, verdict, comparison = self.run, finished.verdict, finished.comparison
        tags = {"verdict": verdict.status, "verdict.reasons": "; ".join(verdict.reasons)}
        metrics = finished.diagnostics.metrics(self._settings.thresholds.rhat)
        if comparison is not None:
            tags["sign_flip"] = str(comparison.sign_flip).lower()
            metrics |= {
                "abs_r": comparison.abs_r,
                "baseline/r": comparison.r,
                "baseline/spearman": comparison.spearman,
                "baseline/n_common": comparison.n_common,
            }
        tables = finished.tables
        if tables.variance is not None:
            metrics["fit/icc"] = float(tables.variance.iloc[0]["share"])
        metrics |= finished.fit or {}
        run.set_tags(tags)
        self._log_metrics(metrics)
        run.log_table(tables.ideal_points, "tables/ideal_points")
        run.log_table(tables.rollcalls, "tables/rollcalls")
        if tables.joint is not None:
            run.log_table(tables.joint.scale, "tables/joint_scale")
            run.log_table(tables.joint.groups, "tables/joint_groups")
            run.log_table(tables.joint.overlap, "tables/joint_overlap")
            run.log_table(tables.joint.right_of, "tables/right_of")
            run.log_table(tables.joint.dif, "tables/dif")
            run.log_table(tables.joint.chains, "tables/chains")
            if finished.beside is not None:
                run.log_table(finished.beside.coefficients, "tables/linked_beside")
            metrics = tables.joint.metrics
            self._log_metrics(metrics)
        run.log_table(finished.diagnostics.table, "tables/diagnostics")
        run.log_table(posterior_summary(finished.trace), "tables/summary")
        pngs = images(figures(finished))
        self._log_files({f"plots/{name}.png": data for name, data in pngs.items()})
        page = build(finished, pngs)
        run.log_text(page, "report/index.html")
        return run.artifact_location("report/index.html")

    def timings(self, seconds: dict[str, float]) -> None:
        """Seconds by step, and everything measured once more as ``metrics.json``."""
        self._log_metrics(
            {
                name if name in _HEADLINE_SECONDS else f"time/{name}": value
                for name, value in seconds.items()
            }
        )
        self.run.log_text(json.dumps(self._metrics, indent=2, sort_keys=True), "metrics.json")

    def _log_metrics(self, metrics: dict[str, float]) -> None:
        self._metrics |= metrics
        self.run.log_metrics(metrics)

    def _log_files(self, files: dict[str, bytes]) -> None:
        for path, data in files.items():
            self.run.log_bytes(data, path)


def _dropped(log: FilterLog) -> dict[str, int]:
    reasons = ("duplicate", "minority", "min_votes", "independent")
    return {reason: log.count(reason) for reason in reasons}


def _filter_record(log: FilterLog) -> dict[str, object]:
    return {**asdict(log), "dropped": _dropped(log)}
