"""nutpie's draws as labelled arrays, one chain at a time, so that memory never holds them twice.

nutpie's own conversion copies all chains, tuning draws included, before it frees any of them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import xarray as xr

from tallgrass.inference.draws import STATISTICS


def take_draws(results: Any, coords: dict[str, Any]) -> xr.DataTree:
    """Groups posterior, sample_stats and warmup_sample_stats of a raw trace of nutpie's.

    Chains that an interrupt cut short are filled up with NaN. The raw trace cannot be used
    afterwards: its memory is freed while the chains are copied.

    Parameters
    ----------
    results : object
        The return value of ``nutpie.sample(..., return_raw_trace=True)``.
    coords : dict
        Labels by dimension.
    """
    draw_batches, statistic_batches = results.get_arrow_trace()
    del results  # now the memory belongs to the lists
    n_tuning = [int(_values(batch.column("tuning")).sum()) for batch in statistic_batches]
    n_kept = [batch.num_rows - n for batch, n in zip(draw_batches, n_tuning, strict=True)]
    n_chains = len(draw_batches)
    groups: dict[str, dict[str, tuple[list[str], np.ndarray]]] = {
        "posterior": {},
        "sample_stats": {},
        "warmup_sample_stats": {},
    }
    for chain in range(n_chains):
        draws, statistics = draw_batches.pop(0), statistic_batches.pop(0)
        first, n = n_tuning[chain], n_kept[chain]
        for group, batch, start, length, longest in (
            ("posterior", draws, first, n, max(n_kept)),
            ("sample_stats", statistics, first, n, max(n_kept)),
            ("warmup_sample_stats", statistics, 0, first, max(n_tuning)),
        ):
            rows = batch.slice(start, length)
            for name in batch.column_names:
                if group != "posterior" and name not in STATISTICS:
                    continue
                _copy(groups[group], name, rows.column(name), (n_chains, longest), chain)
    # Without tuning draws, warmup_sample_stats is empty and is left out.
    nonempty = {
        name: data for name, data in groups.items() if name != "warmup_sample_stats" or data
    }
    tree = xr.DataTree.from_dict({name: xr.Dataset(data) for name, data in nonempty.items()})
    for name in nonempty:
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
    """Write one chain's column into the array of its variable."""
    metadata = column.field.metadata
    dims = [x for x in metadata.get(b"dims", b"").decode().split(",") if x]
    shape = tuple(int(x) for x in metadata.get(b"shape", b"").decode().split(",") if x)
    values = _values(column)
    if name not in group:
        # Left without values: the system gives memory when it is written, a chain at a time.
        group[name] = (["chain", "draw", *dims], np.empty((*size, *shape), values.dtype))
    values, of_chain = values.reshape(-1, *shape), group[name][1][chain]
    of_chain[: len(values)] = values
    of_chain[len(values) :] = np.nan if values.dtype.kind == "f" else 0


def column_values(batch: Any, name: str) -> np.ndarray:
    """A column of a batch, with one row for each draw."""
    values = _values(batch.column(name))
    return values.reshape(batch.num_rows, -1) if len(values) != batch.num_rows else values


def _values(column: Any) -> np.ndarray:
    array = pa.array(column)
    return np.asarray((array.flatten() if hasattr(array, "flatten") else array).to_numpy(False))
