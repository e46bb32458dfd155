"""Earlier calibrations, read back: their specs and tables of items."""

import json
from typing import TYPE_CHECKING

from tallgrass.items.spec import CalibrationSpec
from tallgrass.tracking.reading.records import SPEC, artifact, stored_table

if TYPE_CHECKING:
    from pandas import DataFrame


def item_table(run_id: str) -> "DataFrame":
    """The table of items of a calibration, one row an item, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or is no calibration.
    """
    return stored_table(run_id, "tables/items.json")


def calibration_spec(run_id: str) -> CalibrationSpec | None:
    """The spec of a calibration, or None where the run is another kind of run.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no spec.
    """
    with artifact(run_id, SPEC) as (_, path):
        text = path.read_text("utf-8")
    return CalibrationSpec.from_json(text) if "engine" in json.loads(text) else None
