"""A real MLflow store on SQLite for a test, quick to get.

MLflow runs dozens of migrations on a new database. They are run once, and every test starts from
a copy of the file.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import fluent

from tallgrass.tracking.writing import ActiveRun, start_run

VARIABLES = ["TRACKING_URI", "RUN_ID", "EXPERIMENT_ID", "EXPERIMENT_NAME", "ALLOW_FILE_STORE"]
DATA = "d" * 64


@cache
def migrated() -> bytes:
    """The bytes of an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
        return path.read_bytes()


@contextmanager
def default_store(folder: Path) -> Iterator[Path]:
    """Work in ``folder``, whose mlflow.db is an empty store; nothing of the caller's is seen."""
    (folder / "mlflow.db").write_bytes(migrated())
    with bare_folder(folder):
        yield folder


@contextmanager
def bare_folder(folder: Path) -> Iterator[Path]:
    """Work in ``folder`` with no MLflow or tallgrass variable set, and forget what a test chose."""
    with pytest.MonkeyPatch.context() as patch:
        mlflow.set_tracking_uri(None)
        for name in os.environ.copy():
            if name.startswith("TALLGRASS_") or name.removeprefix("MLFLOW_") in VARIABLES:
                patch.delenv(name)
        patch.chdir(folder)
        _forget_experiment()
        yield folder
        mlflow.set_tracking_uri(None)
        _forget_experiment()


def _forget_experiment() -> None:
    """Undo ``mlflow.set_experiment``, which is for the whole process."""
    fluent._active_experiment_id = None
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def made_run(
    model: str = "hierarchical",
    sampler: str = "nutpie",
    verdict: str = "pass",
    data: str = DATA,
    metrics: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
    **params: object,
) -> str:
    """The id of a finished run, as the pipeline leaves one behind."""
    with start_run(None, f"senate {model} {sampler} pca") as run:
        given = {"session": "sample", "chamber": "senate", "model": model, "sampler": sampler}
        run.log_params({**given, "init": "pca", **params})
        run.set_tags({"verdict": verdict, "data.sha256": data, "session": "sample", **(tags or {})})
        run.log_metrics(metrics or {"rhat_max": 1.003, "ess_min": 900, "divergences": 0})
    return run.run_id


def status_of(run: ActiveRun | str) -> str:
    """MLflow's word for how a run stands."""
    run_id = run if isinstance(run, str) else run.run_id
    return str(mlflow.MlflowClient().get_run(run_id).info.status)
