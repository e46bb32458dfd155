"""Find chains whose positions are reversed."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def audit(
    trace: xr.DataTree, scores: Floats | None, chambers: NDArray[np.integer[Any]] | None = None
) -> tuple[int, ...] | None:
    """Chains in which a chamber is reversed against its scores; None where that cannot be told.

    Parameters
    ----------
    scores : ndarray, shape (n_legislators,)
        Position of every legislator by PCA or by a fit of the chamber alone. Without scores, or
        with draws that are not finite, there is no audit.
    chambers : ndarray of int, optional
        Chamber, or sitting, of every legislator, because the scores of each have their own scale.
    """
    xi = trace["posterior"]["xi"].to_numpy()
    if scores is None or not np.isfinite(xi).all():
        return None
    index = np.zeros(len(scores), np.int8) if chambers is None else chambers
    reflected = {
        chain
        for c in np.unique(index)
        for chain in reflected_chains(xi[:, :, index == c], scores[index == c])
    }
    return tuple(sorted(reflected))


def reflected_chains(xi: Floats, scores: Floats) -> tuple[int, ...]:
    """Chains whose mean positions (draws: chain, draw, legislator) correlate negatively."""
    means = xi.mean(axis=1)
    return tuple(c for c, mean in enumerate(means) if np.corrcoef(mean, scores)[0, 1] < 0)
