"""Everything that is written to MLflow: one sampling run, opened, filled and always closed."""

from tallgrass.store import connect
from tallgrass.tracking.children import Child, children, close_dead
from tallgrass.tracking.opening import start_run
from tallgrass.tracking.orphans import Orphan, close_orphans
from tallgrass.tracking.run import ActiveRun
from tallgrass.tracking.spool import deliver

__all__ = [
    "ActiveRun",
    "Child",
    "Orphan",
    "children",
    "close_dead",
    "close_orphans",
    "connect",
    "deliver",
    "start_run",
]
