"""The writes to a run as plain values, which can be performed at once or stored for later."""

import errno
import json
import random
import time
from collections.abc import Mapping
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_BATCH, _METRICS_BATCH = 100, 1000  # MLflow's limits
_DATASET_ATTEMPTS = 5
# MLflow's codes for a request that is wrong and would fail again.
_WRONG_REQUESTS = {
    "BAD_REQUEST",
    "ENDPOINT_NOT_FOUND",
    "FEATURE_DISABLED",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "NOT_IMPLEMENTED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
}

Operation = dict[str, Any]


def perform(client: "MlflowClient", run_id: str, operation: Mapping[str, Any], base: Path) -> None:
    """Perform one write.

    Parameters
    ----------
    operation : mapping
        ``kind`` (params, metrics, tags, name, dataset, artifact or end) and its values.
    base : Path
        The folder to which the path of an artifact is relative.
    """
    from mlflow.entities import Metric, Param, RunTag

    kind = operation["kind"]
    if kind == "params":
        for batch in batched(operation["values"].items(), _BATCH):
            client.log_batch(run_id, params=[Param(key, value) for key, value in batch])
    elif kind == "metrics":
        at, step = operation["at"], operation["step"]
        for batch in batched(operation["values"].items(), _METRICS_BATCH):
            metrics = [Metric(key, value, at, step) for key, value in batch]
            client.log_batch(run_id, metrics=metrics)
    elif kind == "tags":
        for batch in batched(operation["values"].items(), _BATCH):
            client.log_batch(run_id, tags=[RunTag(key, value) for key, value in batch])
    elif kind == "name":
        client.update_run(run_id, name=operation["name"])
    elif kind == "dataset":
        _log_dataset(client, run_id, operation)
    elif kind == "artifact":
        client.log_artifact(run_id, str(base / operation["file"]), operation["folder"] or None)
    elif kind == "end":
        client.set_terminated(run_id, operation["status"], operation["at"])
    else:
        raise ValueError(f"unknown kind of write: {kind}")


def is_about_the_disk(error: BaseException | None) -> bool:
    """Whether a write failed because a disk of this machine is full or cannot be written."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK:
            return True
        if "disk is full" in str(error) or "readonly database" in str(error):  # SQLite's words
            return True
        error = error.__cause__ or error.__context__
    return False


def may_pass(error: Exception) -> bool:
    """Whether a write that failed may succeed later, for example if the server was down."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code not in _WRONG_REQUESTS
    return isinstance(error, OSError)


def _log_dataset(client: "MlflowClient", run_id: str, operation: Mapping[str, Any]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

    dataset = Dataset(
        name=operation["name"],
        digest=operation["digest"],
        source_type="local",
        source=json.dumps({"uri": operation["source"]}),
        profile=json.dumps(operation["profile"]),
    )
    context = InputTag("mlflow.data.context", "sampling")
    for attempt in range(_DATASET_ATTEMPTS):
        try:
            client.log_inputs(run_id, [DatasetInput(dataset, [context])])
            return
        except MlflowException as error:
            # Two runs may insert the same new dataset at the same time.
            if "unique" not in str(error).lower() or attempt == _DATASET_ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.05, 0.3))
