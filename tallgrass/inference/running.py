"""R-hat and effective sample size of the draws so far, while a sampler is at work.

The figures are for looking on, not for a verdict: R-hat is that of some draws of every entry, and
the effective sample size is of the entries that this finds worst.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.stream import drawn

_LEAST = 20  # draws of a chain that is counted
_THINNED = 200  # draws of each chain that all entries are looked at with
_MOST_ENTRIES = 5000  # beyond these, reading would disturb the sampler
_WORST = 16


class Running(NamedTuple):
    """The largest R-hat and the smallest bulk effective sample size so far."""

    rhat_max: float
    ess_min: float


def running_convergence(folder: Path) -> Running | None:
    """How far the chains agree so far.

    Parameters
    ----------
    folder : Path
        Where draws are kept while they are made.

    Returns
    -------
    Running or None
        None before two chains have draws enough, and for models with more than 5000 entries.
    """
    chains = [rows for rows in drawn(folder) if len(rows) >= _LEAST]
    if len(chains) < 2 or chains[0].shape[1] > _MOST_ENTRIES:
        return None
    # A chain that has just begun would hide how far the others are.
    longest = max(map(len, chains))
    chains = [rows for rows in chains if 2 * len(rows) >= longest]
    n = min(map(len, chains))
    if len(chains) < 2:
        return None
    step = max(1, n // _THINNED)
    rhat = _split_rhat(np.stack([rows[:n:step] for rows in chains]))
    known = np.flatnonzero(np.isfinite(rhat))
    if known.size == 0:
        return None
    worst = known[np.argsort(rhat[known])[-_WORST:]]
    ess = rank_diagnostics(np.stack([rows[:n, worst] for rows in chains])).ess_bulk
    if not np.isfinite(ess).any():
        return None
    return Running(float(rhat[worst[-1]]), float(np.nanmin(ess)))


def _split_rhat(draws: NDArray[Any]) -> NDArray[np.float64]:
    """Split R-hat of every entry of draws with shape (chains, draws, entries).

    Equation 4 of Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), without ranks.
    """
    half = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :half], draws[:, -half:]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = half * halves.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((half - 1) / half + between / within / half))
