"""Keep writes that MLflow does not take in a folder, in order, and deliver them later."""

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
from tallgrass.tracking.checks import LOGIN, brief, wants_login
from tallgrass.tracking.writing.operations import Operation, is_about_the_disk, may_pass, perform

if TYPE_CHECKING:
    from mlflow import MlflowClient

_RETRY_SECONDS = 2.0  # between attempts to deliver
_BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}

logger = logging.getLogger(__name__)


class Spool:
    """The writes to one run, delivered at once or, if that fails, kept until MLflow takes them.

    Parameters
    ----------
    client : MlflowClient
        A client of the store.
    run_id : str
        The run.
    folder : Path
        The folder of the waiting writes, created with the first one.
    """

    def __init__(self, client: "MlflowClient", run_id: str, folder: Path) -> None:
        self._client, self._run_id, self.folder = client, run_id, folder
        self._tried = float("-inf")
        self.trouble: Exception | None = None  # why the last attempt to deliver failed

    def __len__(self) -> int:
        return len(self._files())

    def write(self, operation: Operation, base: Path) -> None:
        """Deliver a write after the waiting ones; if that fails, keep it.

        Raises
        ------
        MlflowException
            When the request itself is wrong.
        OSError
            When the folder cannot be written.
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
                "MLflow does not take a write (%s%s); writes are kept in %s until it does",
                brief(error),
                f": {LOGIN}" if wants_login(error) else "",
                self.folder,
            )
            self._tried = time.monotonic()
            self._keep(operation, base)

    def deliver(self, patience: float = 0.0) -> bool:
        """Try to deliver all waiting writes, repeatedly for ``patience`` seconds.

        Returns
        -------
        bool
            Whether all were delivered.

        Raises
        ------
        MlflowException
            When MLflow refuses a write finally.
        """
        deadline = time.monotonic() + patience
        while True:
            if self._deliver_once():
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            time.sleep(min(_RETRY_SECONDS, remaining))

    def _deliver_once(self) -> bool:
        for file in self._files():
            operation: Operation = json.loads(file.read_text("utf-8"))
            try:
                with _brief_retries():
                    perform(self._client, self._run_id, operation, self.folder)
            except Exception as error:
                self._tried, self.trouble = time.monotonic(), error
                if not may_pass(error):
                    raise
                return False
            # The file goes after the write, because writing twice has the same result as once.
            file.unlink()
            if operation["kind"] == "artifact":
                shutil.rmtree((self.folder / operation["file"]).parent, ignore_errors=True)
        return True

    def _keep(self, operation: Operation, base: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 1
        stored = dict(operation)
        if operation["kind"] == "artifact":
            # Each artifact needs its own folder, because its file name is that of the artifact.
            artifact_folder = self.folder / f"{number:06d}"
            artifact_folder.mkdir(exist_ok=True)
            name = Path(operation["file"]).name
            shutil.copyfile(base / operation["file"], artifact_folder / name)
            stored["file"] = f"{artifact_folder.name}/{name}"
        new_file = self.folder / f"{number:06d}.new"
        new_file.write_text(json.dumps(stored), "utf-8")
        new_file.replace(new_file.with_suffix(".json"))

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.json"))


def deliver(run_id: str, folder: Path) -> int:
    """Deliver the writes that wait in a folder for a run, and return their number.

    Raises
    ------
    TrackingError
        When MLflow does not take them.
    """
    from mlflow.exceptions import MlflowException

    from tallgrass.tracking.store import client

    spool = Spool(client(), run_id, folder)
    n_waiting = len(spool)
    try:
        complete = spool.deliver()
    except MlflowException as error:
        raise TrackingError(
            f"MLflow refuses what waits for run {run_id} ({brief(error)})"
        ) from error
    if not complete:
        trouble = spool.trouble or OSError()
        mend = "check that its server runs, and try again"
        if is_about_the_disk(trouble):
            mend = "make room on the disk and see that it can be written, and try again"
        elif wants_login(trouble):
            mend = f"{LOGIN}, and try again"
        what = f"MLflow does not take what waits for run {run_id} ({brief(trouble)})"
        raise TrackingError(what, None, mend) from trouble
    return n_waiting


@contextmanager
def _brief_retries() -> Iterator[None]:
    """Make MLflow ask a server twice, not for minutes, unless the user set its retries."""
    settings = {name: value for name, value in _BRIEF.items() if name not in os.environ}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            os.environ.pop(name, None)
