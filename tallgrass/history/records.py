"""What a single run holds, read back: its trace, spec and tables; and which run to compare with."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.calibration_spec import CalibrationSpec
from tallgrass.errors import SpecError, TrackingError
from tallgrass.history import searching
from tallgrass.history.searching import equals, search
from tallgrass.specs import RunSpec
from tallgrass.store import client, masked, page, translated

if TYPE_CHECKING:
    from mlflow.entities import Run
    from pandas import DataFrame
    from xarray import DataTree

TRACE, SPEC, IDEAL_POINTS = "trace/idata.nc", "spec/run.json", "tables/ideal_points.json"
ITEMS, ROLLCALLS = "tables/items.json", "tables/rollcalls.json"


def find_run(run_id: str) -> str:
    """The full id of a run, from the id or the beginning of it (at least four characters).

    Raises
    ------
    TrackingError
        When there is no such run, or more than one.
    """
    return str(searching.find_run(run_id).info.run_id)


def details(run_id: str) -> dict[str, Any]:
    """Everything MLflow holds of a run: times, params, metrics, tags and the paths of artifacts.

    Raises
    ------
    TrackingError
        When there is no such run, or more than one.
    """
    run = searching.find_run(run_id)
    info = run.info
    with translated(f"list the artifacts of run {info.run_id}"):
        artifacts = sorted(_files(info.run_id, None))
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "status": info.status,
        "experiment_id": info.experiment_id,
        "start_time": _time(info.start_time),
        "end_time": _time(info.end_time),
        "params": dict(sorted(run.data.params.items())),
        "metrics": dict(sorted(run.data.metrics.items())),
        "tags": {k: v for k, v in sorted(run.data.tags.items()) if not k.startswith("mlflow.")},
        "artifacts": artifacts,
        "artifact_uri": masked(info.artifact_uri),
        "ui_url": page(info.experiment_id, info.run_id),
    }


def load_trace(run_id: str) -> "DataTree":
    """The draws of a run with all their groups, in memory; ``attrs["run_id"]`` is its full id.

    Raises
    ------
    TrackingError
        When the run is unknown or has no trace that can be read.
    """
    import xarray

    with (
        _artifact(run_id, TRACE) as (full_id, path),
        translated(f"read the trace of run {full_id}"),
        xarray.open_datatree(path, engine="h5netcdf") as opened,
    ):
        trace = opened.load()
    trace.attrs["run_id"] = full_id
    return trace


def rerun_spec(run_id: str) -> RunSpec:
    """The RunSpec of a run, for ``fit`` to run the same again.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no spec.
    SpecError
        When the spec is of another version of tallgrass and no longer valid, or the run is a link.
    """
    found = searching.find_run(run_id)
    if found.data.tags.get("model") == "link":
        reference, target = (found.data.params[name] for name in ("reference", "target"))
        raise SpecError(
            "a link of two runs samples nothing that could be run again",
            found.info.run_id,
            f"make it anew with: tallgrass link {reference} {target}",
        )
    with _artifact(run_id, SPEC) as (_, path):
        return RunSpec.from_json(path.read_text("utf-8"))


def ideal_points(run_id: str) -> "DataFrame":
    """The table of ideal points of a run, one row a legislator, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return _table(run_id, IDEAL_POINTS)


def rollcalls_table(run_id: str) -> "DataFrame":
    """The table of roll calls of a run, one row a roll call, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return _table(run_id, ROLLCALLS)


def item_table(run_id: str) -> "DataFrame":
    """The table of items of a calibration, one row an item, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or is no calibration.
    """
    return _table(run_id, ITEMS)


def calibration_spec(run_id: str) -> CalibrationSpec | None:
    """The spec of a calibration, or None where the run is another kind of run.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no spec.
    """
    with _artifact(run_id, SPEC) as (_, path):
        text = path.read_text("utf-8")
    return CalibrationSpec.from_json(text) if "engine" in json.loads(text) else None


def looks_like_a_run(text: str) -> bool:
    """Whether a text can be the id of a run or the beginning of one."""
    return bool(re.fullmatch(r"[0-9a-f]{4,32}", text))


def _table(run_id: str, artifact: str) -> "DataFrame":
    import pandas as pd

    # The CSV file beside it is for spreadsheets: text that looks like a formula is changed there.
    with _artifact(run_id, artifact) as (_, path):
        stored = json.loads(path.read_text("utf-8"))
    return pd.DataFrame(stored["data"], columns=stored["columns"])


def promote(run_id: str) -> None:
    """Make a finished run a baseline: later runs on the same data are compared with it.

    Other promoted runs stay promoted; the newest on the same data counts.

    Raises
    ------
    TrackingError
        When the run is unknown or did not finish.
    """
    run = searching.find_run(run_id)
    if run.info.status != "FINISHED":
        raise TrackingError(
            f"run {run.info.run_id} did not finish",
            run.info.status,
            "only a finished run can be a baseline",
        )
    with translated(f"promote run {run.info.run_id}"):
        client().set_tag(run.info.run_id, "baseline", "true")


def find_baseline(data_sha256: str, spec: RunSpec) -> str | None:
    """The run that a new run of ``spec`` on this data is compared with, or None.

    The newest promoted run on the same data; without one, the newest run on it that passed its
    verdict with another sampler or model. Only finished runs count, so never a run in progress.
    """
    same = [equals("tags.`data.sha256`", data_sha256), "attributes.status = 'FINISHED'"]
    promoted = next(search([*same, "tags.baseline = 'true'"]), None)
    if promoted is not None:
        return str(promoted.info.run_id)
    for run in search([*same, "tags.verdict = 'pass'"]):
        if _method(run) != (spec.sampler, spec.model):
            return str(run.info.run_id)
    return None


def find_flat(data_sha256: str) -> str | None:
    """The newest finished run of the flat model on this data that passed its verdict, or None."""
    return find_passed(data_sha256, "flat")


def find_passed(data_sha256: str, model: str) -> str | None:
    """The newest finished run of a model on this data that passed its verdict, or None."""
    passed = search(
        [
            equals("tags.`data.sha256`", data_sha256),
            "attributes.status = 'FINISHED'",
            "tags.verdict = 'pass'",
            equals("params.model", model),
        ]
    )
    return next((str(run.info.run_id) for run in passed), None)


def _files(run_id: str, folder: str | None) -> Iterator[str]:
    for entry in client().list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from _files(run_id, entry.path)
        else:
            yield str(entry.path)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _method(run: "Run") -> tuple[str | None, str | None]:
    return run.data.params.get("sampler"), run.data.params.get("model")


@contextmanager
def _artifact(run_id: str, path: str) -> Iterator[tuple[str, Path]]:
    """The full id of a run and a local copy of one of its artifacts, for as long as it is open."""
    run = searching.find_run(run_id)
    full_id, status = str(run.info.run_id), run.info.status
    with tempfile.TemporaryDirectory(prefix="tallgrass-") as folder:
        with translated(f"read {path} of run {full_id}, which is {status}", "was it moved away?"):
            local = Path(client().download_artifacts(full_id, path, folder))
        yield full_id, local
