"""One run as a process: its status file, process title, live metrics, and what it leaves behind."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from setproctitle import getproctitle, setproctitle

from tallgrass.inference.progress import ChainProgress
from tallgrass.tracking.lifecycle.folders import (
    DRAWS,
    SPOOL,
    Status,
    run_folder,
    waiting,
    write_status,
)
from tallgrass.tracking.lifecycle.owner import this_owner, this_process
from tallgrass.tracking.lifecycle.owning import owned

STATUS_SECONDS = 1.0
LIVE_SECONDS = 2.5
_LAST_WORD_SECONDS = 2.0  # how long the end of a run waits for a server to take live metrics

Live = Callable[[Mapping[str, float], int], None]
logger = logging.getLogger(__name__)


class Life:
    """A run that is under way.

    The sampler's thread only leaves the progress here. One thread of our own writes it to the disk
    and another sends it to MLflow, so neither a slow disk nor a slow server delays sampling.

    Parameters
    ----------
    state : Path
        From :func:`tallgrass.tracking.lifecycle.state_dir`.
    status : Status
        What is known at the start.
    """

    def __init__(self, state: Path, status: Status) -> None:
        self._state, self.status = state, status
        self.kept_in_mlflow = False
        self._live: Live | None = None
        self._began = self._sampling_since = time.monotonic()
        self._progress: Sequence[ChainProgress] = ()
        self._over = threading.Event()
        self._writing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._owned = ExitStack()

    @property
    def folder(self) -> Path:
        """The run's folder on this machine."""
        return run_folder(self._state, self.status.run_id)

    @property
    def draws_folder(self) -> Path:
        """Where draws are kept while they are made."""
        return self.folder / DRAWS

    @property
    def spool_folder(self) -> Path:
        """Where writes wait for MLflow."""
        return self.folder / SPOOL

    def observe(self, chains: Sequence[ChainProgress], /) -> None:
        """Take the progress of sampling."""
        self._progress = tuple(chains)

    def phase(self, phase: str, message: str = "") -> None:
        """Say what the run does now; it is written down at once."""
        if phase == "sampling":
            self._sampling_since, self._progress = time.monotonic(), ()
        self.status.phase = phase
        self.status.message = message or self.status.message
        self._write()

    def begin(self, run_id: str, live: Live | None = None) -> None:
        """Own the run, begin to write its status, and to tell its progress to ``live``.

        ``live`` takes metrics and a step; its errors are kept from everybody.

        Raises
        ------
        SpecError
            When another process is at work on the run.
        """
        self._owned.enter_context(owned(run_folder(self._state, run_id)))
        self.status.run_id, self._live = run_id, live
        self._write()
        self._threads.append(threading.Thread(target=self._write_on, daemon=True))
        if live is not None:
            self._threads.append(threading.Thread(target=self._tell_on, daemon=True))
        for thread in self._threads:
            thread.start()

    def end(self, phase: str, message: str = "") -> None:
        """Stop writing, and own the run no longer; the last status stays to be seen for a day."""
        self._over.set()
        if not self.status.run_id:
            return
        with self._owned:
            self._end(phase, message)

    def _end(self, phase: str, message: str) -> None:
        for thread in self._threads:
            thread.join(_LAST_WORD_SECONDS)
        if self.kept_in_mlflow or not self.draws_folder.exists():
            shutil.rmtree(self.draws_folder, ignore_errors=True)
        left = waiting(self.folder)
        if left:
            phase, message = "undelivered", f"{left} writes wait for MLflow: tallgrass recover"
        else:
            shutil.rmtree(self.spool_folder, ignore_errors=True)
        self.phase(phase, message)

    def _write_on(self) -> None:
        while not self._over.wait(STATUS_SECONDS):
            self._write()

    def _write(self) -> None:
        """Write the status; an error of the disk must not stop sampling."""
        with self._writing:
            self._update()
            try:
                write_status(self.folder, self.status)
                setproctitle(self._title())
            except (OSError, ValueError) as error:
                logger.debug("cannot write the status of the run: %s", error)

    def _update(self) -> None:
        status, now = self.status, time.monotonic()
        status.updated_at = time.time()
        status.elapsed_s = round(now - self._began, 1)
        chains = self._progress
        if not chains:
            return
        status.chains = list(chains)
        done, total = sum(c.finished for c in chains), sum(c.total for c in chains)
        status.share = round(done / max(1, total), 4)
        status.divergences = sum(c.divergences for c in chains)
        passed = now - self._sampling_since
        sampling = status.phase == "sampling" and done > 0
        status.eta_s = round(passed / done * (total - done), 1) if sampling else None

    def _title(self) -> str:
        """What ``ps`` shows: ``tallgrass: house hierarchical nutpie 45% 0 div``."""
        status = self.status
        if status.phase == "sampling":
            return f"tallgrass: {status.name} {status.share:.0%} {status.divergences} div"
        return f"tallgrass: {status.name} {status.phase}"

    def _tell_on(self) -> None:
        last = -1
        while not self._over.wait(LIVE_SECONDS):
            chains = self._progress
            done = sum(chain.finished for chain in chains)
            if self._live is None or done <= last:
                continue
            last = done
            try:
                self._live(live_metrics(chains) | _convergence(self.draws_folder), done)
            except Exception as error:  # whatever a server does, sampling goes on
                logger.debug("cannot tell MLflow how far the run is: %s", error)


def live_metrics(chains: Sequence[ChainProgress]) -> dict[str, float]:
    """Metrics ``live/chain_0/draws``, ``.../divergences`` and ``.../step_size`` of every chain.

    ``live/progress`` is the share of all draws that are done, ``live/divergences`` their number.
    """
    done, total = sum(c.finished for c in chains), sum(c.total for c in chains)
    metrics = {
        # MLflow's page Compare opens on the metric that was logged first.
        "live/divergences": float(sum(c.divergences for c in chains)),
        "live/progress": done / max(1, total),
    }
    for number, chain in enumerate(chains):
        metrics[f"live/chain_{number}/draws"] = float(chain.finished)
        metrics[f"live/chain_{number}/divergences"] = float(chain.divergences)
        if chain.step_size is not None and chain.step_size > 0:
            metrics[f"live/chain_{number}/step_size"] = float(chain.step_size)
    return metrics


def _convergence(draws: Path) -> dict[str, float]:
    """Metrics ``live/rhat_max`` and ``live/ess_min`` of the draws so far, once there are enough."""
    from tallgrass.inference.running import (
        running_convergence,
    )  # SciPy, which status files need not

    running = running_convergence(draws)
    if running is None:
        return {}
    return {"live/rhat_max": running.rhat_max, "live/ess_min": running.ess_min}


@contextmanager
def alive(
    state: Path, name: str, store: str, data_dir: Path, repeatable: bool = False
) -> Iterator[Life]:
    """Keep the status of a run, from when it has an id (``begin``) until after it is closed.

    Parameters
    ----------
    state : Path
        From :func:`tallgrass.tracking.lifecycle.state_dir`.
    name : str
        Name of the run.
    store : str
        The tracking URI, its passwords masked.
    data_dir : Path
        Where sessions are that are given by their bare name.
    repeatable : bool
        Whether the run is computed in moments from its spec, so that nothing of it is kept on disk.
    """
    pid, started = this_process()
    status = Status(
        run_id="",
        name=name,
        pid=pid,
        pid_started=started,
        pgid=os.getpgrp() if hasattr(os, "getpgrp") else pid,
        phase="preparing",
        started_at=time.time(),
        updated_at=time.time(),
        tracking_uri=store,
        working_dir=str(Path.cwd()),
        data_dir=str(data_dir.absolute()),
        repeatable=repeatable,
        owner=this_owner(),
    )
    life = Life(state, status)
    before = getproctitle()
    phase, message = "finished", ""
    try:
        yield life
    except KeyboardInterrupt as error:
        phase, message = "killed", str(error) or "interrupted"
        raise
    except BaseException as error:
        phase, message = "failed", str(error)[:500]
        raise
    finally:
        life.end(phase, message)
        setproctitle(before)
