"""Write runs to MLflow: open them, log to them and always close them."""

from tallgrass.tracking.store import connect
from tallgrass.tracking.writing.child_runs import Child, children, close_dead
from tallgrass.tracking.writing.nesting import PARENT_TAG, Outer, outer_run
from tallgrass.tracking.writing.opening import start_run
from tallgrass.tracking.writing.orphans import Orphan, close_orphans
from tallgrass.tracking.writing.run import ActiveRun
from tallgrass.tracking.writing.spool import deliver

__all__ = [
    "PARENT_TAG",
    "ActiveRun",
    "Child",
    "Orphan",
    "Outer",
    "children",
    "close_dead",
    "close_orphans",
    "connect",
    "deliver",
    "outer_run",
    "start_run",
]
