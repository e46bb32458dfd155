"""The records that sampling takes and returns: model, draws, and who looks on meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr

from tallgrass.inference.progress import Observer

LIBRARIES = ("tallgrass", "nutpie", "pymc", "pytensor", "numba", "numpy", "arviz", "xarray")

# Names of statistics, as nutpie and PyMC call them, and their common names; others are left out.
STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "depth": "tree_depth",
    "tree_depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "reached_max_treedepth": "reached_max_treedepth",
    "mean_tree_accept": "acceptance_rate",
    "acceptance_rate": "acceptance_rate",
    "logp": "lp",
    "lp": "lp",
}
# Types of the statistics that are not doubles.
_STATISTIC_TYPES = {
    "diverging": bool,
    "reached_max_treedepth": bool,
    "n_steps": np.int64,
    "tree_depth": np.int64,
}


class Model(Protocol):
    """What a sampler needs of a model."""

    @property
    def graph(self) -> Any:
        """The PyMC model."""

    @property
    def public(self) -> tuple[str, ...]:
        """Names of the variables that are kept."""

    @property
    def start(self) -> Callable[[np.random.Generator], dict[str, Any]] | None:
        """Generator -> unconstrained starting value of every free variable, by its name.

        None for a model that is not ours: the sampler compiles it and starts it in its own way.
        """

    @property
    def variables(self) -> Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and shape of every variable in ``public``."""

    @property
    def trajectory(self) -> str:
        """The steps that sample the model well: leapfrog or normal."""

    @property
    def adaptation(self) -> str:
        """The mass matrix that samples the model well: diag or draw_diag."""


def dims_and_shapes(
    graph: Any, names: Sequence[str]
) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Dimensions and shape of variables of a PyMC model, all of whose dimensions have labels."""
    dims_of = {name: tuple(graph.named_vars_to_dims.get(name, ())) for name in names}
    return {
        name: (dims, tuple(len(graph.coords[dim]) for dim in dims))
        for name, dims in dims_of.items()
    }


def start_of(model: Model) -> Callable[[np.random.Generator], dict[str, Any]]:
    """The start of a model of ours."""
    if model.start is None:
        raise TypeError("a model without a start is compiled by the sampler")
    return model.start


class DrawSink(Protocol):
    """Takes draws while they are made; :class:`tallgrass.inference.stream.DrawFiles` is one.

    Its methods never raise.
    """

    @property
    def broken(self) -> bool:
        """Whether an error has ended it: it takes no more draws."""

    def begin(
        self, chains: int, variables: Mapping[str, tuple[Sequence[str], Sequence[int]]], frame: Any
    ) -> None:
        """Prepare for draws of these variables; ``frame`` is the trace without draws."""

    def append(
        self,
        chain: int,
        tuning: np.ndarray,
        variables: Mapping[str, np.ndarray],
        stats: Mapping[str, np.ndarray],
    ) -> None:
        """Take the next draws of one chain."""

    def enough(self) -> bool:
        """Whether the draws so far pass the verdict with a margin; asked where draws=auto."""


def never() -> bool:
    """False: the answer where nobody asks the sampler to stop."""
    return False


@dataclass(frozen=True)
class Watch:
    """Who looks on while a sampler works.

    Parameters
    ----------
    observer : Observer or None
        Called with the progress of all chains.
    sink : DrawSink or None
        Receives the draws while they are made.
    stopped : callable
        Called a few times a second; when it returns true, sampling ends as on Ctrl-C.
    """

    observer: Observer | None = None
    sink: DrawSink | None = None
    stopped: Callable[[], bool] = never


@dataclass(frozen=True)
class Sampled:
    """Draws, and the time that they took.

    Parameters
    ----------
    trace : xarray.DataTree
        Groups posterior, sample_stats, warmup_sample_stats, observed_data and constant_data.
    compile_s, sampling_s : float
        Seconds to compile the model's code (or to load it), and to sample.
    from_cache : bool
        Whether the code was already on disk.
    ahead_s : float
        Seconds of ``sampling_s`` that had passed before anybody followed the chains.
    """

    trace: xr.DataTree
    compile_s: float
    sampling_s: float
    from_cache: bool
    ahead_s: float = field(default=0.0, kw_only=True)


class Raw(NamedTuple):
    """The sampler's own result, and the time it took; ``tree`` is None where there is no draw."""

    tree: xr.DataTree | None
    compile_s: float
    sampling_s: float
    from_cache: bool
    interrupted: bool
    ahead_s: float = 0.0


class Interrupted(KeyboardInterrupt):
    """Sampling was interrupted; ``sampled`` holds the draws made until then, if any."""

    def __init__(self, sampled: Sampled | None) -> None:
        super().__init__("sampling was interrupted")
        self.sampled = sampled


def as_tree(
    groups: Mapping[str, xr.Dataset], coords: Mapping[str, Any], attributes: Mapping[str, Any]
) -> xr.DataTree:
    """Groups as one trace, with labels on their dimensions and the versions as attributes."""
    labelled = {}
    for name, dataset in groups.items():
        labels = {dim: names for dim, names in coords.items() if dim in dataset.dims}
        labelled[name] = dataset.assign_coords(labels)
        labelled[name].attrs = {}
    trace = xr.DataTree.from_dict(labelled)
    trace.attrs = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **{f"version_{library}": version(library) for library in LIBRARIES},
        **attributes,
    }
    return trace


def complete_part(raw: xr.DataTree, every: bool = False) -> xr.DataTree | None:
    """The draws of a run that was ended, cut so that all chains that are kept have the same length.

    nutpie fills up shorter chains with NaN. Chains are kept so that the number of draws is largest:
    a chain that is far behind is left out, because otherwise all others would be cut to its length;
    but ``every`` keeps every chain. None where no chain that is kept has a draw.
    """
    variable = next(iter(raw["posterior"].to_dataset().data_vars.values()))
    entry_dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    lengths = variable.notnull().all(entry_dims).sum("draw").values
    descending = np.sort(lengths)[::-1]
    n_draws = (
        descending[-1]
        if every
        else descending[np.argmax(descending * np.arange(1, len(descending) + 1))]
    )
    if n_draws == 0:
        return None
    chains = np.flatnonzero(lengths >= n_draws)
    groups = {}
    for name, node in raw.children.items():
        dataset = node.to_dataset().isel(chain=chains)
        is_warmup = name.startswith("warmup")
        groups[name] = dataset if is_warmup else dataset.isel(draw=slice(int(n_draws)))
    return xr.DataTree.from_dict(groups)


def statistics(dataset: xr.Dataset) -> xr.Dataset:
    """The sampler's statistics under their common names; others are left out."""
    common = {old: name for old, name in STATISTICS.items() if old in dataset}
    changed = {old: name for old, name in common.items() if old != name}
    renamed = dataset[list(common)].rename(changed)
    for name in renamed:
        renamed[name] = renamed[name].astype(_STATISTIC_TYPES.get(str(name), np.float64))
    return renamed
