"""Read the records of one run: its trace, spec and tables; and promote it to a baseline."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.errors import TrackingError
from tallgrass.tracking import address
from tallgrass.tracking.pages import page
from tallgrass.tracking.reading import searching
from tallgrass.tracking.store import client, masked, translated

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataTree

TRACE, SPEC = "trace/idata.nc", "spec/run.json"
PRUNED = "trace.pruned"  # the tag that says when a trace was removed


def find_run(run_id: str) -> str:
    """The full id of a run, from the id or the beginning of it (at least four characters).

    Raises
    ------
    TrackingError
        When there is no such run, or more than one.
    """
    return searching.find_run(run_id).info.run_id


def details(run_id: str) -> dict[str, Any]:
    """All that MLflow stores about a run: times, params, metrics, tags and paths of artifacts.

    Raises
    ------
    TrackingError
        When there is no such run, or more than one.
    """
    run = searching.find_run(run_id)
    info = run.info
    sizes = artifact_sizes(info.run_id, info.artifact_uri)
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
        "artifacts": list(sizes),
        "sizes": sizes,
        "artifact_uri": masked(info.artifact_uri),
        "ui_url": page(info.experiment_id, info.run_id),
    }


def artifact_sizes(run_id: str, artifact_uri: str) -> dict[str, int]:
    """Bytes of every artifact of a run, by path.

    Raises
    ------
    TrackingError
        When the artifacts cannot be listed.
    """
    folder = address.local_path(artifact_uri)
    if folder is None:
        with translated(f"list the artifacts of run {run_id}"):
            return dict(sorted(_listed_by_mlflow(run_id, None)))
    sizes = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # its run, or prune, has replaced it meanwhile
            if path.is_file():
                sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    return sizes


def load_trace(run_id: str) -> "DataTree":
    """The draws of a run with all their groups, in memory; ``attrs["run_id"]`` is its full id.

    Raises
    ------
    TrackingError
        When the run is unknown or has no readable trace.

    Examples
    --------
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> trace = tg.load_trace(run_id)
    >>> trace.attrs["run_id"] == run_id
    True
    """
    from tallgrass.inference.storage import read_file

    run = searching.find_run(run_id)
    full_id = run.info.run_id
    try:
        with artifact(full_id, TRACE) as (_, path), translated(f"read the trace of run {full_id}"):
            trace = read_file(path)
    except TrackingError as error:
        if (at := run.data.tags.get(PRUNED)) is None:
            raise
        what = f"run {full_id} has no draws any more: its trace was pruned on {at[:10]}"
        raise TrackingError(what, None, "its tables and its report are still there") from error
    trace.attrs["run_id"] = full_id
    return trace


def looks_like_a_run(text: str) -> bool:
    """Whether a text can be the id of a run or the beginning of one."""
    return bool(re.fullmatch(r"[0-9a-f]{4,32}", text))


def stored_table(run_id: str, path: str) -> "DataFrame":
    """A stored table of a run; ``path`` is that of the JSON artifact.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    import pandas as pd

    # Not the CSV file, where text that looks like a formula is changed for spreadsheets.
    with artifact(run_id, path) as (_, local):
        stored = json.loads(local.read_text("utf-8"))
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


def _listed_by_mlflow(run_id: str, folder: str | None) -> Iterator[tuple[str, int]]:
    for entry in client().list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from _listed_by_mlflow(run_id, entry.path)
        else:
            yield str(entry.path), int(entry.file_size or 0)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


@contextmanager
def artifact(run_id: str, path: str) -> Iterator[tuple[str, Path]]:
    """The full id of a run and the path of one of its artifacts, while the context is open.

    It is the artifact itself where that is on this machine, and must not be changed.
    """
    run = searching.find_run(run_id)
    full_id, status = run.info.run_id, run.info.status
    folder_here = address.local_path(run.info.artifact_uri)
    if folder_here is not None:
        if not (folder_here / path).is_file():
            what = f"cannot read {path} of run {full_id}, which is {status} (there is no such file)"
            raise TrackingError(what, None, "was it moved away?")
        yield full_id, folder_here / path
        return
    with tempfile.TemporaryDirectory(prefix="tallgrass-") as folder:
        with translated(f"read {path} of run {full_id}, which is {status}", "was it moved away?"):
            local = Path(client().download_artifacts(full_id, path, folder))
        yield full_id, local
