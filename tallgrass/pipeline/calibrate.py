"""One calibration, from a CalibrationSpec to a finished MLflow run."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallgrass.calibration_spec import CalibrationSpec
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataTree

    from tallgrass.calibration import Agreement
    from tallgrass.diagnostics import Diagnostics, Verdict


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """What one calibration gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url : str
        Where it is in MLflow.
    verdict : Verdict
        Pass, fail or unresolved, with every check; of a point estimate, whether it converged.
    items, users : DataFrame
        One row an item, one row a user (see :class:`tallgrass.calibration.Calibrated`).
    diagnostics : Diagnostics or None
        Convergence diagnostics of draws; None for point estimates.
    trace : DataTree
        The draws; of a point estimate, the estimates.
    drift : DataFrame or None
        The anchors against what they were; None without anchors.
    agreement : Agreement or None
        This calibration beside other methods; None when it was compared with none.
    purified : tuple of str
        Anchors that were dropped because they drifted.
    published : int
        Items written to the database.
    metrics, timings : dict of str to float
        Every figure under its metric name, and seconds by step.
    report_path : str
        Where the HTML report was stored.
    """

    run_id: str
    experiment_id: str
    ui_url: str
    verdict: "Verdict"
    items: "DataFrame"
    users: "DataFrame"
    diagnostics: "Diagnostics | None"
    trace: "DataTree"
    drift: "DataFrame | None"
    agreement: "Agreement | None"
    purified: tuple[str, ...]
    published: int
    metrics: dict[str, float]
    timings: dict[str, float]
    report_path: str


def calibrate(spec: CalibrationSpec, settings: Settings | None = None) -> CalibrationResult:
    """Calibrate the items of some responses and keep everything as one MLflow run.

    Parameters
    ----------
    spec : CalibrationSpec
        Responses, anchors, engine, what to compare with, whether to publish.
    settings : Settings, optional
        Addresses and thresholds; read from the environment and ``.env`` without it.

    Raises
    ------
    TallgrassError
        When the responses, the parameters or the MLflow store cannot be used. Nothing is written
        then.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.
    """
    began = time.perf_counter()
    from tallgrass.pipeline.calibrate_steps import run_steps

    return run_steps(spec, settings or load_settings(), began)
