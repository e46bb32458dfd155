"""The posterior of a run as an MLflow model that predicts, and its alias in the model registry."""

import io
import logging
import re
import runpy
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tallgrass.tracking.store import client, translated

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "posterior"  # of the model in its run: models:/... and runs:/<id>/posterior
ALIAS = "baseline"
_WRAPPER = """

from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class _Served(PythonModel):
    def load_context(self, context):
        self._posterior = Posterior(context.artifacts["draws"])

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        return self._posterior.predict(model_input)


set_model(_Served())
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Served:
    """What an MLflow model of a run is made of.

    Parameters
    ----------
    code : Path
        A file that needs only NumPy and pandas, with a class ``Posterior``: made of the path of
        the arrays, with a method ``predict`` from DataFrame to DataFrame.
    arrays : mapping of str to ndarray
        The draws, thinned, and their names.
    example : DataFrame
        A few rows to predict.
    """

    code: Path
    arrays: Mapping[str, Any]
    example: "DataFrame"


def log_model(run_id: str, served: Served) -> str:
    """Store the model with its run; returns its address, ``models:/m-...``.

    It has a signature and an example, and loads in a process without Tallgrass.

    Raises
    ------
    TrackingError
        When MLflow does not take it.
    """
    from mlflow import pyfunc
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model, infer_signature

    tracking = client()
    source = served.code.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder, translated(f"store the model of run {run_id}"):
        draws, code, whole = (
            Path(folder) / n for n in ("draws.npz", "posterior_model.py", "model")
        )
        np.savez_compressed(draws, **served.arrays)
        code.write_text(source + _WRAPPER, encoding="utf-8")
        namespace = runpy.run_path(str(served.code), run_name="served")  # a module of ours
        expected = namespace["Posterior"](str(draws)).predict(served.example)
        experiment_id = tracking.get_run(run_id).info.experiment_id
        # mlflow.pyfunc.log_model would put the model into the experiment that is active.
        logged = tracking.create_logged_model(experiment_id, NAME, source_run_id=run_id)
        with _quiet():
            pyfunc.save_model(
                path=str(whole),
                mlflow_model=Model(
                    artifact_path=logged.artifact_location,
                    run_id=run_id,
                    model_uuid=logged.model_id,
                    model_id=logged.model_id,
                ),
                python_model=str(code),
                artifacts={"draws": str(draws)},
                signature=infer_signature(served.example, expected),
                input_example=served.example,
                pip_requirements=_requirements(),
            )
        tracking.log_model_artifacts(logged.model_id, str(whole))
        tracking.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        tracking.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return f"models:/{logged.model_id}"


def register(run_id: str, model_uri: str, name: str) -> str | None:
    """Register a model, and make it the baseline of its name; None without a registry.

    Parameters
    ----------
    name : str
        Name of the registered model; what a registry does not take becomes a hyphen.

    Returns
    -------
    str or None
        The address ``models:/<name>@baseline``.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    allowed = re.sub(r"[^\w .-]+", "-", name).strip(" -.")[:200]
    registry = client()
    try:
        with _quiet(), redirect_stdout(io.StringIO()):
            version = mlflow.register_model(model_uri, allowed, await_registration_for=0)
        registry.set_registered_model_alias(allowed, ALIAS, version.version)
    except MlflowException as error:
        logger.warning("the store has no model registry for run %s (%s)", run_id[:8], error)
        return None
    return f"models:/{allowed}@{ALIAS}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without MLflow's advice on how a model should be written."""
    mlflow_logger = logging.getLogger("mlflow")
    earlier = mlflow_logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow_logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            mlflow_logger.setLevel(earlier)


def _requirements() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")]
