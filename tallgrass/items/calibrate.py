"""One calibration, from a CalibrationSpec to a finished MLflow run."""

import time
from typing import TYPE_CHECKING

from tallgrass.items.result import CalibrationResult
from tallgrass.items.spec import CalibrationSpec
from tallgrass.settings import Settings, load_settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.study.study import Context


def calibrate(
    spec: CalibrationSpec,
    settings: Settings | None = None,
    responses: "DataFrame | None" = None,
    context: "Context | None" = None,
) -> CalibrationResult:
    """Calibrate the items of some responses and keep everything as one MLflow run.

    Parameters
    ----------
    spec : CalibrationSpec
        Responses, anchors, engine, what to compare with, whether to publish.
    settings : Settings, optional
        Addresses and thresholds; read from the environment and ``.env`` without it.
    responses : DataFrame, optional
        Answers in memory, long or wide, in place of ``spec.responses``; the index of a wide table
        is its users. A copy is kept with the run, so that it can be made again.
    context : Context, optional
        Name and tags of the run.

    Raises
    ------
    TallgrassError
        When the responses, the parameters or the MLflow store cannot be used. Nothing is written
        then.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.

    Examples
    --------
    >>> result = tg.calibrate(tg.CalibrationSpec(engine="mml"))  # of simulated answers
    >>> result.verdict.status
    'pass'
    """
    began = time.perf_counter()
    from tallgrass.items.steps import run_steps

    settings = settings or load_settings()
    if responses is None:
        return run_steps(spec, settings, began, context=context)
    from tallgrass.items.memory import given_responses

    spec, data = given_responses(spec, settings, responses)
    return run_steps(spec, settings, began, data, context)
