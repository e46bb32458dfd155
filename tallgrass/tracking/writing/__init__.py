"""Write runs to MLflow: open them, log to them and always close them."""

from tallgrass.tracking.store import connect
from tallgrass.tracking.writing.child_runs import WITHOUT_A_WORD, Child, children, close_dead
from tallgrass.tracking.writing.model import ALIAS, Served, log_model, register
from tallgrass.tracking.writing.nesting import (
    PARENT_TAG,
    Outer,
    experiment_of,
    joined,
    outer_run,
)
from tallgrass.tracking.writing.opening import EXPERIMENT, start_run
from tallgrass.tracking.writing.orphans import Orphan, close_orphans
from tallgrass.tracking.writing.run import ActiveRun
from tallgrass.tracking.writing.spool import deliver

__all__ = [
    "ALIAS",
    "EXPERIMENT",
    "PARENT_TAG",
    "WITHOUT_A_WORD",
    "ActiveRun",
    "Child",
    "Orphan",
    "Outer",
    "Served",
    "children",
    "close_dead",
    "close_orphans",
    "connect",
    "deliver",
    "experiment_of",
    "joined",
    "log_model",
    "outer_run",
    "register",
    "start_run",
]
