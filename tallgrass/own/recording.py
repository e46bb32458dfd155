"""The process that records what another samples: ``python -m tallgrass.own.recording``.

Messages, a line of JSON each, are described in ``own.aside``.
"""

import contextlib
import json
import logging
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from tallgrass.own.aside import FOLLOWED

if TYPE_CHECKING:
    from tallgrass.tracking.writing import ActiveRun

# A tenth of the weight of the user's sampler: where it wants every core, it loses at most a tenth
# of one. More niceness would leave the recording waiting for ever on a machine that others share.
_NICE = 10
# A run is opened this long after its sampling began, or when that is over: what is imported for it
# takes two seconds of a processor, and would slow a sampling of a few seconds by a fifth.
_OPENED_AFTER_S = 10.0


class _NoDrawsError(Exception):
    """Sampling ended without draws, which is no error of ours."""


class _Open:
    """A run that is open, until its draws come."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._start = start
        self._stack = contextlib.ExitStack()
        self.run = self._stack.enter_context(_opened(start))
        self.run.log_params(start["params"])

    def end(self, end: Mapping[str, Any]) -> None:
        """Record the draws, or how sampling ended without them."""
        with (
            contextlib.suppress(_NoDrawsError, KeyboardInterrupt),
            self._stack,
        ):  # the user knows of them
            _record(self.run, self._start["name"], end)


def main(told: IO[str], answers: IO[str]) -> int:
    """Record what the user's process samples, until it ends; returns the exit status.

    Parameters
    ----------
    told, answers : file
        Where messages come from, and where the answer for each run goes.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICE)
    logging.basicConfig(level=logging.WARNING)
    runs = _Runs(answers)
    for message in _messages(told, runs.open_those_due):
        if "finish" in message:
            break
        if "start" in message:
            runs.begin(message["job"], message["start"])
        else:
            runs.end(message["job"], message["end"])
    runs.interrupt()
    return 0


class _Runs:
    """The samplings that are under way, of which those that take long have a run."""

    def __init__(self, answers: IO[str]) -> None:
        self._answers = answers
        self._waiting: dict[int, Mapping[str, Any]] = {}  # without a run yet
        self._open: dict[int, _Open] = {}

    def begin(self, job: int, start: Mapping[str, Any]) -> None:
        """A sampling has begun."""
        self._waiting[job] = start

    def open_those_due(self) -> float | None:
        """Open runs of samplings that take long; the seconds until the next one, if any."""
        due = {job: start["began"] + _OPENED_AFTER_S for job, start in self._waiting.items()}
        for job, moment in due.items():
            if moment <= time.time() and self._opened(job):
                _import_the_rest()
        left = [moment - time.time() for job, moment in due.items() if job in self._waiting]
        return max(min(left), 0.0) if left else None

    def end(self, job: int, end: Mapping[str, Any]) -> None:
        """Record a sampling that is over, and answer."""
        opened = self._opened(job)
        if opened is None:  # which was answered
            return
        del self._open[job]
        answer = {"job": job, "run_id": opened.run.run_id}
        try:
            opened.end(end)
        except Exception as failure:
            answer["error"] = _told(failure)
        self._answer(answer)

    def interrupt(self) -> None:
        """The user's process is over: samplings under way have no draws."""
        for job in (*self._open, *self._waiting):
            if (opened := self._opened(job)) is not None:
                opened.end({"interrupted": True})

    def _opened(self, job: int) -> _Open | None:
        """The run of a sampling; None, after an answer, where it could not be opened."""
        if job in self._waiting:
            try:
                self._open[job] = _Open(self._waiting.pop(job))
            except Exception as failure:
                self._answer({"job": job, "error": _told(failure)})
        return self._open.get(job)

    def _answer(self, answer: Mapping[str, Any]) -> None:
        print(json.dumps(answer), file=self._answers, flush=True)


def _told(failure: Exception) -> str:
    logging.exception("not recorded")
    return f"{type(failure).__name__}: {failure}"


def _messages(told: IO[str], meanwhile: Callable[[], float | None]) -> Iterator[Mapping[str, Any]]:
    """The messages, as they come; ``meanwhile`` is called at the moments that it asks for."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in told:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=meanwhile())
        except queue.Empty:
            continue
        if line is None:
            return
        yield json.loads(line)


@contextlib.contextmanager
def _opened(start: Mapping[str, Any]) -> "Iterator[ActiveRun]":
    """The run: a new one, which is closed at the end, or the user's, which stays as it is."""
    from tallgrass.own.study import KIND, KIND_TAG
    from tallgrass.settings import load_settings
    from tallgrass.tracking import lifecycle, store, writing

    _follow(start["environment"])
    settings = load_settings()
    store.connect(settings.tracking_uri or start["uri"])
    tags = {**start["tags"], KIND_TAG: KIND, "model": start["name"]}
    if start["join"]:
        run = writing.joined(start["join"])
        run.set_tags(tags)
        yield run
        return
    experiment = settings.experiment
    if start["parent"]:
        tags[writing.PARENT_TAG] = start["parent"]
        experiment = writing.experiment_of(start["parent"])
    state = lifecycle.state_dir_if_any(settings.state_dir)
    with writing.start_run(
        experiment, start["name"], tags, state=state, began=start["began"]
    ) as run:
        yield run


def _follow(environment: Mapping[str, str]) -> None:
    """Take the variables of the user's process, which may have changed since this one began."""
    for name in [n for n in os.environ if n.startswith(FOLLOWED) and n not in environment]:
        del os.environ[name]
    os.environ.update(environment)


def _import_the_rest() -> None:
    """Import, while the user's process samples, what is needed afterwards."""
    import tallgrass.own.track
    import tallgrass.study.way  # noqa: F401


def _record(run: "ActiveRun", name: str, end: Mapping[str, Any]) -> None:
    from tallgrass.own.description import Description, describe_draws
    from tallgrass.own.inference_data import as_trace
    from tallgrass.own.sample import exact
    from tallgrass.own.track import conclude_draws
    from tallgrass.settings import load_settings

    if end.get("interrupted"):
        raise KeyboardInterrupt
    if "error" in end:
        raise type(end["error"], (_NoDrawsError,), {})(
            end["text"]
        )  # the tag names the user's error
    trace = as_trace(end["draws"])
    if not math.isfinite(trace.attrs["sampling_s"]):
        trace.attrs["sampling_s"] = end["elapsed_s"]
    text = end["description"]
    description = describe_draws(trace) if text is None else Description.from_json(text)
    if not end["with_data"]:
        description = replace(description, data_sha256="", n_data=0)
    conclude_draws(run, name, trace, description, exact(load_settings()), end["elapsed_s"])


def own_channel() -> IO[str]:
    """Standard output for the answers alone: what libraries print goes to standard error.

    MLflow prints the address of every run on a server.
    """
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


if __name__ == "__main__":
    sys.exit(main(sys.stdin, own_channel()))
