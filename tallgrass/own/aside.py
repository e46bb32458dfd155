"""The recording process, seen by the user's, which neither waits for it nor fails with it.

It is started when sampling first begins (:func:`begun`). Each sampling sends it two lines of JSON:
one from which it opens the MLflow run, and one that says where the draws are, or that there are
none. For each run it answers with a line. When its input ends, the user's process is over, and runs
without draws become KILLED. What it does is in ``own.recording``.
"""

import atexit
import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tallgrass.errors import first_line

if TYPE_CHECKING:
    import xarray as xr

    from tallgrass.own.description import Description

DRAWS = "idata.nc"
_PATIENCE_S = 20.0  # after which the user is told what the script waits for
FOLLOWED = ("MLFLOW_", "TALLGRASS_")  # beginnings of variables that runs depend on

logger = logging.getLogger(__name__)


class Sidecar:
    """The recording process of this process, and what it was given to record.

    Parameters
    ----------
    folder : Path
        Where draws are handed over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._owner, self._jobs = folder, os.getpid(), 0
        self._said = folder / "said.txt"
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_RUN_ID"}
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                # -P: a file of the user's must not stand in for a module.
                [sys.executable, "-P", "-m", "tallgrass.own.recording"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environment,
                # Ctrl-C is for the user's process. A session of its own would protect too, but
                # Linux divides the processor among sessions first, and niceness would not count.
                process_group=0,
            )
        self._silent: dict[int, bool] = {}
        self._writing = threading.Lock()  # several threads may sample

    @property
    def is_ours(self) -> bool:
        """Whether it runs, and this process is the one that started it, not a fork."""
        return self._owner == os.getpid() and self._process.poll() is None

    def begin(self, start: Mapping[str, object], silent: bool) -> "Job":
        """Have a run opened; see :func:`begun`."""
        self._jobs += 1
        self._silent[self._jobs] = silent
        job = Job(self._jobs, self)
        self.tell({"job": job.number, "start": start})
        return job

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a line; where the process is gone, :meth:`finish` says why."""
        pipe: IO[str] | None = self._process.stdin
        try:
            assert pipe is not None  # it was started with one
            with self._writing:
                pipe.write(json.dumps(message) + "\n")
                pipe.flush()
        except (OSError, ValueError):
            logger.debug("the recording process is gone", exc_info=True)

    def finish(self) -> list[str]:
        """Wait until everything is recorded; ids of the runs. What was not is a warning."""
        # A fork of the user's process may hold the pipe open, so its end alone would not do.
        self.tell({"finish": True})
        try:
            said = answers_of(self._output())
        except (OSError, ValueError):
            said = {}
        failed = False
        for job, silent in self._silent.items():
            answer = said.get(job, {"error": self._last_words()})
            if "error" in answer:
                failed = True
                if not silent:
                    self._warn(job, answer["error"])
        if not failed:
            shutil.rmtree(self.folder, ignore_errors=True)
        return [said[job]["run_id"] for job in sorted(said) if said[job].get("run_id")]

    def _output(self) -> str:
        try:
            return self._process.communicate(timeout=_PATIENCE_S)[0]
        except subprocess.TimeoutExpired:
            if not all(self._silent.values()):
                logger.warning("autolog: waiting until the runs are recorded")
            return self._process.communicate()[0]

    def _warn(self, job: int, reason: str) -> None:
        draws = self.folder / str(job) / DRAWS
        kept = f"; record them with: tallgrass log {draws}" if draws.is_file() else ""
        logger.warning("autolog: draws were not recorded (%s)%s", reason, kept)

    def _last_words(self) -> str:
        try:
            lines = self._said.read_text("utf-8", "replace").split("\n")
        except OSError:
            lines = []
        words = [line for line in lines if line.strip()]
        return words[-1] if words else f"exit status {self._process.returncode}"


def answers_of(text: str) -> dict[int, dict[str, Any]]:
    r"""The answers by job; lines that are none, such as those of a library, are passed over.

    Examples
    --------
    >>> answers_of('hello\n{"job": 1, "run_id": "3f2a"}\n')
    {1: {'job': 1, 'run_id': '3f2a'}}
    """
    answers = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            answer = json.loads(line)
            answers[int(answer["job"])] = answer
    return answers


class Job:
    """One sampling that is being recorded."""

    def __init__(self, number: int, sidecar: Sidecar) -> None:
        self.number, self._sidecar = number, sidecar

    def drawn(
        self,
        trace: "xr.DataTree",
        description: "Description | None",
        elapsed_s: float,
        with_data: bool,
    ) -> None:
        """Hand over the draws; they are on disk when this returns."""
        folder = self._sidecar.folder / str(self.number)
        folder.mkdir()
        trace.to_netcdf(folder / DRAWS, engine="h5netcdf")
        end = {
            "draws": str(folder / DRAWS),
            "description": None if description is None else description.to_json(),
            "elapsed_s": elapsed_s,
            "with_data": with_data,
        }
        self._sidecar.tell({"job": self.number, "end": end})

    def failed(self, error: BaseException) -> None:
        """Say that there are no draws."""
        end: dict[str, object] = {"interrupted": True}
        if not isinstance(error, KeyboardInterrupt):
            end = {"error": type(error).__name__, "text": first_line(error)}
        self._sidecar.tell({"job": self.number, "end": end})


_sidecars: list[Sidecar] = []  # none, or one


def begun(start: Mapping[str, object], silent: bool) -> Job:
    """Have a run opened in the recording process; to start that costs some milliseconds.

    Parameters
    ----------
    start : mapping
        ``name``, ``params``, ``tags``; ``environment``: variables of MLflow and ours; ``uri``: the
        store; ``began``: seconds since 1970; ``join``: id of the user's run to record in, or None;
        ``parent``: id of a run whose child it becomes, or None.
    silent : bool
        Whether its errors are kept from the user.
    """
    if not _sidecars or not _sidecars[0].is_ours:
        _sidecars[:] = [Sidecar(Path(tempfile.mkdtemp(prefix="tallgrass-autolog-")))]
        atexit.register(partial(_finish_at_exit, os.getpid()))
    return _sidecars[0].begin(start, silent)


def finish_all() -> list[str]:
    """Wait until everything is recorded; the ids of the runs in their order."""
    waiting, _sidecars[:] = list(_sidecars), []
    return [run_id for sidecar in waiting for run_id in sidecar.finish()]


def _finish_at_exit(owner: int) -> None:
    if os.getpid() == owner:  # not in a fork
        finish_all()
