"""Draws on disk while they are made, so that only the last ones are lost when a process dies.

A folder holds ``header.json`` (names and shapes), ``frame.nc`` (the trace without its draws) and,
for every chain, ``tuning-<chain>.f8`` and ``draws-<chain>.f8``: one row for each draw, of
little-endian doubles, variables first and the sampler's statistics after them. Rows of tuning draws
hold only the statistics. A row that is incomplete, because its process died, is left out when draws
are read.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.draws import complete_part, statistics
from tallgrass.inference.enough import ChainSoFar, Looks
from tallgrass.inference.thresholds import Thresholds

FORMAT = "tallgrass draws 1"
_DOUBLE = np.dtype("<f8")
_log = logging.getLogger(__name__)


class DrawFiles:
    """Writes draws into a folder while they are made.

    An error here never stops sampling: the first one (a full disk, for example) is logged, and
    nothing more is written.

    Parameters
    ----------
    folder : Path
        Created when sampling begins.
    thresholds : Thresholds, optional
        Those of the verdict, by which draws are enough.
    """

    def __init__(self, folder: Path, thresholds: Thresholds | None = None) -> None:
        self.folder = folder
        self._looks = Looks(thresholds or Thresholds())
        self.broken = False
        self._variables: dict[str, tuple[int, ...]] = {}
        self._statistics: list[str] = []
        self._has_header = False  # the header is written when the first rows come
        self._header: dict[str, Any] = {}
        self._files: dict[tuple[str, int], BinaryIO] = {}

    def begin(
        self, chains: int, variables: Mapping[str, tuple[Sequence[str], Sequence[int]]], frame: Any
    ) -> None:
        """Begin with an empty folder.

        Parameters
        ----------
        chains : int
            Number of chains.
        variables : mapping of str to (dimensions, shape)
            The variables of a draw, in this order.
        frame : xarray.DataTree
            The trace without draws: its data, coordinates and attributes.
        """
        try:
            self.close()
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.iterdir():
                path.unlink()
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
            self._has_header = self.broken = False
        except Exception as error:
            self._give_up(error)

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
            Whether each is a tuning draw; tuning draws come first.
        variables, stats : mapping of str to ndarray, shape (n, ...) and (n,)
            Values of the variables, and the sampler's statistics.
        """
        if self.broken or len(tuning) == 0:
            return
        try:
            if not self._has_header:
                self._statistics, self._has_header = list(stats), True
                text = json.dumps({**self._header, "statistics": self._statistics})
                _write_whole(self.folder / "header.json", text.encode())
            n = len(tuning)
            stat_rows = np.empty((n, len(self._statistics)))
            for i, name in enumerate(self._statistics):
                stat_rows[:, i] = stats[name]
            columns = [
                np.asarray(variables[name], _DOUBLE).reshape(n, -1) for name in self._variables
            ]
            columns.append(stat_rows)
            n_tuning = int(np.count_nonzero(tuning))
            if n_tuning:
                self._write("tuning", chain, stat_rows[:n_tuning])
            if n_tuning < n:
                rows = np.concatenate([column[n_tuning:] for column in columns], axis=1)
                self._write("draws", chain, rows)
        except Exception as error:
            self._give_up(error)

    def enough(self) -> bool:
        """Whether the draws so far pass the verdict with a margin."""
        chains = drawn_with_statistics(self.folder)
        return bool(chains) and self._looks.enough(chains, self._header["chains"])

    def close(self) -> None:
        """Close the files; they stay in the folder."""
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

    def _give_up(self, error: Exception) -> None:
        self.broken = True
        _log.warning(
            "draws are no longer kept on disk while they are made, in %s (%s)", self.folder, error
        )
        try:
            self.close()
        except OSError:  # to close a file also writes it, and the disk may still be full
            self._files = {}


def has_draws(folder: Path) -> bool:
    """Whether a folder holds draws after tuning."""
    return (folder / "header.json").is_file() and any(
        path.stat().st_size > 0 for path in folder.glob("draws-*.f8")
    )


def size(folder: Path) -> int:
    """Bytes of the draws of a folder."""
    return sum(path.stat().st_size for path in folder.glob("*.f8"))


def lengths(folder: Path) -> tuple[int, ...]:
    """Number of draws of every chain, without tuning draws."""
    header = _header(folder)
    return tuple(len(_rows(folder, header, "draws", chain)) for chain in range(header["chains"]))


def drawn(folder: Path) -> list[NDArray[np.float64]]:
    """The draws of every chain so far, shape (draws, entries), tuning draws left out.

    They are maps of the files, which are read where they are looked at; chains without a draw, and
    all of them before there is a header, are left out.
    """
    return [chain.draws for chain in drawn_with_statistics(folder)]


def drawn_with_statistics(folder: Path) -> list[ChainSoFar]:
    """The draws of every chain so far, as :func:`drawn` gives them, with their statistics.

    A statistic that the sampler does not give is NaN for the energy, and 0 for divergences.
    """
    try:
        header = _header(folder)
    except DataError:
        return []
    names, width = list(header["statistics"]), _width(header)
    chains = []
    for chain in range(header["chains"]):
        path = folder / f"draws-{chain}.f8"
        n = path.stat().st_size // (width * _DOUBLE.itemsize) if path.exists() else 0
        if n:
            rows = np.memmap(path, _DOUBLE, mode="r", shape=(n, width))
            of = {name: rows[:, width - len(names) + i] for i, name in enumerate(names)}
            energy, diverging = (
                of.get("energy", np.full(n, np.nan)),
                of.get("diverging", np.zeros(n)),
            )
            chains.append(ChainSoFar(rows[:, : width - len(names)], energy, diverging))
    return chains


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
    complete = None if raw is None else complete_part(raw)
    if complete is None:
        return None
    groups = {name: node.to_dataset() for name, node in frame.children.items()}
    for name, node in complete.children.items():
        dataset = node.to_dataset()
        if name != "posterior":
            dataset = statistics(dataset)
        labels = {dim: names for dim, names in _labels(groups).items() if dim in dataset.dims}
        numbers = {dim: np.arange(dataset.sizes[dim]) for dim in ("chain", "draw")}
        groups[name] = dataset.assign_coords({**numbers, **labels})
    trace = xr.DataTree.from_dict(groups)
    trace.attrs = dict(frame.attrs)
    return trace


def _raw(folder: Path, header: Mapping[str, Any]) -> xr.DataTree | None:
    chains, stats = int(header["chains"]), header["statistics"]
    draw_rows = [_rows(folder, header, "draws", chain) for chain in range(chains)]
    tuning_rows = [_rows(folder, header, "tuning", chain) for chain in range(chains)]
    longest = max(map(len, draw_rows))
    if longest == 0:
        return None
    draws = np.full((chains, longest, draw_rows[0].shape[1]), np.nan)
    for chain, rows in enumerate(draw_rows):
        draws[chain, : len(rows)] = rows
    posterior, column = {}, 0
    for variable in header["variables"]:
        shape = variable["shape"]
        size = int(np.prod(shape, dtype=int))
        values = draws[:, :, column : column + size].reshape(chains, longest, *shape)
        posterior[variable["name"]] = (["chain", "draw", *variable["dims"]], values)
        column += size
    groups = {"posterior": xr.Dataset(posterior)}
    if stats:  # Gibbs has no statistics of single draws
        groups["sample_stats"] = xr.Dataset(
            {name: (["chain", "draw"], draws[:, :, column + i]) for i, name in enumerate(stats)}
        )
    # A chain that has a draw has finished tuning; a chain that still tunes is left out later.
    if stats and (longest_tuning := max(map(len, tuning_rows))):
        tuning = np.zeros((chains, longest_tuning, len(stats)))
        for chain, rows in enumerate(tuning_rows):
            tuning[chain, : len(rows)] = rows
        groups["warmup_sample_stats"] = xr.Dataset(
            {name: (["chain", "draw"], tuning[:, :, i]) for i, name in enumerate(stats)}
        )
    return xr.DataTree.from_dict(groups)


def _rows(folder: Path, header: Mapping[str, Any], kind: str, chain: int) -> np.ndarray:
    width = _width(header) if kind == "draws" else len(header["statistics"])
    path = folder / f"{kind}-{chain}.f8"
    values = np.fromfile(path, _DOUBLE) if path.exists() else np.empty(0)
    n = len(values) // max(1, width)  # the width is 0 for tuning draws without statistics
    return values[: n * width].reshape(n, width)


def _width(header: Mapping[str, Any]) -> int:
    """Numbers of a row of draws: the variables, and the sampler's statistics after them."""
    shapes = [variable["shape"] for variable in header["variables"]]
    return len(header["statistics"]) + sum(int(np.prod(shape, dtype=int)) for shape in shapes)


def _labels(groups: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Labels by dimension, each from the first group of the frame that has them."""
    labels: dict[str, Any] = {}
    for dataset in groups.values():
        for dim in dataset.dims:
            if dim not in ("chain", "draw") and dim in dataset.coords:
                labels.setdefault(str(dim), dataset.coords[dim].values)
    return labels


def _header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / "header.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("no draws that were kept while sampling", str(folder)) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError("draws in a format of another version", str(folder))
    return header


def _write_whole(path: Path, content: Any) -> None:
    """Write a file so that it never exists with a part of its content."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
