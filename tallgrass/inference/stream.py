"""Draws on disk while they are made, so that a process that dies leaves all but the last ones.

A folder holds ``header.json`` (names and shapes), ``frame.nc`` (the trace without its draws) and,
for every chain, ``tuning-<chain>.f8`` and ``draws-<chain>.f8``: one row a draw, little-endian
doubles, variables first and the sampler's statistics after them; of tuning draws the statistics
alone. A row that was cut off by the end of its process is left out when they are read.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from tallgrass.errors import DataError
from tallgrass.inference.draws import complete_part, statistics

FORMAT = "tallgrass draws 1"
_DOUBLE = np.dtype("<f8")
_log = logging.getLogger(__name__)


class DrawFiles:
    """Writes draws into a folder as they come.

    Keeping must never break sampling: on the first error (a full disk, say) it is logged and
    nothing more is written.

    Parameters
    ----------
    folder : Path
        Made when sampling begins.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken = False
        self._variables: dict[str, tuple[int, ...]] = {}
        self._statistics: list[str] = []
        self._begun = False  # a row has been given, and the header is written
        self._header: dict[str, Any] = {}
        self._files: dict[tuple[str, int], BinaryIO] = {}

    def begin(
        self, chains: int, variables: Mapping[str, tuple[Sequence[str], Sequence[int]]], frame: Any
    ) -> None:
        """Start again with an empty folder.

        Parameters
        ----------
        chains : int
            Number of chains.
        variables : mapping of str to (dimensions, shape)
            What a draw holds, in this order.
        frame : xarray.DataTree
            The trace with no draws in it: its data, coordinates and attributes.
        """
        try:
            self.close()
            self.folder.mkdir(parents=True, exist_ok=True)
            for old in self.folder.iterdir():
                old.unlink()
            self._variables = {name: tuple(shape) for name, (_, shape) in variables.items()}
            self._header = {
                "format": FORMAT,
                "chains": chains,
                "variables": [
                    {"name": name, "dims": list(dims), "shape": list(shape)}
                    for name, (dims, shape) in variables.items()
                ],
            }
            _write_whole(self.folder / "frame.nc", frame.to_netcdf(engine="h5netcdf"))
            self._begun = self.broken = False
        except Exception:
            self._give_up()

    def append(
        self,
        chain: int,
        tuning: np.ndarray,
        variables: Mapping[str, np.ndarray],
        stats: Mapping[str, np.ndarray],
    ) -> None:
        """Write draws that one chain has made; they are on the disk when this returns.

        Parameters
        ----------
        chain : int
            Number of the chain, from 0.
        tuning : ndarray of bool, shape (n,)
            Whether each is a tuning draw; those come first.
        variables, stats : mapping of str to ndarray, shape (n, ...) and (n,)
            What the draws are, and what the sampler says about them.
        """
        if self.broken or len(tuning) == 0:
            return
        try:
            if not self._begun:
                self._statistics, self._begun = list(stats), True
                text = json.dumps({**self._header, "statistics": self._statistics})
                _write_whole(self.folder / "header.json", text.encode())
            n = len(tuning)
            told = np.empty((n, len(self._statistics)))
            for i, name in enumerate(self._statistics):
                told[:, i] = stats[name]
            drawn = [
                np.asarray(variables[name], _DOUBLE).reshape(n, -1) for name in self._variables
            ]
            tuned = int(np.count_nonzero(tuning))
            if tuned:
                self._write("tuning", chain, told[:tuned])
            if tuned < n:
                rows = np.concatenate([*(part[tuned:] for part in drawn), told[tuned:]], axis=1)
                self._write("draws", chain, rows)
        except Exception:
            self._give_up()

    def close(self) -> None:
        """Close the files; what was written stays."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _write(self, kind: str, chain: int, rows: np.ndarray) -> None:
        if (kind, chain) not in self._files:
            path = self.folder / f"{kind}-{chain}.f8"
            self._files[kind, chain] = path.open("ab")
        file = self._files[kind, chain]
        file.write(np.ascontiguousarray(rows, _DOUBLE).data)
        file.flush()
        os.fsync(file.fileno())

    def _give_up(self) -> None:
        self.broken = True
        _log.warning(
            "draws are no longer kept on disk while they are made, in %s",
            self.folder,
            exc_info=True,
        )
        try:
            self.close()
        except OSError:  # closing flushes, and the disk is still full
            self._files = {}


def has_draws(folder: Path) -> bool:
    """Whether a folder holds draws that are not tuning draws."""
    return (folder / "header.json").is_file() and any(
        path.stat().st_size > 0 for path in folder.glob("draws-*.f8")
    )


def lengths(folder: Path) -> tuple[int, ...]:
    """Draws kept of every chain, without tuning draws."""
    header = _header(folder)
    return tuple(len(_rows(folder, header, "draws", chain)) for chain in range(header["chains"]))


def read_trace(folder: Path) -> xr.DataTree | None:
    """The trace of the draws in a folder, laid out as that of a finished run.

    Chains are cut to a common length (see :func:`tallgrass.inference.draws.complete_part`); None
    where no chain has a draw.

    Raises
    ------
    DataError
        When the folder holds no such draws.
    """
    header = _header(folder)
    try:
        with xr.open_datatree(folder / "frame.nc", engine="h5netcdf") as opened:
            frame = opened.load()
    except (OSError, ValueError) as error:
        raise DataError("draws without a readable frame", str(folder / "frame.nc")) from error
    raw = _raw(folder, header)
    part = None if raw is None else complete_part(raw)
    if part is None:
        return None
    groups = {name: node.to_dataset() for name, node in frame.children.items()}
    for name, node in part.children.items():
        dataset = node.to_dataset()
        if name != "posterior":
            dataset = statistics(dataset)
        wanted = {dim: labels for dim, labels in _labels(groups).items() if dim in dataset.dims}
        numbers = {dim: np.arange(dataset.sizes[dim]) for dim in ("chain", "draw")}
        groups[name] = dataset.assign_coords({**numbers, **wanted})
    trace = xr.DataTree.from_dict(groups)
    trace.attrs = dict(frame.attrs)
    return trace


def _raw(folder: Path, header: Mapping[str, Any]) -> xr.DataTree | None:
    chains, stats = int(header["chains"]), header["statistics"]
    drawn = [_rows(folder, header, "draws", chain) for chain in range(chains)]
    tuned = [_rows(folder, header, "tuning", chain) for chain in range(chains)]
    longest = max(map(len, drawn))
    if longest == 0:
        return None
    together = np.full((chains, longest, drawn[0].shape[1]), np.nan)
    for chain, rows in enumerate(drawn):
        together[chain, : len(rows)] = rows
    posterior, at = {}, 0
    for one in header["variables"]:
        size = int(np.prod(one["shape"], dtype=int))
        values = together[:, :, at : at + size].reshape(chains, longest, *one["shape"])
        posterior[one["name"]] = (["chain", "draw", *one["dims"]], values)
        at += size
    groups = {"posterior": xr.Dataset(posterior)}
    if stats:  # Gibbs has none by draw
        groups["sample_stats"] = xr.Dataset(
            {name: (["chain", "draw"], together[:, :, at + i]) for i, name in enumerate(stats)}
        )
    # All chains that have a draw have tuned to the end; one that is still tuning is left out later.
    if stats and (most := max(map(len, tuned))):
        filled = np.zeros((chains, most, len(stats)))
        for chain, rows in enumerate(tuned):
            filled[chain, : len(rows)] = rows
        groups["warmup_sample_stats"] = xr.Dataset(
            {name: (["chain", "draw"], filled[:, :, i]) for i, name in enumerate(stats)}
        )
    return xr.DataTree.from_dict(groups)


def _rows(folder: Path, header: Mapping[str, Any], kind: str, chain: int) -> np.ndarray:
    width = len(header["statistics"])
    if kind == "draws":
        width += sum(int(np.prod(one["shape"], dtype=int)) for one in header["variables"])
    path = folder / f"{kind}-{chain}.f8"
    values = np.fromfile(path, _DOUBLE) if path.exists() else np.empty(0)
    n = len(values) // max(1, width)  # nothing is kept of tuning draws without statistics
    return values[: n * width].reshape(n, width)


def _labels(groups: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Names by dimension, from whichever group of the frame has them."""
    found: dict[str, Any] = {}
    for dataset in groups.values():
        for dim in dataset.dims:
            if dim not in ("chain", "draw") and dim in dataset.coords:
                found.setdefault(str(dim), dataset.coords[dim].values)
    return found


def _header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / "header.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("no draws that were kept while sampling", str(folder)) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError("draws in a format of another version", str(folder))
    return header


def _write_whole(path: Path, content: Any) -> None:
    """Write a file that is either there with all its content, or not."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
