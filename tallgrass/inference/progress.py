"""How far the chains of a sampler are: one record for every sampler and for all who look on."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChainProgress:
    """How far one chain is.

    Parameters
    ----------
    chain : int
        Number of the chain, from 0.
    finished, total : int
        Draws done and draws to do, tuning draws included.
    tuning : bool
        Whether the chain is still tuning.
    divergences : int
        Divergent draws so far.
    step_size : float or None
        Step size of the sampler. None where the sampler has none; a value that is not finite
        becomes None.
    """

    chain: int
    finished: int
    total: int
    tuning: bool
    divergences: int
    step_size: float | None

    def __post_init__(self) -> None:
        if self.step_size is not None and not math.isfinite(self.step_size):
            object.__setattr__(self, "step_size", None)


Observer = Callable[[tuple[ChainProgress, ...]], None]
