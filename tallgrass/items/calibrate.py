"""One calibration, from a CalibrationSpec to a finished MLflow run."""

import time

from tallgrass.items.result import CalibrationResult
from tallgrass.items.spec import CalibrationSpec
from tallgrass.settings import Settings, load_settings


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
    from tallgrass.items.run import run_steps

    return run_steps(spec, settings or load_settings(), began)
