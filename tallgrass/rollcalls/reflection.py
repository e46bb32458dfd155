"""The direction of a second axis, which neither the votes nor the priors know.

The posterior of a model in two dimensions does not change when axis 2 is reflected:
``xi_2 -> -xi_2``, ``beta_2 -> -beta_2``. A chain stays on the side where it began, and sides may
differ between chains that begin at random. Reflecting a whole chain is therefore exact.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AXIS_2 = "start_score_2"  # the positions that give the direction, in the trace's constant data
_REFLECTED = ("xi_2", "beta_2")


def reflected_alike(posterior: xr.Dataset, scores: Floats) -> xr.Dataset:
    """The draws with axis 2 of every chain in the direction of the scores.

    Parameters
    ----------
    posterior : Dataset
        Draws with xi_2 (chain, draw, legislator) and beta_2 (chain, draw, rollcall).
    scores : ndarray, shape (n_legislators,)
        Positions on axis 2 at the start.
    """
    means = posterior["xi_2"].mean("draw").to_numpy()
    sign = xr.DataArray(np.where(means @ scores < 0, -1.0, 1.0), dims="chain")
    if (sign > 0).all():
        return posterior
    turned = {
        name: (posterior[name] * sign).transpose(*posterior[name].dims) for name in _REFLECTED
    }
    return posterior.assign(turned)


def aligned(posterior: xr.Dataset, constants: Mapping[str, tuple[str, Any]]) -> xr.Dataset:
    """The draws as they came, or, of a model in two dimensions, reflected alike."""
    if AXIS_2 not in constants:
        return posterior
    return reflected_alike(posterior, np.asarray(constants[AXIS_2][1]))
