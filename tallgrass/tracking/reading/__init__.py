"""Read from MLflow: tables of runs, their traces, specs and comparisons."""

from tallgrass.tracking.reading.comparison import (
    MEASURES,
    compare,
    markdown,
    passing,
    passing_values,
    side_by_side,
)
from tallgrass.tracking.reading.experiments import (
    finished_children,
    load_many,
    parent_of,
    table,
)
from tallgrass.tracking.reading.listing import listed
from tallgrass.tracking.reading.records import (
    details,
    find_run,
    load_trace,
    looks_like_a_run,
    promote,
)
from tallgrass.tracking.reading.searching import (
    experiment_in_use,
    experiment_name,
    home,
    newest_parent,
)

__all__ = [
    "MEASURES",
    "compare",
    "details",
    "experiment_in_use",
    "experiment_name",
    "find_run",
    "finished_children",
    "home",
    "listed",
    "load_many",
    "load_trace",
    "looks_like_a_run",
    "markdown",
    "newest_parent",
    "parent_of",
    "passing",
    "passing_values",
    "promote",
    "side_by_side",
    "table",
]
