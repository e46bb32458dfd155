"""Seconds that each step of a run took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Seconds by step, and in all.

    Parameters
    ----------
    began : float, optional
        When the run began, as ``time.perf_counter`` counts; now without it.
    told : callable, optional
        Told the name of every step as it begins.

    Examples
    --------
    >>> clock = Clock()
    >>> with clock.timed("prepare_s"):
    ...     pass
    >>> sorted(clock.total())
    ['prepare_s', 'total_s']
    """

    def __init__(
        self, began: float | None = None, told: Callable[[str], None] | None = None
    ) -> None:
        self._began = time.perf_counter() if began is None else began
        self.seconds: dict[str, float] = {}
        self._told = told

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the step ``name``."""
        began = time.perf_counter()
        if self._told is not None:
            self._told(name)
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add seconds to the step ``name``."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def total(self) -> dict[str, float]:
        """Seconds by step, and ``total_s`` since the run began."""
        return self.seconds | {"total_s": time.perf_counter() - self._began}
