"""What a calibration says of items: estimates, drift of anchors, agreement of methods."""

from tallgrass.calibration.agreement import Agreement, agreement
from tallgrass.calibration.drift import (
    drift_in_words,
    drift_table,
    drifted_anchors,
    undrifted,
)
from tallgrass.calibration.publication import publish
from tallgrass.calibration.tables import Calibrated, of_estimates, of_trace, trace_of_estimates

__all__ = [
    "Agreement",
    "Calibrated",
    "agreement",
    "drift_in_words",
    "drift_table",
    "drifted_anchors",
    "of_estimates",
    "of_trace",
    "publish",
    "trace_of_estimates",
    "undrifted",
]
