"""Thin or remove the trace of a run whose artifacts are on this machine.

MLflow's client has no call that removes an artifact of a run that stays, so it is done for files
alone. The run says in a tag what became of its draws, before they go.
"""

from datetime import UTC, datetime
from pathlib import Path

from tallgrass.errors import TrackingError
from tallgrass.tracking.store import client, translated


def remove_trace(run_id: str, path: Path, tag: str) -> int:
    """Remove a trace; returns the bytes that are free again.

    Parameters
    ----------
    run_id : str
        The run.
    path : Path
        The file of its trace.
    tag : str
        The tag that will hold the moment.

    Raises
    ------
    TrackingError
        When the tag cannot be set or the file not be removed.
    """
    with translated(f"remove the trace of run {run_id}"):
        client().set_tag(run_id, tag, datetime.now(UTC).isoformat("T", "seconds"))
        size = path.stat().st_size
        path.unlink()
    return size


def thin_trace(run_id: str, path: Path, step: int, tag: str) -> int:
    """Keep every ``step``-th draw of a trace; returns the bytes that are free again.

    The file is replaced in one step, so that a reader finds the old or the new one.

    Parameters
    ----------
    tag : str
        The tag that will say of how many draws one was kept.

    Raises
    ------
    TrackingError
        When the trace cannot be read or written.
    """
    from tallgrass.inference.storage import THINNED, file_of, read_file, thinned

    size = path.stat().st_size
    temporary = path.with_name(path.name + ".new")
    try:
        with translated(f"thin the trace of run {run_id}"):
            fewer = thinned(read_file(path), step)
            temporary.write_bytes(file_of(fewer))
            client().set_tag(run_id, tag, str(fewer.attrs[THINNED]))
            temporary.replace(path)
            return size - path.stat().st_size
    except ValueError as error:
        raise TrackingError(f"the trace of run {run_id} cannot be read", str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
