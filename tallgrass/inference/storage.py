"""The trace as a file: rounded where asked, chunked by entry, shuffled and compressed.

A draw is known to a few thousandths of its posterior spread at best, and a double holds it to ten
more digits, which look like noise and cannot be compressed. With ``float32`` the draws of every
entry are rounded to a power of two that is at most ``1 / 256`` of the entry's spread, and stored as
32-bit numbers, most of whose last bits are then zero. The run itself goes on with the rounded
draws, so that what it records is what anyone computes from its file.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.spec import TracePrecision
from tallgrass.inference.summary import quantiles

ATTRIBUTE = "trace_precision"
THINNED = "trace_thinned"
DRAW_GROUPS = ("posterior", "sample_stats")

_BITS = 8  # a step is at most 2^-8 of the spread of an entry
_NORMAL_IQR = 1.349  # interquartile range of a standard normal distribution
_QUARTILE_DRAWS = 1000  # enough to find the power of two below a spread
_LEAST_DRAWS = 32  # of all chains; fewer say nothing about a spread
_MANTISSA = 24  # bits of a 32-bit float
_CHUNK_VALUES = 2000  # of one chunk, at least
_MOST_CHUNK_DRAWS = 65_536
_LEAST_BYTES = 4096  # smaller arrays are not compressed
_LEVEL = 1  # of zlib; higher ones take longer for 2 % less

Floats = NDArray[np.float64]


def rounded(trace: xr.DataTree, precision: TracePrecision) -> xr.DataTree:
    """The trace as its file will hold it, its draws still doubles.

    Parameters
    ----------
    trace : DataTree
        Draws; only ``posterior`` is rounded. Statistics of the sampler (an energy of 10,000 with a
        spread of 10), data and whole numbers stay exact, and so does a variable whose values 32
        bits cannot tell apart.
    precision : {'float32', 'float64'}
        float64 changes nothing.

    Returns
    -------
    DataTree
        With the precision in its attribute ``trace_precision``.
    """
    result = trace.copy()
    result.attrs = {**trace.attrs, ATTRIBUTE: precision}
    if precision == "float32" and "posterior" in result.children:
        posterior = result["posterior"].to_dataset()
        for name in map(str, posterior.data_vars):
            if _is_draws(posterior[name]):
                values = _rounded(posterior[name].to_numpy())
                posterior[name] = posterior[name].copy(data=values)
        result["posterior"] = posterior
    return result


def file_of(trace: xr.DataTree) -> bytes | memoryview:
    """The trace as NetCDF: readable by ArviZ, xarray and whatever reads HDF5."""
    narrow = trace.attrs.get(ATTRIBUTE) == "float32"
    encoding: dict[str, dict[str, Any]] = {}
    for group in trace.subtree:
        for name, variable in group.to_dataset(inherit=False).data_vars.items():
            is_draws = narrow and group.name == "posterior" and _is_draws(variable)
            if how := _encoding(variable, is_draws):
                encoding.setdefault(group.path, {})[str(name)] = how
    content: bytes | memoryview = trace.to_netcdf(engine="h5netcdf", encoding=encoding)
    return content


def read_file(path: Path) -> xr.DataTree:
    """A trace from its file, in memory; 32-bit draws become doubles, for sums of many."""
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        trace: xr.DataTree = opened.load()
    if "posterior" in trace.children:
        posterior = trace["posterior"].to_dataset()
        narrow = [name for name, v in posterior.data_vars.items() if v.dtype == np.float32]
        if narrow:
            wide = {name: posterior[name].astype(np.float64) for name in narrow}
            trace["posterior"] = posterior.assign(wide)
    return trace


def thinned(trace: xr.DataTree, step: int) -> xr.DataTree:
    """Every ``step``-th draw of a trace; warm-up, data and attributes stay."""
    result = trace.copy()
    for name in DRAW_GROUPS:
        if name in result.children:
            dataset = result[name].to_dataset()
            if "draw" in dataset.dims:
                result[name] = dataset.isel(draw=slice(None, None, step))
    already = int(trace.attrs.get(THINNED, 1))
    result.attrs = {**trace.attrs, THINNED: already * step}
    return result


def _is_draws(variable: xr.DataArray) -> bool:
    return variable.dims[:2] == ("chain", "draw") and variable.dtype == np.float64


def _rounded(draws: Floats) -> Floats:
    """Draws of shape (chain, draw, ...), rounded where 32 bits then hold every one exactly."""
    n = draws.shape[0] * draws.shape[1]
    if n < _LEAST_DRAWS or draws.size == 0:
        return draws
    flat = np.asarray(draws).reshape(n, -1)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        some = np.ascontiguousarray(flat[:: math.ceil(n / _QUARTILE_DRAWS)].T)
        low, high = quantiles(some, (0.25, 0.75))
        spread = (high - low) / _NORMAL_IQR
        varying = np.isfinite(spread) & (spread > 0)
        step = np.exp2(np.floor(np.log2(np.where(varying, spread, 1.0))) - _BITS)
        largest = np.maximum(np.abs(flat.min(axis=0)), np.abs(flat.max(axis=0)))
        fits = (largest < step * 2.0**_MANTISSA) & (step > np.finfo(np.float32).tiny)
        if not (fits | ~varying).all() or not (largest < np.finfo(np.float32).max).all():
            return draws
        values = flat / step  # exact: a step is a power of two
        np.rint(values, out=values)
        values *= step
        # No draw becomes zero, of which somebody may take the logarithm; constants stay as well.
        # Of all others 32 bits hold every digit that is left.
        stays = (values == 0) | ~varying
        values[stays] = flat[stays].astype(np.float32)
    return values.reshape(draws.shape)


def _encoding(variable: xr.DataArray, is_draws: bool) -> dict[str, Any]:
    """How an array is written: in chunks of a few entries with all their draws, compressed."""
    how: dict[str, Any] = {}
    values = variable.to_numpy() if is_draws else None
    if values is not None and np.array_equal(values.astype(np.float32), values, equal_nan=True):
        how["dtype"] = "float32"
    if variable.dtype.kind in "biuf" and variable.nbytes >= _LEAST_BYTES:
        how |= {"zlib": True, "complevel": _LEVEL, "shuffle": True}
        if variable.dims[:2] == ("chain", "draw"):
            how["chunksizes"] = _chunks(variable.shape)
    return how


def _chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes of a chunk of draws: all draws of a few entries, whose bytes are alike."""
    chains, draws, *entries = shape
    draws = min(draws, _MOST_CHUNK_DRAWS)
    room = max(1, _CHUNK_VALUES // (chains * draws))
    sizes = []
    for size in reversed(entries):
        sizes.append(min(size, room))
        room = max(1, room // size)
    return (chains, draws, *reversed(sizes))
