"""Everything that is read from MLflow: runs as tables, their traces, specs and comparisons."""

from tallgrass.history.comparison import MEASURES, compare, markdown, passing
from tallgrass.history.listing import runs
from tallgrass.history.many import load_many, parent_of, table
from tallgrass.history.records import (
    details,
    find_baseline,
    find_flat,
    find_run,
    ideal_points,
    load_trace,
    promote,
    rerun_spec,
)
from tallgrass.history.searching import experiment_in_use, experiment_name, home, newest_parent

__all__ = [
    "MEASURES",
    "compare",
    "details",
    "experiment_in_use",
    "experiment_name",
    "find_baseline",
    "find_flat",
    "find_run",
    "home",
    "ideal_points",
    "load_many",
    "load_trace",
    "markdown",
    "newest_parent",
    "parent_of",
    "passing",
    "promote",
    "rerun_spec",
    "runs",
    "table",
]
