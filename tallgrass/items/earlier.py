"""Read earlier calibrations: their specs and tables of items."""

import json
from typing import TYPE_CHECKING

from tallgrass.items.spec import CalibrationSpec
from tallgrass.tracking.reading.records import SPEC, artifact, stored_table
from tallgrass.tracking.reading.searching import find_run

if TYPE_CHECKING:
    from pandas import DataFrame


def item_table(run_id: str) -> "DataFrame":
    """The stored table of items of a calibration, one row per item.

    Raises
    ------
    TrackingError
        When the run is unknown or not a calibration.
    """
    return stored_table(run_id, "tables/items.json")


def calibration_spec(run_id: str) -> CalibrationSpec | None:
    """The spec of a calibration, or None if the run is not a calibration.

    Raises
    ------
    TrackingError
        When the run is unknown, or is a calibration without a spec.
    """
    if "engine" not in find_run(run_id).data.tags:
        return None
    with artifact(run_id, SPEC) as (full_id, path):
        stored = json.loads(path.read_text("utf-8"))
    # Before populations could be free all were standard; to publish such a calibration again would
    # be wrong where it has anchors.
    if "population" not in stored and not stored.get("publish"):
        stored["population"] = "standard"
    if stored.get("responses") == "memory":  # they are kept with the run
        stored["responses"] = f"run:{full_id}"
    return CalibrationSpec.from_json(json.dumps(stored))
