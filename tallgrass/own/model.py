"""A PyMC model of the user as the samplers take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from tallgrass.errors import SpecError, nearest
from tallgrass.inference.draws import as_tree, statistics
from tallgrass.inference.spec import SamplerName
from tallgrass.own.description import Description, Variable, constant_data, observed_data

_OF_SAMPLING = ("chain", "draw")


@dataclass(frozen=True, eq=False)
class PymcModel:
    """A model whose compilation and starts are left to the sampler; see ``inference.draws.Model``.

    Parameters
    ----------
    graph : pymc.Model
        The model.
    public : tuple of str
        Variables that are kept.
    description : Description
        What it is made of.
    """

    graph: Any
    public: tuple[str, ...]
    description: Description
    start: None = None
    trajectory: str = "leapfrog"
    adaptation: str = "diag"

    @property
    def variables(self) -> Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and shape of every variable that is kept."""
        by_name = {variable.name: variable for variable in self.description.variables}
        return {name: (_dims(by_name[name]), by_name[name].shape) for name in self.public}


def _dims(variable: Variable) -> tuple[str, ...]:
    """Names of the dimensions; those without a name are called as xarray would call them."""
    return variable.dims or tuple(f"{variable.name}_dim_{i}" for i in range(len(variable.shape)))


def prepared_model(graph: Any, description: Description, keep: Sequence[str] | None) -> PymcModel:
    """The model with the variables to keep: all that are free or deterministic, or those named.

    Raises
    ------
    SpecError
        When a name is not one of them, or is that of a dimension of every trace.
    """
    names = [variable.name for variable in description.of("free", "deterministic")]
    for name in keep or ():
        if name not in names:
            raise SpecError("no variable of the model that is sampled", name, nearest(name, names))
    kept = tuple(names if keep is None else dict.fromkeys(keep))
    for name in kept:
        if name in _OF_SAMPLING:
            raise SpecError(
                "a variable with the name of a dimension of every trace", name, "rename it"
            )
    return PymcModel(graph, kept, description)


def chosen_sampler(sampler: Literal["auto", "nutpie", "pymc"], graph: Any) -> SamplerName:
    """The sampler: nutpie, or PyMC's steps where a variable is discrete.

    Raises
    ------
    SpecError
        When nutpie was asked for a model with discrete variables, or the name is unknown.
    """
    if sampler not in ("auto", "nutpie", "pymc"):
        raise SpecError("unknown sampler", str(sampler), "use auto, nutpie or pymc")
    discrete = [str(value.name) for value in graph.discrete_value_vars]
    if sampler == "nutpie" and discrete:
        raise SpecError(
            "nutpie samples no discrete variables",
            ", ".join(discrete),
            "use sampler=pymc, or auto",
        )
    if sampler != "auto":
        return sampler
    return "pymc" if discrete else "nutpie"


def assemble(
    raw: xr.DataTree, model: PymcModel, coords: Mapping[str, Any], attributes: Mapping[str, Any]
) -> xr.DataTree:
    """The trace in the groups of every run: draws, statistics, observed and constant data."""
    groups = {
        "posterior": raw["posterior"].to_dataset()[list(model.public)],
        "sample_stats": _own_statistics(raw["sample_stats"].to_dataset()),
    }
    if "warmup_sample_stats" in raw.children:
        groups["warmup_sample_stats"] = _own_statistics(raw["warmup_sample_stats"].to_dataset())
    by_name = {variable.name: variable for variable in model.description.variables}
    for group, arrays in (
        ("observed_data", observed_data(model.graph)),
        ("constant_data", constant_data(model.graph)),
    ):
        if arrays:
            groups[group] = xr.Dataset(
                {name: (_dims_for(by_name[name], array), array) for name, array in arrays.items()}
            )
    labels = {dim: list(names) for dim, names in coords.items() if names is not None}
    return as_tree(groups, labels, attributes)


def _dims_for(variable: Variable, array: np.ndarray) -> tuple[str, ...]:
    dims = _dims(variable)
    if len(dims) == array.ndim:
        return dims
    return tuple(f"{variable.name}_dim_{i}" for i in range(array.ndim))


def _own_statistics(stats: xr.Dataset) -> xr.Dataset:
    """Statistics of single draws; those of several steps at once have another dimension."""
    plain = [str(name) for name, array in stats.data_vars.items() if array.ndim == 2]
    return statistics(stats[plain])
