"""What sampling gives back, and what it tells while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr

from tallgrass.inference.progress import Observer

LIBRARIES = ("tallgrass", "nutpie", "pymc", "pytensor", "numba", "numpy", "arviz", "xarray")

# Names of the sampler statistics by sampler; those not named here are left out.
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
# Types of those that are not double.
_STATISTIC_TYPES = {
    "diverging": bool,
    "reached_max_treedepth": bool,
    "n_steps": np.int64,
    "tree_depth": np.int64,
}


class Model(Protocol):
    """What a sampler needs of a model; :class:`tallgrass.rollcalls.models.Model` is one."""

    @property
    def graph(self) -> Any:
        """The PyMC model."""

    @property
    def public(self) -> tuple[str, ...]:
        """Names of the variables that are kept."""

    @property
    def start(self) -> Callable[[np.random.Generator], dict[str, Any]]:
        """Generator -> unconstrained starting value of every free variable, by its name."""

    @property
    def anchors(self) -> tuple[int, int] | None:
        """Rows of the legislators fixed at +1 and -1."""

    @property
    def constants(self) -> Mapping[str, tuple[str, Any]]:
        """What else is known of legislators or roll calls: name -> (dimension, values)."""

    @property
    def trajectory(self) -> str:
        """Which steps sample it well: leapfrog or normal."""


class DrawSink(Protocol):
    """Where draws go while they are made; :class:`tallgrass.inference.stream.DrawFiles` is one.

    Its methods never raise.
    """

    @property
    def broken(self) -> bool:
        """Whether it takes no more."""

    def begin(
        self, chains: int, variables: Mapping[str, tuple[Sequence[str], Sequence[int]]], frame: Any
    ) -> None:
        """Be told what is to come, and the trace without draws."""

    def append(
        self,
        chain: int,
        tuning: np.ndarray,
        variables: Mapping[str, np.ndarray],
        stats: Mapping[str, np.ndarray],
    ) -> None:
        """Take the next draws of one chain."""


def never() -> bool:
    """The answer of one who never asks a sampler to stop."""
    return False


@dataclass(frozen=True)
class Watch:
    """Who looks on while a sampler works.

    Parameters
    ----------
    observer : Observer or None
        Told of the progress.
    sink : DrawSink or None
        Given the draws as they are made.
    stopped : callable
        Asked a few times a second whether to stop, as Ctrl-C would.
    """

    observer: Observer | None = None
    sink: DrawSink | None = None
    stopped: Callable[[], bool] = never


@dataclass(frozen=True)
class Sampled:
    """Draws and what they cost.

    Parameters
    ----------
    trace : xarray.DataTree
        Groups posterior, sample_stats, warmup_sample_stats, observed_data and constant_data.
    compile_s, sampling_s : float
        Time in seconds to make the model's code (or to load it) and to sample.
    from_cache : bool
        Whether the code was on disk already.
    """

    trace: xr.DataTree
    compile_s: float
    sampling_s: float
    from_cache: bool


class Raw(NamedTuple):
    """What a sampler gives back as it is, and what it took; ``tree`` is None without a draw."""

    tree: xr.DataTree | None
    compile_s: float
    sampling_s: float
    from_cache: bool
    interrupted: bool


class Interrupted(KeyboardInterrupt):
    """Sampling was interrupted; ``sampled`` holds the draws made until then, if any."""

    def __init__(self, sampled: Sampled | None) -> None:
        super().__init__("sampling was interrupted")
        self.sampled = sampled


def as_tree(
    groups: Mapping[str, xr.Dataset], coords: Mapping[str, Any], attributes: Mapping[str, Any]
) -> xr.DataTree:
    """Groups as one trace: labels on every dimension they have, and what made it as attributes."""
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


def complete_part(raw: xr.DataTree) -> xr.DataTree | None:
    """As many draws as form a rectangle of whole chains, of a run that was interrupted.

    nutpie fills up the chains that are behind with NaN; a chain that is far behind is left out
    rather than cutting the others. None where no chain has a draw.
    """
    first = next(iter(raw["posterior"].to_dataset().data_vars.values()))
    others = [dim for dim in first.dims if dim not in ("chain", "draw")]
    lengths = first.notnull().all(others).sum("draw").values
    ordered = np.sort(lengths)[::-1]
    draws = ordered[np.argmax(ordered * np.arange(1, len(ordered) + 1))]
    if draws == 0:
        return None
    chains = np.flatnonzero(lengths >= draws)
    groups = {}
    for name, node in raw.children.items():
        dataset = node.to_dataset().isel(chain=chains)
        warmup = name.startswith("warmup")
        groups[name] = dataset if warmup else dataset.isel(draw=slice(int(draws)))
    return xr.DataTree.from_dict(groups)


def statistics(dataset: xr.Dataset) -> xr.Dataset:
    """The sampler's statistics under their common names; others are left out."""
    named = {old: new for old, new in STATISTICS.items() if old in dataset}
    kept = dataset[list(named)].rename({old: new for old, new in named.items() if old != new})
    for name in kept:
        kept[name] = kept[name].astype(_STATISTIC_TYPES.get(str(name), np.float64))
    return kept
