"""Draws of nutpie's while it samples: looked at every second or two, kept, and left alone."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.inference.arrow import column_values
from tallgrass.inference.draws import STATISTICS, DrawSink

_LEAST_SECONDS = 1.5  # with the poll and the look itself, draws are on disk within two seconds
# Looking has every chain copy all draws that it made so far: at most this share of the time passed.
# What is done with new draws costs the same whenever it is done, so it does not count: pauses that
# grew with it would bring more draws, and grow again.
_SHARE = 0.025
_POLL_SECONDS = 0.25  # how soon a request to stop is noticed


def pause(copied_s: float, passed_s: float) -> float:
    """Seconds until the next look, so that all looks together stay within their share.

    The first draws are few and quickly copied: what they leave of the share is for the last ones.

    Parameters
    ----------
    copied_s : float
        Seconds that all looks so far took.
    passed_s : float
        Seconds since sampling began.
    """
    return max(_LEAST_SECONDS, copied_s / _SHARE - passed_s)


class Follower:
    """Hands new draws of a running sampler to a sink.

    Parameters
    ----------
    running : object
        nutpie's background sampler, with a raw trace.
    sink : DrawSink
        Where draws go.
    """

    def __init__(self, running: Any, sink: DrawSink) -> None:
        self._running, self._sink = running, sink
        self._taken: dict[int, int] = {}
        self._pause = _LEAST_SECONDS
        self._began = self._at = time.monotonic()
        self._copied_s = 0.0

    def look(self) -> None:
        """Take new draws where it is time to."""
        if self._sink.broken or time.monotonic() - self._at < self._pause:
            return
        began = time.monotonic()
        draws, statistics = self._running.inspect().get_arrow_trace()
        self._copied_s += time.monotonic() - began
        for chain, (drawn, told) in enumerate(zip(draws, statistics, strict=True)):
            first = self._taken.get(chain, 0)
            n = min(drawn.num_rows, told.num_rows) - first
            if n > 0:
                self._take(chain, drawn.slice(first, n), told.slice(first, n))
                self._taken[chain] = first + n
        self._at = time.monotonic()
        self._pause = pause(self._copied_s, self._at - self._began)

    def _take(self, chain: int, drawn: Any, told: Any) -> None:
        stats = {
            name: column_values(told, name) for name in told.column_names if name in STATISTICS
        }
        variables: Mapping[str, np.ndarray] = {
            name: column_values(drawn, name) for name in drawn.column_names
        }
        self._sink.append(chain, column_values(told, "tuning").astype(bool), variables, stats)

    def finish(self, tree: xr.DataTree, tune: int) -> None:
        """Take the last draws from the trace of a sampler that has made them all."""
        groups = {name: node.to_dataset() for name, node in tree.children.items()}
        for chain in range(groups["posterior"].sizes["chain"]):
            first = self._taken.get(chain, 0)
            for group, start in (("warmup_sample_stats", first), ("sample_stats", first - tune)):
                if group not in groups:
                    continue
                warmup = group.startswith("warmup")
                rows = slice(max(0, start), None)
                told = groups[group].isel(chain=chain, draw=rows)
                drawn = groups["posterior"].isel(chain=chain, draw=rows)
                n = told.sizes["draw"]
                self._sink.append(
                    chain,
                    np.full(n, warmup),
                    # Of tuning draws the statistics alone are kept.
                    {
                        str(name): np.empty((n, 0)) if warmup else x.values
                        for name, x in drawn.data_vars.items()
                    },
                    {str(name): x.values for name, x in told.data_vars.items()},
                )


def wait_for(running: Any, follower: Follower | None, stopped: Callable[[], bool]) -> Any:
    """The raw trace of a sampler when it has ended; the follower looks on the way.

    Raises
    ------
    KeyboardInterrupt
        When ``stopped`` says so.
    """
    while True:
        try:
            return running.wait(timeout=_POLL_SECONDS)
        except TimeoutError:
            if stopped():
                raise KeyboardInterrupt("asked to stop") from None
        if follower is not None:
            follower.look()
