"""The process that records what another samples: ``python -m tallgrass.own.recording``.

Messages, a line of JSON each, are described in ``own.aside``.
"""

import contextlib
import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from tallgrass.own.aside import FOLLOWED

if TYPE_CHECKING:
    from tallgrass.tracking.writing import ActiveRun

# A tenth of the weight of the user's sampler: where it wants every core, it loses at most a tenth
# of one. More niceness would leave the recording waiting for ever on a machine that others share.
_NICE = 10


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
    under_way: dict[int, _Open] = {}
    for message in map(json.loads, told):
        if "finish" in message:
            break
        job, answer = message["job"], {"job": message["job"]}
        try:
            if "start" in message:
                under_way[job] = _Open(message["start"])
                _import_the_rest()
                continue
            if job not in under_way:  # which was answered
                continue
            opened = under_way.pop(job)
            answer["run_id"] = opened.run.run_id
            opened.end(message["end"])
        except Exception as failure:
            logging.exception("not recorded")
            answer["error"] = f"{type(failure).__name__}: {failure}"
        print(json.dumps(answer), file=answers, flush=True)
    for opened in under_way.values():
        opened.end({"interrupted": True})
    return 0


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
    with writing.start_run(experiment, start["name"], tags, state=state) as run:
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
