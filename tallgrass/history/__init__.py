"""Everything that is read from MLflow: runs as tables, their traces, specs and comparisons."""

from tallgrass.history.comparison import MEASURES, compare, markdown, passing
from tallgrass.history.listing import runs
from tallgrass.history.many import load_many, parent_of, table
from tallgrass.history.records import (
    calibration_spec,
    details,
    find_baseline,
    find_flat,
    find_passed,
    find_run,
    ideal_points,
    item_table,
    load_trace,
    looks_like_a_run,
    promote,
    rerun_spec,
    rollcalls_table,
)
from tallgrass.history.searching import experiment_in_use, experiment_name, home, newest_parent

__all__ = [
    "MEASURES",
    "calibration_spec",
    "compare",
    "details",
    "experiment_in_use",
    "experiment_name",
    "find_baseline",
    "find_flat",
    "find_passed",
    "find_run",
    "home",
    "ideal_points",
    "item_table",
    "load_many",
    "load_trace",
    "looks_like_a_run",
    "markdown",
    "newest_parent",
    "parent_of",
    "passing",
    "promote",
    "rerun_spec",
    "rollcalls_table",
    "runs",
    "table",
]
