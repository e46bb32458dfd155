"""Everything that is read from MLflow: runs as tables, their traces, specs and comparisons."""

from tallgrass.history.comparison import compare, markdown, passing
from tallgrass.history.listing import runs
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
from tallgrass.history.searching import home

__all__ = [
    "compare",
    "details",
    "find_baseline",
    "find_flat",
    "find_run",
    "home",
    "ideal_points",
    "load_trace",
    "markdown",
    "passing",
    "promote",
    "rerun_spec",
    "runs",
]
