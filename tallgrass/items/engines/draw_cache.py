"""Gibbs' draws on disk while they are made, so that they outlive their process."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import xarray as xr

from tallgrass.inference.draws import DrawSink
from tallgrass.inference.follower import pause


class Swept(Protocol):
    """A chain: sweeps done, tuning included, and its draws of a, b and theta so far."""

    @property
    def done(self) -> int:
        """Sweeps done; the draws of all but those of tuning are final."""

    @property
    def kept(self) -> tuple[Any, ...]:
        """Draws of a, b and theta, each (draw, entry); theta has no rows where it is not kept."""


class Keeper:
    """Hands new draws to a sink, within a small share of the time.

    What writing takes counts, for here it is the dearer part: a draw of all abilities is made in
    less than a millisecond. The last draws are left to the trace, which is stored next.

    Parameters
    ----------
    sink : DrawSink
        Where draws go.
    tune : int
        Sweeps of every chain that are not draws.
    framed : callable
        Posterior without draws -> the trace as it is kept.
    """

    def __init__(
        self, sink: DrawSink, tune: int, framed: Callable[[xr.Dataset], xr.DataTree]
    ) -> None:
        self._sink, self._tune, self._framed = sink, tune, framed
        self._names: tuple[str, ...] = ()
        self._taken: list[int] = []
        self._began = self._at = time.monotonic()
        self._spent_s = 0.0

    def look(self, chains: Sequence[Swept]) -> None:
        """Take new draws where it is time to."""
        wait = pause(self._spent_s, self._at - self._began)
        if self._sink.broken or time.monotonic() - self._at < wait:
            return
        began = time.monotonic()
        keeps_theta = len(chains[0].kept[2]) > 0
        names = ("a", "b", "theta") if keeps_theta else ("a", "b")
        if names != self._names:  # the first time, or abilities have grown too many to keep
            self._begin(chains, names)
        for number, chain in enumerate(chains):
            first, last = self._taken[number], chain.done - self._tune
            if last > first:
                draws = {
                    name: kept[first:last] for name, kept in zip(names, chain.kept, strict=False)
                }
                self._sink.append(number, np.zeros(last - first, bool), draws, {})
                self._taken[number] = last
        self._at = time.monotonic()
        self._spent_s += self._at - began

    def _begin(self, chains: Sequence[Swept], names: tuple[str, ...]) -> None:
        dims = {"a": "item", "b": "item", "theta": "user"}
        sizes = {name: kept.shape[1] for name, kept in zip(names, chains[0].kept, strict=False)}
        posterior = {
            name: (["chain", "draw", dims[name]], np.empty((len(chains), 0, size)))
            for name, size in sizes.items()
        }
        variables = {name: ((dims[name],), (size,)) for name, size in sizes.items()}
        self._sink.begin(len(chains), variables, self._framed(xr.Dataset(posterior)))
        self._names, self._taken = names, [0] * len(chains)
