"""How a trace is best stored: size, seconds, and what rounding changes in all that a run records.

    python benchmarks/storage.py [--session FOLDER --chamber house] [--draws 2000]

A chamber is sampled once. Its trace is written as doubles without compression (as versions before
did), as compressed doubles, and rounded. From the exact and from the rounded draws everything that
a run records is computed: printed are the metrics and the columns of the tables that change most,
for ideal points in posterior standard deviations.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from tallgrass.inference import storage
from tallgrass.inference.draws import Sampled
from tallgrass.rollcalls.prepare import prepare
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.run import RollCallStudy
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import load_settings
from tallgrass.study.clock import Clock
from tallgrass.study.study import Sampling

MOST = 6  # metrics that are printed


def main() -> None:
    """Sample, write in each way, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--session", default="sample")
    parser.add_argument("--chamber", default="senate")
    parser.add_argument("--model", default="hierarchical")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--levels", type=int, nargs="*", default=[])
    flags = parser.parse_args()
    spec = RunSpec(
        session=flags.session, chamber=flags.chamber, model=flags.model, draws=flags.draws,
        baseline="none",
    )  # fmt: skip
    settings = load_settings()
    study = RollCallStudy(prepare(spec, read(spec, settings), (), inspect=False))
    exact = study.draw(Sampling()).trace
    narrow = storage.rounded(exact, "float32")
    ways: dict[str, Callable[[], bytes | memoryview]] = {
        "doubles, as before": lambda: exact.to_netcdf(engine="h5netcdf"),
        "float64": lambda: storage.file_of(storage.rounded(exact, "float64")),
        "float32": lambda: storage.file_of(storage.rounded(exact, "float32")),
    }
    for level in flags.levels:
        ways[f"float32, level {level}"] = lambda level=level: at_level(narrow, level)
    with tempfile.TemporaryDirectory() as name:
        print_sizes(ways, Path(name))
    before, after = (recorded(study, trace, settings) for trace in (exact, narrow))
    print_changes(before, after)


def at_level(trace: xr.DataTree, level: int) -> bytes | memoryview:
    """The file with another level of zlib."""
    usual, storage._LEVEL = storage._LEVEL, level
    try:
        return storage.file_of(trace)
    finally:
        storage._LEVEL = usual


def print_sizes(ways: dict[str, Callable[[], bytes | memoryview]], folder: Path) -> None:
    """Print size and the least processor seconds of three to make and to read each file."""
    plain = 0
    for way, make in ways.items():
        path = folder / "idata.nc"
        spent, taken = [], []
        for _ in range(3):
            began = time.process_time()
            content = make()
            spent.append(time.process_time() - began)
            path.write_bytes(content)
            began = time.process_time()
            storage.read_file(path)
            taken.append(time.process_time() - began)
        size = path.stat().st_size
        plain = plain or size
        print(
            f"{way:<22} {size / 1e6:7.2f} MB {size / plain:6.3f}   write {min(spent):.2f} s"
            f"   read {min(taken):.2f} s"
        )


def recorded(study, trace, settings):  # type: ignore[no-untyped-def]
    """Metrics and tables that a run records of these draws."""
    sampled = Sampled(trace, 0.0, float(trace.attrs["sampling_s"]), True)
    analysis = study.analysed(sampled, "0" * 32, settings.thresholds, Clock())
    tables = {**analysis.recorded_tables(), **analysis.recorded_long_tables()}
    return analysis.recorded_metrics(), tables


def print_changes(before, after) -> None:  # type: ignore[no-untyped-def]
    """Print the largest relative changes of metrics, and those of every table's columns."""
    metrics, narrow = before[0], after[0]
    changes = {
        name: abs(narrow[name] - value) / max(abs(value), 1e-12)
        for name, value in metrics.items()
        if np.isfinite(value)
    }
    print(f"\n{len(changes)} metrics; largest relative changes:")
    for name in sorted(changes, key=changes.get, reverse=True)[:MOST]:  # type: ignore[arg-type]
        print(f"  {name:<34} {metrics[name]:.7g} -> {narrow[name]:.7g}  ({changes[name]:.1e})")
    print("\nlargest change of a column, in standard deviations of the column:")
    rows = []
    for table, unsorted in before[1].items():
        frame, other = (_by_name(each) for each in (unsorted, after[1][table]))
        for column in frame.select_dtypes("number"):
            was, now = frame[column].to_numpy(float), other[column].to_numpy(float)
            spread = np.nanstd(was) or 1.0
            if was.shape == now.shape and np.isfinite(was).any():
                largest = np.nanmax(np.abs(now - was))
                rows.append((largest / spread, largest, table, column))
    for change, largest, table, column in sorted(rows, reverse=True)[:MOST]:
        print(f"  {table + ' ' + column:<40} {change:.1e} ({largest:.2g} in its own unit)")
    points, narrow_points = (tables["tables/ideal_points"] for _, tables in (before, after))
    sd = next(name for name in ("sd", "xi_sd") if name in points)
    mean = next(name for name in ("mean", "xi_mean") if name in points)
    off = np.nanmax(np.abs(narrow_points[mean] - points[mean]) / points[sd])
    print(f"\nideal points: largest change of a mean {off:.1e} posterior standard deviations")


def _by_name(frame):  # type: ignore[no-untyped-def]
    """The rows in the order of their texts: some tables are sorted by their numbers."""
    texts = list(frame.select_dtypes(exclude="number"))
    return frame.sort_values(texts, kind="stable") if texts else frame


if __name__ == "__main__":
    main()
