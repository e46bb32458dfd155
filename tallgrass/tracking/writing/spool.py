"""Writes that MLflow could not take, kept in a folder in their order and delivered later."""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError
from tallgrass.tracking.store import brief
from tallgrass.tracking.writing.operations import Operation, may_pass, perform

if TYPE_CHECKING:
    from mlflow import MlflowClient

_RETRY_SECONDS = 2.0  # between attempts to deliver
_BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}

logger = logging.getLogger(__name__)


class Spool:
    """The writes to one run, each delivered at once or, in trouble, kept until MLflow takes it.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    run_id : str
        The run.
    folder : Path
        Where writes wait; made when the first one has to.
    """

    def __init__(self, client: "MlflowClient", run_id: str, folder: Path) -> None:
        self._client, self._run_id, self.folder = client, run_id, folder
        self._tried = float("-inf")

    def __len__(self) -> int:
        return len(self._files())

    def write(self, operation: Operation, base: Path) -> None:
        """Deliver a write, after those that wait; where that fails, keep it.

        Raises
        ------
        MlflowException
            When the request itself is wrong.
        OSError
            When the folder cannot be written either.
        """
        if len(self):
            self._keep(operation, base)
            if time.monotonic() - self._tried > _RETRY_SECONDS:
                self.deliver()
            return
        try:
            with _brief_retries():
                perform(self._client, self._run_id, operation, base)
        except Exception as error:
            if not may_pass(error):
                raise
            logger.warning(
                "MLflow does not take what is written (%s); it is kept in %s until it does",
                brief(error),
                self.folder,
            )
            self._tried = time.monotonic()
            self._keep(operation, base)

    def deliver(self, patience: float = 0.0) -> bool:
        """Try to deliver all that waits, again and again for ``patience`` seconds.

        Returns
        -------
        bool
            Whether nothing waits any more.

        Raises
        ------
        MlflowException
            When MLflow refuses a write for good.
        """
        until = time.monotonic() + patience
        while True:
            if self._deliver_once():
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_RETRY_SECONDS, left))

    def _deliver_once(self) -> bool:
        for file in self._files():
            operation: Operation = json.loads(file.read_text("utf-8"))
            try:
                with _brief_retries():
                    perform(self._client, self._run_id, operation, self.folder)
            except Exception as error:
                self._tried = time.monotonic()
                if not may_pass(error):
                    raise
                return False
            # The write first, its file after: what was delivered twice is the same as once.
            file.unlink()
            if operation["kind"] == "artifact":
                shutil.rmtree((self.folder / operation["file"]).parent, ignore_errors=True)
        return True

    def _keep(self, operation: Operation, base: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 1
        kept = dict(operation)
        if operation["kind"] == "artifact":
            # In a folder of its own: an artifact has the name of its file.
            place = self.folder / f"{number:06d}"
            place.mkdir(exist_ok=True)
            name = Path(operation["file"]).name
            shutil.copyfile(base / operation["file"], place / name)
            kept["file"] = f"{place.name}/{name}"
        beside = self.folder / f"{number:06d}.new"
        beside.write_text(json.dumps(kept), "utf-8")
        beside.replace(beside.with_suffix(".json"))

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.json"))


def deliver(run_id: str, folder: Path) -> int:
    """Deliver what waits in a folder for a run; returns how many writes were delivered.

    Raises
    ------
    TrackingError
        When MLflow does not take them.
    """
    from mlflow.exceptions import MlflowException

    from tallgrass.tracking.store import client

    spool = Spool(client(), run_id, folder)
    before = len(spool)
    try:
        complete = spool.deliver()
    except MlflowException as error:
        raise TrackingError(
            f"MLflow refuses what waits for run {run_id} ({brief(error)})"
        ) from error
    if not complete:
        mend = "check that its server runs, and try again"
        raise TrackingError(f"MLflow does not take what waits for run {run_id}", None, mend)
    return before


@contextmanager
def _brief_retries() -> Iterator[None]:
    """Have MLflow ask a server twice, not for minutes, unless the user has chosen."""
    ours = {name: value for name, value in _BRIEF.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
