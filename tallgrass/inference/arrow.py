"""nutpie's draws as labelled arrays, one chain at a time, so that they are never held twice.

nutpie's own conversion copies all chains, tuning draws included, before it lets go of any.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import xarray as xr

from tallgrass.inference.draws import STATISTICS


def take_draws(results: Any, coords: dict[str, Any]) -> xr.DataTree:
    """Groups posterior, sample_stats and warmup_sample_stats of a raw trace of nutpie's.

    Chains that an interrupt left behind are filled up with NaN. The trace is used up: its memory
    is freed as the chains are copied.

    Parameters
    ----------
    results : object
        What ``nutpie.sample(..., return_raw_trace=True)`` gave.
    coords : dict
        Labels by dimension.
    """
    draws, statistics = results.get_arrow_trace()
    del results  # the lists hold the memory now
    tuning = [int(_values(batch.column("tuning")).sum()) for batch in statistics]
    kept = [batch.num_rows - n for batch, n in zip(draws, tuning, strict=True)]
    n_chains = len(draws)
    groups: dict[str, dict[str, tuple[list[str], np.ndarray]]] = {
        "posterior": {},
        "sample_stats": {},
        "warmup_sample_stats": {},
    }
    for chain in range(n_chains):
        draw, statistic = draws.pop(0), statistics.pop(0)
        first, n = tuning[chain], kept[chain]
        for group, batch, at, rows, longest in (
            ("posterior", draw, first, n, max(kept)),
            ("sample_stats", statistic, first, n, max(kept)),
            ("warmup_sample_stats", statistic, 0, first, max(tuning)),
        ):
            part = batch.slice(at, rows)
            for name in batch.column_names:
                if group != "posterior" and name not in STATISTICS:
                    continue
                _copy(groups[group], name, part.column(name), (n_chains, longest), chain)
    # A run without tuning draws has none to tell about.
    filled = {name: data for name, data in groups.items() if name != "warmup_sample_stats" or data}
    tree = xr.DataTree.from_dict({name: xr.Dataset(data) for name, data in filled.items()})
    for name in filled:
        dataset = tree[name].to_dataset()
        labels = {dim: values for dim, values in coords.items() if dim in dataset.dims}
        numbers = {dim: np.arange(dataset.sizes[dim]) for dim in ("chain", "draw")}
        tree[name] = xr.DataTree(dataset.assign_coords({**numbers, **labels}))
    return tree


def _copy(
    group: dict[str, tuple[list[str], np.ndarray]],
    name: str,
    column: Any,
    size: tuple[int, int],
    chain: int,
) -> None:
    """Write one chain's column into its place."""
    metadata = column.field.metadata
    dims = [x for x in metadata.get(b"dims", b"").decode().split(",") if x]
    shape = tuple(int(x) for x in metadata.get(b"shape", b"").decode().split(",") if x)
    values = _values(column)
    if name not in group:
        # Not filled: the system gives memory when it is written, a chain at a time.
        group[name] = (["chain", "draw", *dims], np.empty((*size, *shape), values.dtype))
    values, place = values.reshape(-1, *shape), group[name][1][chain]
    place[: len(values)] = values
    place[len(values) :] = np.nan if values.dtype.kind == "f" else 0


def column_values(batch: Any, name: str) -> np.ndarray:
    """A column of a batch: one row a draw."""
    values = _values(batch.column(name))
    return values.reshape(batch.num_rows, -1) if len(values) != batch.num_rows else values


def _values(column: Any) -> np.ndarray:
    array = pa.array(column)
    return np.asarray((array.flatten() if hasattr(array, "flatten") else array).to_numpy(False))
