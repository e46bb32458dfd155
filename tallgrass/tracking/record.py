"""What every run stores in the same way: its draws, and the versions that made them."""

import shutil
import tempfile
from importlib.metadata import distributions
from pathlib import Path

import xarray as xr

from tallgrass.errors import TrackingError
from tallgrass.inference.draws import LIBRARIES
from tallgrass.tracking.writing import ActiveRun


def save_trace(run: ActiveRun, trace: xr.DataTree) -> None:
    """Store draws as ``trace/idata.nc``; see :meth:`Recorder.trace`."""
    folder = Path(tempfile.mkdtemp(prefix=f"tallgrass-{run.run_id[:8]}-"))
    path = folder / "idata.nc"
    # Made in memory first: where a disk is full, HDF5 itself does not fail but crashes.
    path.write_bytes(trace.to_netcdf(engine="h5netcdf"))
    try:
        run.log_artifact(path, "trace")
    except TrackingError as error:
        raise TrackingError(error.what, None, f"The draws are safe in {path}") from error
    shutil.rmtree(folder)


def versions_of_libraries() -> dict[str, str]:
    """Versions of the libraries that sampling depends on, and of MLflow."""
    from importlib.metadata import version

    return {library: version(library) for library in (*LIBRARIES, "mlflow")}


def installed() -> str:
    """Every installed distribution, as ``name==version`` lines."""
    pins = {(d.metadata["Name"] or "").lower(): d.version for d in distributions()}
    return "".join(f"{name}=={number}\n" for name, number in sorted(pins.items()) if name)
