"""The columns of an item table that only some item models have, and the curves of such a table.

``3pl`` has ``c``, ``c_sd``, ``c_low`` and ``c_high``; ``graded`` has ``b_1``, ``b_1_sd``, ``b_2``,
``b_2_sd``, ...: its thresholds, NaN beyond those of an item. There ``b`` is their mean.
"""

import re

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tallgrass.items.curves import Curves, curves_of
from tallgrass.items.engines import ItemEstimates

Floats = NDArray[np.float64]

_Z = 1.959963984540054  # half the width of a 95 % interval of N(0, 1)
_TAILS = (0.025, 0.975)
_THRESHOLD = re.compile(r"b_\d+")


def of_draws(posterior: xr.Dataset) -> dict[str, Floats]:
    """From draws; empty of models with a and b alone."""
    columns: dict[str, Floats] = {}
    if "c" in posterior:
        draws = posterior["c"].to_numpy().reshape(-1, posterior.sizes["item"])
        low, high = np.quantile(draws, _TAILS, axis=0)
        columns |= {"c": draws.mean(axis=0), "c_sd": draws.std(axis=0, ddof=1)}
        columns |= {"c_low": low, "c_high": high}
    if "threshold_b" in posterior:
        draws = posterior["threshold_b"].to_numpy().reshape(-1, posterior.sizes["threshold"])
        items = posterior["item"].to_numpy().astype(str)
        place = thresholds_of(posterior["threshold"].to_numpy().astype(str), items)
        mean, sd = draws.mean(axis=0), draws.std(axis=0, ddof=1)
        columns |= _by_threshold(_filled(place, mean), _filled(place, sd))
    return columns


def of_estimates(estimates: ItemEstimates) -> dict[str, Floats]:
    """From point estimates; empty of models with a and b alone."""
    columns: dict[str, Floats] = {}
    if estimates.c.size:
        c, sd = estimates.c, estimates.c_sd
        columns |= {"c": c, "c_sd": sd, "c_low": np.clip(c - _Z * sd, 0, 1)}
        columns |= {"c_high": np.clip(c + _Z * sd, 0, 1)}
    if estimates.thresholds.size:
        columns |= _by_threshold(estimates.thresholds, estimates.thresholds_sd)
    return columns


def threshold_columns(items: pd.DataFrame) -> list[str]:
    """The columns of thresholds in their order."""
    return [name for name in map(str, items.columns) if _THRESHOLD.fullmatch(name)]


def curves_of_table(items: pd.DataFrame) -> Curves:
    """The response curves of an item table."""
    names = threshold_columns(items)
    b = items[names or ["b"]].to_numpy(float)
    c = items["c"].to_numpy(float) if "c" in items else None
    return curves_of(items["a"].to_numpy(float), b, c)


def thresholds_of(names: NDArray[np.str_], items: NDArray[np.str_]) -> NDArray[np.int64]:
    """Place of every threshold by item and order, -1 beyond those of an item."""
    position = {name: j for j, name in enumerate(items)}
    owner = [position[str(name).rpartition(":")[0]] for name in names]
    counts = np.bincount(owner, minlength=len(items))
    place = np.full((len(items), int(counts.max())), -1, np.int64)
    place[np.arange(place.shape[1]) < counts[:, None]] = np.argsort(owner, kind="stable")
    return place


def _filled(place: NDArray[np.int64], values: Floats) -> Floats:
    return np.where(place < 0, np.nan, values[place])


def _by_threshold(b: Floats, sd: Floats) -> dict[str, Floats]:
    columns: dict[str, Floats] = {}
    for k in range(b.shape[1]):
        columns |= {f"b_{k + 1}": b[:, k], f"b_{k + 1}_sd": sd[:, k]}
    return columns
