"""What one run leaves in MLflow, and in which order."""

import json
import math
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions, version
from pathlib import Path

import xarray as xr

from tallgrass.errors import TrackingError
from tallgrass.inference.draws import LIBRARIES
from tallgrass.inference.spec import TracePrecision
from tallgrass.inference.storage import ATTRIBUTE, file_of, rounded
from tallgrass.study.analysis import Analysis, Declaration
from tallgrass.study.run_description import description
from tallgrass.study.study import Study
from tallgrass.tracking.writing import ActiveRun

_HEADLINE_SECONDS = ("sampling_s", "total_s")
# MLflow's page of a run lists metrics in the order in which they were logged.
_FIRST = (
    "rhat_max",
    "ess_min",
    "ess_tail_min",
    "divergences",
    "ebfmi_min",
    "abs_r",
    "fit/elpd_loo",
    "ess/per_second",
)
_FIELDS = re.compile(r"^(Name|Version):(.*)$", re.MULTILINE | re.IGNORECASE)
# What only programs read is in ``metrics.json`` alone: on MLflow's pages it would be noise.
_FILE_ONLY = frozenset(
    {
        "fit/misfit_legislators_limit",
        "fit/misfit_pairs_limit",
        "fit/n_draws",
        "fit/pareto_k_above_good",
        "fit/pareto_k_good",
        "fit/reff",
        "rhat/n_constant",
    }
)


class Recorder:
    """Writes one run to MLflow, and keeps every metric for ``metrics.json``.

    Parameters
    ----------
    run : ActiveRun
        The run.
    precision : {'float32', 'float64'}
        How draws are stored.
    """

    def __init__(self, run: ActiveRun, precision: TracePrecision = "float64") -> None:
        self.run = run
        self.precision = precision
        self.metrics: dict[str, float] = {}
        self._settings: dict[str, float] = {}

    def declare(self, declaration: Declaration) -> None:
        """Params, tags, dataset and spec: a run that cannot say what it is does not start."""
        run = self.run
        run.log_params(declaration.params)
        run.set_tags(declaration.tags)
        self.settings(declaration)
        if (data := declaration.data) is not None:
            run.log_input(data.name, data.fingerprint, data.profile, data.source)
        for path, text in declaration.texts.items():
            run.log_text(text, path)
        run.log_tables(declaration.tables)

    def publication(self, declaration: Declaration) -> None:
        """What was done with the results: told after all else, so that its metrics are logged."""
        self.declare(declaration)
        self._log_metrics(declaration.metrics)

    def settings(self, declaration: Declaration) -> None:
        """Keep settings and sizes that are numbers, to be logged after what came out."""
        self._settings |= declaration.metrics

    def trace(self, trace: xr.DataTree) -> xr.DataTree:
        """Store the draws as ``trace/idata.nc``, and return them as they are stored.

        They are on this machine's disk before MLflow is asked to take them.

        Raises
        ------
        TrackingError
            When MLflow does not take them; the error says where the file is.
        """
        stored = rounded(trace, self.precision)
        folder = Path(tempfile.mkdtemp(prefix=f"tallgrass-{self.run.run_id[:8]}-"))
        path = folder / "idata.nc"
        # Made in memory first: where a disk is full, HDF5 itself does not fail but crashes.
        path.write_bytes(file_of(stored))
        try:
            self.run.log_artifact(path, "trace")
        except TrackingError as error:
            raise TrackingError(error.what, None, f"The draws are safe in {path}") from error
        shutil.rmtree(folder)
        self.run.set_tags({"trace.precision": stored.attrs[ATTRIBUTE]})
        return stored

    def conclude[A: Analysis](self, study: Study[A], analysis: A) -> str:
        """Verdict, metrics, tables, figures and the report; returns where the report is."""
        run = self.run
        tags = analysis.recorded_tags()
        told = study.told(analysis)
        fit = str(tags.get("fit", ""))
        words = description(run.run_id, run.experiment_id, analysis.verdict, told, fit)
        run.describe(words, tags)
        run.rename(study.name, study.judged_name(analysis))
        self._log_metrics(analysis.recorded_metrics() | self._settings)
        self._settings = {}
        run.log_tables(analysis.recorded_tables())
        for path, table in analysis.recorded_long_tables().items():
            run.log_long_table(table, path)
        for path, content in analysis.recorded_files().items():
            run.log_bytes(content, path)
        # Matplotlib takes a while to import, and the chains do not wait for it.
        from tallgrass.report.images import images

        pngs = images(study.figures(analysis))
        for name, png in pngs.items():
            run.log_bytes(png, f"plots/{name}.png")
        run.log_text(study.page(analysis, pngs), "report/index.html")
        return run.artifact_location("report/index.html")

    def timings(self, seconds: Mapping[str, float]) -> None:
        """Seconds by step, and everything measured once more as ``metrics.json``."""
        self._log_metrics(
            {
                name if name in _HEADLINE_SECONDS else f"time/{name}": value
                for name, value in seconds.items()
            }
        )
        finite = {name: value for name, value in self.metrics.items() if math.isfinite(value)}
        self.run.log_text(json.dumps(finite, indent=2, sort_keys=True), "metrics.json")

    def _log_metrics(self, metrics: Mapping[str, float]) -> None:
        self.metrics |= metrics
        names = [*(name for name in _FIRST if name in metrics), *metrics]
        shown = {name: metrics[name] for name in names if name not in _FILE_ONLY}
        self.run.log_metrics(shown)


def versions_of_libraries() -> dict[str, str]:
    """Versions of the libraries that sampling depends on, and of MLflow."""
    return {library: version(library) for library in (*LIBRARIES, "mlflow")}


def installed() -> str:
    """Every installed distribution, as ``name==version`` lines."""
    # To read the whole of every description takes ten times as long as its first lines.
    heads = [_head_of(distribution) for distribution in distributions()]
    pins = {head.get("name", "").lower(): head.get("version", "") for head in heads}
    return "".join(f"{name}=={number}\n" for name, number in sorted(pins.items()) if name)


def _head_of(distribution: Distribution) -> dict[str, str]:
    """Name and version of a distribution."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = text.partition("\n\n")[0]
    return {name.lower(): value.strip() for name, value in _FIELDS.findall(head)}
