"""Names of the entries of a variable."""

import re
from itertools import product

import xarray as xr

_OF_SAMPLING = ("chain", "draw")


def entry_names(array: xr.DataArray) -> list[str]:
    """Name of every entry, in the order of the flattened array; one empty name for a scalar.

    Parameters
    ----------
    array : DataArray
        A variable with or without the dimensions chain and draw. Entries are named by its
        coordinates, by numbers from 0 where a dimension has none, and by ``a, b`` where it has
        several dimensions.

    Examples
    --------
    >>> import xarray as xr
    >>> entry_names(xr.DataArray([[1, 2]], {"item": ["x", "y"]}, ("group", "item")))
    ['0, x', '0, y']
    """
    labels = [
        [str(label) for label in array[dim].to_numpy()]
        for dim in array.dims
        if dim not in _OF_SAMPLING
    ]
    return [", ".join(parts) for parts in product(*labels)]


def entry_label(variable: str, name: str) -> str:
    """An entry as people read it: ``xi[slug]``, or the variable alone for a scalar."""
    return f"{variable}[{name}]" if name else variable


def metric_name(name: str) -> str:
    """A variable's name as MLflow takes it in the name of a metric or param.

    MLflow allows letters, digits and ``_-. :/``, and 250 characters in all.

    Examples
    --------
    >>> metric_name("theta[1]")
    'theta_1_'
    """
    return re.sub(r"[^\w\-. :/]", "_", name)[:200]
