"""One run on roll calls, from a RunSpec to a finished MLflow run."""

import time
from typing import TYPE_CHECKING

from tallgrass.rollcalls.result import FitResult
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings, load_settings
from tallgrass.study.study import Context

if TYPE_CHECKING:
    from tallgrass.rollcalls.memory import Given


def fit(
    spec: RunSpec,
    settings: Settings | None = None,
    context: Context | None = None,
    votes: "Given | None" = None,
) -> FitResult:
    """Sample one of our models as one MLflow run.

    Parameters, result and errors are those of :func:`tallgrass.fitting.fit`, which users call and
    which also takes models of theirs.
    """
    began = time.perf_counter()
    # PyMC, MLflow and Matplotlib together take seconds to import: that is part of the run's time.
    from tallgrass.rollcalls.run import run_steps

    settings, context = settings or load_settings(), context or Context()
    if votes is None:
        return run_steps(spec, settings, began, context)
    from tallgrass.rollcalls.memory import given_votes

    spec, chambers = given_votes(spec, votes)
    return run_steps(spec, settings, began, context, chambers)
