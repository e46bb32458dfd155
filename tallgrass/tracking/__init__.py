"""Everything that is written to MLflow: one sampling run, opened, filled and always closed."""

from tallgrass.store import connect
from tallgrass.tracking.children import Child, children, close_dead
from tallgrass.tracking.opening import start_run
from tallgrass.tracking.run import ActiveRun

__all__ = ["ActiveRun", "Child", "children", "close_dead", "connect", "start_run"]
