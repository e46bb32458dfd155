"""Everything that is read from MLflow: runs as tables, their traces, specs and comparisons."""

from tallgrass.history.comparison import compare, markdown, passing
from tallgrass.history.listing import runs
from tallgrass.history.records import (
    calibration_spec,
    details,
    find_baseline,
    find_flat,
    find_run,
    ideal_points,
    item_table,
    load_trace,
    looks_like_a_run,
    promote,
    rerun_spec,
)
from tallgrass.history.searching import home

__all__ = [
    "calibration_spec",
    "compare",
    "details",
    "find_baseline",
    "find_flat",
    "find_run",
    "home",
    "ideal_points",
    "item_table",
    "load_trace",
    "looks_like_a_run",
    "markdown",
    "passing",
    "promote",
    "rerun_spec",
    "runs",
]
