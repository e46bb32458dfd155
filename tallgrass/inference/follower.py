"""Copies nutpie's draws to a sink every second or two while it samples."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.inference.arrow import column_values
from tallgrass.inference.draws import STATISTICS, DrawSink

_LEAST_SECONDS = 1.0  # with the poll and two looks, draws are on disk within two seconds
# A look makes every chain copy all draws that it has made so far. All looks together may take these
# seconds, and beyond them at most this share of the time. The time that the sink needs is not
# counted: it is the same whenever draws are handed over, and pauses that grew with it would bring
# more draws and grow again.
_FREE_SECONDS = 1.5
_SHARE = 0.025
_POLL_SECONDS = 0.25  # how soon a request to stop is noticed


def pause(copied_s: float, passed_s: float) -> float:
    """Seconds until the next look, so that all looks together stay within what they may take.

    The first looks copy few draws, and come as often as they may; those of a run of very many draws
    come less and less often.

    Parameters
    ----------
    copied_s : float
        Seconds that all looks so far took.
    passed_s : float
        Seconds since sampling began.
    """
    return max(_LEAST_SECONDS, (copied_s - _FREE_SECONDS) / _SHARE - passed_s)


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
        self._n_taken: dict[int, int] = {}  # by chain
        self._pause = _LEAST_SECONDS
        self._began = self._last_look = time.monotonic()
        self._copied_s = 0.0

    def look(self) -> bool:
        """Hand new draws over, and say so, unless the last look was a moment ago."""
        if self._sink.broken or time.monotonic() - self._last_look < self._pause:
            return False
        began = time.monotonic()
        draw_batches, statistic_batches = self._running.inspect().get_arrow_trace()
        self._copied_s += time.monotonic() - began
        batches = zip(draw_batches, statistic_batches, strict=True)
        for chain, (draws, statistics) in enumerate(batches):
            first = self._n_taken.get(chain, 0)
            n = min(draws.num_rows, statistics.num_rows) - first
            if n > 0:
                self._hand_over(chain, draws.slice(first, n), statistics.slice(first, n))
                self._n_taken[chain] = first + n
        self._last_look = time.monotonic()
        self._pause = pause(self._copied_s, self._last_look - self._began)
        return True

    def enough(self) -> bool:
        """Whether the draws that were handed over pass the verdict with a margin."""
        return not self._sink.broken and self._sink.enough()

    def _hand_over(self, chain: int, draws: Any, statistics: Any) -> None:
        names = [name for name in statistics.column_names if name in STATISTICS]
        variables: Mapping[str, np.ndarray] = {
            name: column_values(draws, name) for name in draws.column_names
        }
        self._sink.append(
            chain,
            column_values(statistics, "tuning").astype(bool),
            variables,
            {name: column_values(statistics, name) for name in names},
        )

    def finish(self, tree: xr.DataTree, tune: int) -> None:
        """Hand the last draws over, from the trace of a sampler that has made all of them."""
        groups = {name: node.to_dataset() for name, node in tree.children.items()}
        for chain in range(groups["posterior"].sizes["chain"]):
            first = self._n_taken.get(chain, 0)
            for group, start in (("warmup_sample_stats", first), ("sample_stats", first - tune)):
                if group not in groups:
                    continue
                is_warmup = group.startswith("warmup")
                rows = slice(max(0, start), None)
                statistics = groups[group].isel(chain=chain, draw=rows)
                draws = groups["posterior"].isel(chain=chain, draw=rows)
                n = statistics.sizes["draw"]
                self._sink.append(
                    chain,
                    np.full(n, is_warmup),
                    # Of tuning draws only the statistics are kept.
                    {
                        str(name): np.empty((n, 0)) if is_warmup else x.values
                        for name, x in draws.data_vars.items()
                    },
                    {str(name): x.values for name, x in statistics.data_vars.items()},
                )


def wait_for(
    running: Any, follower: Follower | None, stopped: Callable[[], bool], until_enough: bool = False
) -> Any:
    """Wait for the end of a sampler and return its raw trace; meanwhile the follower looks.

    Parameters
    ----------
    until_enough : bool
        Whether to return, with None, as soon as the draws are enough.

    Raises
    ------
    KeyboardInterrupt
        When ``stopped`` returns true.
    """
    while True:
        try:
            return running.wait(timeout=_POLL_SECONDS)
        except TimeoutError:
            if stopped():
                raise KeyboardInterrupt("asked to stop") from None
        if follower is not None and follower.look() and until_enough and follower.enough():
            return None
