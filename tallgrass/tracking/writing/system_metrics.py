"""MLflow's system metrics of a run, where the user switched them on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def system_metrics(run_id: str, resumed: bool = False) -> Iterator[None]:
    """Log processor, memory, disk and network while the context is open, if MLflow is told to.

    ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=true`` or ``mlflow.enable_system_metrics_logging()``
    switch it on, as for ``mlflow.start_run``. An error is a warning.

    Parameters
    ----------
    run_id : str
        The run.
    resumed : bool
        Whether to go on after the metrics that it has.
    """
    from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING

    if not MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get():
        yield
        return
    try:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(run_id, resume_logging=resumed)
        monitor.start()
    except Exception as error:
        logger.warning("no system metrics (%s)", error)
        yield
        return
    try:
        yield
    finally:
        monitor.finish()
