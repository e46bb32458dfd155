"""Draws from anywhere -> one trace with the groups of every run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.errors import DataError, first_line
from tallgrass.inference.draws import as_tree, statistics
from tallgrass.own.cmdstan import is_cmdstan, read_cmdstan

_KEPT = ("posterior", "observed_data", "constant_data", "sample_stats", "warmup_sample_stats")
_MEND = (
    "give a DataTree or InferenceData, the path of a NetCDF file, paths of CmdStan's CSV files, "
    "a fitted NumPyro MCMC or CmdStanPy CmdStanMCMC, or a mapping of arrays of shape "
    "(chain, draw, ...)"
)


def as_trace(draws: Any, coords: Mapping[str, Any] | None = None) -> xr.DataTree:
    """Draws as a trace in memory.

    Parameters
    ----------
    draws : object
        A DataTree or InferenceData (PyMC, nutpie, Bambi, ArviZ), a path of a NetCDF file, a list
        of paths of CmdStan's CSV files (one a chain), an MCMC of NumPyro, a fit of CmdStanPy, a
        Dataset, or a mapping of arrays (chain, draw, ...).
    coords : mapping, optional
        Labels by dimension, where the draws have none.

    Raises
    ------
    DataError
        When they hold no posterior, no draw, or are of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> as_trace({"mu": np.zeros((4, 100))})["posterior"].sizes["draw"]
    100
    """
    tree = _tree(draws)
    if "posterior" not in tree.children:
        listed = ", ".join(map(str, tree.children)) or "no groups"
        raise DataError("draws without a group posterior", listed, _MEND)
    groups = {name: tree[name].to_dataset() for name in _KEPT if name in tree.children}
    posterior = _numeric(groups["posterior"])
    missing = [dim for dim in ("chain", "draw") if dim not in posterior.dims]
    if missing:
        raise DataError(
            f"draws without the dimension {missing[0]}",
            ", ".join(map(str, posterior.dims)) or "no dimensions",
            "arrays must begin with the dimensions chain and draw",
        )
    sizes = posterior.sizes
    if not posterior.data_vars or sizes["chain"] == 0 or sizes["draw"] == 0:
        raise DataError("no draws", f"{sizes['chain']} chains, {sizes['draw']} draws each")
    groups["posterior"] = posterior.transpose("chain", "draw", ...)
    for name in ("sample_stats", "warmup_sample_stats"):
        if name in groups:
            groups[name] = _statistics(groups[name])
    attributes = {str(k): v for k, v in tree["posterior"].attrs.items() if _is_plain(v)}
    attributes |= {str(k): v for k, v in tree.attrs.items() if _is_plain(v)}
    labels = {dim: list(names) for dim, names in (coords or {}).items()}
    trace = as_tree(groups, labels, {"sampling_s": _seconds(attributes), **_origin(attributes)})
    if created := attributes.get("created_at"):
        trace.attrs["created_at"] = str(created)
    return trace


def _tree(draws: Any) -> xr.DataTree:
    if isinstance(draws, xr.DataTree):
        return draws
    paths = list(draws) if isinstance(draws, list | tuple) else [draws]
    if paths and all(isinstance(path, str | Path) for path in paths):
        return _of_files([Path(path) for path in paths])
    if isinstance(draws, xr.Dataset):
        return xr.DataTree.from_dict({"posterior": draws})
    if isinstance(draws, Mapping):
        return _from_arrays(draws)
    if hasattr(draws, "groups") and hasattr(draws, "extend"):  # InferenceData of ArviZ below 1.0
        return xr.DataTree.from_dict({str(name): draws[name] for name in draws.groups()})
    origin = type(draws).__module__.partition(".")[0]
    if origin in ("numpyro", "cmdstanpy"):
        import arviz_base

        convert = arviz_base.from_numpyro if origin == "numpyro" else arviz_base.from_cmdstanpy
        try:
            tree: xr.DataTree = convert(draws)
        except Exception as error:
            raise DataError(
                f"cannot read the draws of {origin}", first_line(error), _MEND
            ) from error
        return tree
    raise DataError("draws of a kind that is not known", type(draws).__name__, _MEND)


def _of_files(paths: Sequence[Path]) -> xr.DataTree:
    return read_cmdstan(paths) if len(paths) > 1 or is_cmdstan(paths[0]) else _read(paths[0])


def _read(path: Path) -> xr.DataTree:
    if not path.is_file():
        raise DataError("no such file of draws", str(path), "name a NetCDF file, such as idata.nc")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            loaded: xr.DataTree = opened.load()
    except Exception as error:
        mend = "write it with idata.to_netcdf(...)"
        raise DataError("not a NetCDF file of draws", str(path), mend) from error
    return loaded


def _from_arrays(arrays: Mapping[Any, Any]) -> xr.DataTree:
    variables = {}
    for name, values in arrays.items():
        try:
            array = np.asarray(values)
        except ValueError as error:  # rows of several lengths
            raise DataError("draws that are no array", str(name), first_line(error)) from None
        if array.ndim < 2 or array.dtype.kind == "O":
            raise DataError(
                "draws without the dimensions chain and draw",
                f"{name}: shape {array.shape}",
                "give arrays of shape (chain, draw, ...)",
            )
        dims = ["chain", "draw", *(f"{name}_dim_{i}" for i in range(array.ndim - 2))]
        variables[str(name)] = (dims, array)
    try:
        return xr.DataTree.from_dict({"posterior": xr.Dataset(variables)})
    except ValueError as error:
        raise DataError("draws of different numbers", first_line(error)) from None


def _numeric(posterior: xr.Dataset) -> xr.Dataset:
    """The variables whose entries are numbers; bools count as 0 and 1."""
    kept = posterior[[name for name, x in posterior.data_vars.items() if x.dtype.kind in "biuf"]]
    if not kept.data_vars:
        raise DataError("no variable of the posterior is a number", ", ".join(map(str, posterior)))
    return kept


def _statistics(stats: xr.Dataset) -> xr.Dataset:
    plain = [str(n) for n, x in stats.data_vars.items() if set(x.dims) == {"chain", "draw"}]
    common = statistics(stats[plain])
    return common.transpose("chain", "draw") if common.data_vars else common


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | np.number)


def _seconds(attributes: Mapping[str, Any]) -> float:
    """Seconds of sampling, where the draws say them."""
    for name in ("sampling_s", "sampling_time"):
        if name in attributes:
            return float(attributes[name])
    return float("nan")


def _origin(attributes: Mapping[str, Any]) -> dict[str, str]:
    library = attributes.get("sampler") or attributes.get("inference_library")
    if not library:
        return {}
    number = attributes.get("sampler_version") or attributes.get("inference_library_version", "")
    return {"sampler": str(library), "sampler_version": str(number)}
