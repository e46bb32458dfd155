"""The study of a run whose process is gone, prepared again by the wing that it is of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from tallgrass.errors import DataError, TrackingError
from tallgrass.items.recovered import recovered_calibration
from tallgrass.machine import Finding
from tallgrass.own.recovered import recovered_model
from tallgrass.own.study import KIND as OWN
from tallgrass.own.study import KIND_TAG
from tallgrass.rollcalls.recovered import recovered_link, recovered_run
from tallgrass.settings import Settings
from tallgrass.study.study import Study
from tallgrass.tracking.lifecycle import Status
from tallgrass.tracking.reading.records import artifact


def prepared_again(
    trace: xr.DataTree | None, status: Status, settings: Settings, tags: Mapping[str, str]
) -> Study[Any]:
    """The run's study, prepared again by the wing that it is of."""
    if not tags and trace is not None:  # a store that is gone: the draws say what they are of
        about = {str(key): str(value) for key, value in trace.attrs.items()}
        tags = {KIND_TAG: OWN} if about.get("kind") == OWN else {"model": about.get("model", "")}
    model = "" if KIND_TAG in tags else tags.get("model", "")
    if model == "link":
        return recovered_link(status.run_id)
    working_dir, findings = Path(status.working_dir), _findings(status.run_id)
    if tags.get(KIND_TAG) == OWN:
        return recovered_model(trace, status.run_id, findings, tags.get("baseline.run_id"))
    if model == "items":
        sha256 = tags.get("data.sha256", "")
        return recovered_calibration(trace, status.run_id, settings, working_dir, findings, sha256)
    if trace is None or "spec" not in trace.attrs:
        raise DataError(
            "the draws do not say which run they are of",
            status.run_id,
            f"keep them alone with: tallgrass recover {status.run_id[:8]} --draws-only",
        )
    # A session that is given by its bare name is looked for where it was when the run was made.
    data_dir = Path(status.data_dir) if status.data_dir else settings.data_dir
    settings = settings.model_copy(update={"data_dir": data_dir})
    return recovered_run(trace, settings, working_dir, findings, tags.get("baseline.run_id"))


def _findings(run_id: str) -> tuple[Finding, ...]:
    """What was found about the machine when the run was made; nothing where that was not stored."""
    try:
        with artifact(run_id, "env/machine.json") as (_, path):
            return tuple(Finding(**record) for record in json.loads(path.read_text("utf-8")))
    except TrackingError:
        return ()
