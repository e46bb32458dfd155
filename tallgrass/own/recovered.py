"""Runs of a user's own model whose process is gone, prepared again to be finished."""

from typing import TYPE_CHECKING

from tallgrass.errors import DataError
from tallgrass.inference.spec import AUTO
from tallgrass.machine import Finding
from tallgrass.own.study import DESCRIPTION, OwnStudy, description_of
from tallgrass.tracking.reading.records import artifact, details

if TYPE_CHECKING:
    from xarray import DataTree

_NUMBERS = ("draws", "tune", "chains", "seed", "target_accept")  # params of a sampled run


def recovered_model(
    trace: "DataTree | None", run_id: str, findings: tuple[Finding, ...], baseline: str | None
) -> OwnStudy:
    """The study that draws are of. The model itself is not needed: its code is never run again.

    Parameters
    ----------
    trace : DataTree or None
        The draws that are left.
    run_id : str
        The run, which holds what the model is made of.
    findings : tuple of Finding
        What was found about the machine when the run was made.
    baseline : str or None
        Id of the run that it was to be compared with.

    Raises
    ------
    DataError
        When there are no draws, or the run does not say what its model is.
    """
    if trace is None:
        raise DataError("no draws are left of the run", run_id)
    with artifact(run_id, DESCRIPTION) as (_, path):
        description = description_of(path.read_text("utf-8"))
    params = details(run_id)["params"]
    if params.get("draws") == AUTO:  # as many as there are
        params = {**params, "draws": trace["posterior"].sizes["draw"]}
    return OwnStudy(
        trace.attrs["label"],
        description,
        baseline=baseline,
        compared=trace.attrs.get("compared", ""),
        found=findings,
        numbers={f"sampler/{name}": float(params[name]) for name in _NUMBERS if name in params},
    )
