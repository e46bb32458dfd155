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
    """Sample one chamber and keep everything as one MLflow run.

    Parameters
    ----------
    spec : RunSpec
        Data, model, sampler, start and baseline.
    settings : Settings, optional
        Paths, addresses and thresholds; read from the environment and ``.env`` without it.
    context : Context, optional
        What the run is part of, such as an experiment.
    votes : VoteMatrix, DataFrame or mapping, optional
        Votes in memory, in place of those of ``spec.session``: a chamber, a table as
        :meth:`tallgrass.VoteMatrix.from_frame` takes it, or ``house`` and ``senate`` for the joint
        model. A copy is kept with the run, so that it can be made again.

    Returns
    -------
    FitResult
        A run whose chains did not converge is a result too: its verdict is ``fail``.

    Raises
    ------
    TallgrassError
        When the data, the parameters or the MLflow store cannot be used. Nothing is written then.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.
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
