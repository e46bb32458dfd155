"""Read the CSV files that CmdStan writes, one a chain, without CmdStan or CmdStanPy.

ArviZ reads fits of CmdStanPy, and no longer files. The format is that of the CmdStan guide,
"Stan CSV file format": comments with the configuration, a header, adaptation, draws, times.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tallgrass.errors import DataError, first_line
from tallgrass.inputs.paths import opened

_STATISTICS = {
    "lp__": "lp",
    "accept_stat__": "acceptance_rate",
    "stepsize__": "step_size",
    "treedepth__": "tree_depth",
    "n_leapfrog__": "n_steps",
    "divergent__": "diverging",
    "energy__": "energy",
}
_TYPES = {"diverging": bool, "n_steps": np.int64, "tree_depth": np.int64}
_VERSION = re.compile(r"stan_version_(major|minor|patch) = (\d+)")
_SETTING = re.compile(r"\b(num_samples|num_warmup|save_warmup|max_depth|thin) = (\w+)")
_SECONDS = re.compile(r"([\d.]+) seconds \((Warm-up|Sampling)\)")


@dataclass(frozen=True)
class _Chain:
    """One file: settings, seconds of sampling, and its table."""

    settings: Mapping[str, str]
    version: str
    sampling_s: float
    table: pd.DataFrame

    @property
    def n_warmup(self) -> int:
        """Rows of tuning at the beginning of the table."""
        if self.settings.get("save_warmup") not in ("true", "1"):
            return 0
        thin = int(self.settings.get("thin", 1))
        return -(-int(self.settings.get("num_warmup", 0)) // thin)


def is_cmdstan(path: Path) -> bool:
    """Whether a file begins as CmdStan's do.

    Examples
    --------
    >>> is_cmdstan(Path("votes.csv"))
    False
    """
    try:
        with opened(path) as file:
            return file.read(20).startswith(b"# stan_version")
    except OSError:
        return False


def read_cmdstan(paths: Sequence[Path]) -> xr.DataTree:
    """The draws of some chains.

    Parameters
    ----------
    paths : sequence of Path
        A file a chain, of one model and equal length.

    Returns
    -------
    DataTree
        ``posterior`` with the variables' shapes (``theta.1``, ``theta.2`` become a vector),
        ``sample_stats``, and ``warmup_sample_stats`` where tuning was saved.

    Raises
    ------
    DataError
        When a file cannot be read, has no draws, or the files do not belong together.
    """
    chains = [_chain(path) for path in paths]
    first = chains[0].table
    for path, chain in zip(paths, chains, strict=True):
        if list(chain.table.columns) != list(first.columns):
            raise DataError("files of different models", str(path), "name the chains of one run")
        if len(chain.table) != len(first):
            raise DataError(
                "chains of different lengths",
                f"{path}: {len(chain.table)} draws, {paths[0]}: {len(first)}",
                "name the chains of one run",
            )
    n_warmup = chains[0].n_warmup
    values = np.stack([chain.table.to_numpy(float) for chain in chains])
    names = list(map(str, first.columns))
    groups = {
        "posterior": _variables(names, values[:, n_warmup:]),
        "sample_stats": _statistics(names, values[:, n_warmup:], chains[0].settings),
    }
    if n_warmup:
        groups["warmup_sample_stats"] = _statistics(names, values[:, :n_warmup], chains[0].settings)
    tree = xr.DataTree.from_dict({name: group for name, group in groups.items() if group})
    tree.attrs = {"inference_library": "cmdstan", "inference_library_version": chains[0].version}
    # Chains run beside each other: the slowest says how long it took.
    if np.isfinite(seconds := max(chain.sampling_s for chain in chains)):
        tree.attrs["sampling_time"] = seconds
    return tree


def _chain(path: Path) -> _Chain:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("cannot read the draws", str(path), first_line(error)) from None
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    try:
        table = pd.read_csv(io.StringIO(text), comment="#", dtype=float)
    except ValueError as error:
        raise DataError("not a file of draws of CmdStan", str(path), first_line(error)) from None
    if table.empty or "lp__" not in table:
        raise DataError(
            "no draws in a file of CmdStan", str(path), "was the sampler stopped before it began?"
        )
    seconds = {phase: float(value) for value, phase in _SECONDS.findall(comments)}
    version = ".".join(dict(_VERSION.findall(comments)).values())
    sampling_s = sum(seconds.values()) if seconds else float("nan")
    return _Chain(dict(_SETTING.findall(comments)), version, sampling_s, table)


def _variables(names: Sequence[str], values: np.ndarray) -> xr.Dataset:
    """Columns ``x.2.1`` as entry [1, 0] of x; values have shape (chain, draw, column)."""
    places: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    for column, name in enumerate(names):
        if name.endswith("__"):
            continue
        parts = name.split(".")
        index = tuple(int(part) - 1 for part in parts[1:]) if _numbers(parts[1:]) else ()
        places.setdefault(parts[0] if index else name, []).append((column, index))
    variables = {}
    for name, entries in places.items():
        indices = [index for _, index in entries]
        shape = tuple(max(axis) + 1 for axis in zip(*indices, strict=True))
        array = np.full((*values.shape[:2], *shape), np.nan)
        for column, index in entries:
            whole: tuple[Any, ...] = (slice(None), slice(None), *index)
            array[whole] = values[:, :, column]
        dims = ["chain", "draw", *(f"{name}_dim_{axis}" for axis in range(len(shape)))]
        variables[name] = (dims, array)
    return xr.Dataset(variables)


def _numbers(parts: Sequence[str]) -> bool:
    return bool(parts) and all(part.isdigit() for part in parts)


def _statistics(
    names: Sequence[str], values: np.ndarray, settings: Mapping[str, str]
) -> xr.Dataset:
    stats = {}
    for column, name in enumerate(names):
        if name in _STATISTICS:
            common = _STATISTICS[name]
            array = values[:, :, column].astype(_TYPES.get(common, float))
            stats[common] = (["chain", "draw"], array)
    if "tree_depth" in stats and "max_depth" in settings:
        reached = stats["tree_depth"][1] >= int(settings["max_depth"])
        stats["reached_max_treedepth"] = (["chain", "draw"], reached)
    return xr.Dataset(stats)
