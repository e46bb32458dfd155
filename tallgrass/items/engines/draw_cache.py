"""Keep the draws of Gibbs sampling on disk during the run, so that they outlive the process."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import xarray as xr

from tallgrass.inference.draws import DrawSink
from tallgrass.inference.follower import pause
from tallgrass.items.engines.sweeps import Draws
from tallgrass.items.model import POPULATION

_NO_ENTRIES = np.empty(0)


class Chain(Protocol):
    """A chain: the number of its sweeps, tuning included, and its draws so far."""

    @property
    def done(self) -> int:
        """Sweeps done; the draws after tuning are final."""

    @property
    def draws(self) -> Draws:
        """Room for all draws; ``theta`` has no rows where it is not kept."""


class Keeper:
    """Hands new draws to a sink, within a small share of the run's time.

    The time of writing is measured, because it exceeds that of sampling: a draw of all abilities
    takes less than a millisecond. The last draws are not written, since the trace with all draws
    is stored right after.

    Parameters
    ----------
    sink : DrawSink
        Where draws are written.
    tune : int
        Tuning sweeps of every chain, which are no draws.
    framed : callable
        Posterior without draws -> the trace as it is stored.
    """

    def __init__(
        self, sink: DrawSink, tune: int, framed: Callable[[xr.Dataset], xr.DataTree]
    ) -> None:
        self._sink, self._tune, self._framed = sink, tune, framed
        self._names: tuple[str, ...] = ()
        self._written: list[int] = []  # draws by chain
        self._began = self._written_at = time.monotonic()
        self._spent_s = 0.0

    def look(self, chains: Sequence[Chain]) -> None:
        """Write new draws if enough time has passed."""
        wait = pause(self._spent_s, self._written_at - self._began)
        if self._sink.broken or time.monotonic() - self._written_at < wait:
            return
        keeps_theta = len(chains[0].draws.theta) > 0
        names: tuple[str, ...] = ("a", "b", "theta") if keeps_theta else ("a", "b")
        free = len(chains[0].draws.population) > 0
        names += POPULATION if free else ()
        if names != self._names:  # the first time, or theta has become too large to keep
            self._begin(chains, names)
        # To begin takes seconds once, on a busy machine: counted, it would put off the next look,
        # the first one with draws, by a minute.
        began = time.monotonic()
        for number, chain in enumerate(chains):
            first, last = self._written[number], chain.done - self._tune
            if last > first:
                rows = chain.draws._asdict()
                rows |= {name: chain.draws.population[:, k] for k, name in enumerate(POPULATION)}
                draws = {name: rows[name][first:last] for name in names}
                self._sink.append(number, np.zeros(last - first, bool), draws, {})
                self._written[number] = last
        self._written_at = time.monotonic()
        self._spent_s += self._written_at - began

    def _begin(self, chains: Sequence[Chain], names: tuple[str, ...]) -> None:
        dims = {"a": ("item",), "b": ("item",), "theta": ("user",)}
        variables = {
            name: (dims.get(name, ()), getattr(chains[0].draws, name, _NO_ENTRIES).shape[1:])
            for name in names
        }
        posterior = {
            name: (["chain", "draw", *of], np.empty((len(chains), 0, *shape)))
            for name, (of, shape) in variables.items()
        }
        self._sink.begin(len(chains), variables, self._framed(xr.Dataset(posterior)))
        self._names, self._written = names, [0] * len(chains)
