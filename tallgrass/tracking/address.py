"""The address of the MLflow store in use, known without MLflow, whose import takes seconds."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

DATABASE = "mlflow.db"  # MLflow's default store
ARTIFACTS = "mlruns"  # and the folder of its artifacts
_VARIABLE = "MLFLOW_TRACKING_URI"
_READABLE = ("sqlite", "postgresql")  # databases whose tables are read directly


def in_use() -> str:
    """The tracking URI as ``mlflow.get_tracking_uri`` gives it.

    The path of the default store is given as it is, where MLflow would encode it.
    """
    if "mlflow" in sys.modules:
        import mlflow

        return str(mlflow.get_tracking_uri())
    if uri := os.environ.get(_VARIABLE):
        return uri
    if stale_experiments():
        return Path(ARTIFACTS).absolute().as_uri()
    return f"sqlite:///{Path(DATABASE).absolute()}"


def choose(uri: str) -> None:
    """Use the store of this URI from now on, in this process and those that it starts."""
    if "mlflow" in sys.modules:
        import mlflow

        mlflow.set_tracking_uri(uri)
    else:
        os.environ[_VARIABLE] = uri  # where MLflow looks once it is imported


def is_chosen() -> bool:
    """Whether somebody named the store; it is the default one otherwise."""
    return bool(os.environ.get(_VARIABLE))  # also set by mlflow.set_tracking_uri


def scheme_of(uri: str) -> str:
    """The kind of store: sqlite, postgresql, http, and so on."""
    return urlsplit(uri).scheme.partition("+")[0]


def readable(uri: str) -> bool:
    """Whether a store is a database whose tables can be read directly."""
    by_workspace = os.environ.get("MLFLOW_ENABLE_WORKSPACES", "").lower() in ("1", "true")
    return scheme_of(uri) in _READABLE and not by_workspace


def stale_experiments() -> list[Path]:
    """The experiments of an old MLflow file store, which MLflow prefers to the default store."""
    paths = Path(ARTIFACTS).glob("*/meta.yaml")
    return sorted(path for path in paths if path.parent.name.isdigit())


def local_path(artifact_uri: str) -> Path | None:
    """The folder of artifacts on this machine; None where they are elsewhere."""
    if "://" not in artifact_uri and not artifact_uri.startswith("file:"):
        # A path, in which # and ? are letters like others; but a scheme without slashes is none.
        return None if ":" in artifact_uri.partition("/")[0] else Path(artifact_uri)
    root = urlsplit(artifact_uri)
    return Path(unquote(root.path)) if root.scheme == "file" else None
