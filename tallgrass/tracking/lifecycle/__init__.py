"""A run as a process of this machine: slot, status, signals, and what it leaves when it dies."""

from tallgrass.tracking.lifecycle.folders import (
    DRAWS,
    SPOOL,
    Status,
    all_statuses,
    process_is_alive,
    prune,
    read_status,
    recoverable,
    run_folder,
    state_dir,
    waiting,
    write_status,
)
from tallgrass.tracking.lifecycle.life import Life, alive, identity, live_metrics, this_host
from tallgrass.tracking.lifecycle.signals import asked_to_stop, graceful
from tallgrass.tracking.lifecycle.slots import Slot, slot

__all__ = [
    "DRAWS",
    "SPOOL",
    "Life",
    "Slot",
    "Status",
    "alive",
    "all_statuses",
    "asked_to_stop",
    "graceful",
    "identity",
    "live_metrics",
    "process_is_alive",
    "prune",
    "read_status",
    "recoverable",
    "run_folder",
    "slot",
    "state_dir",
    "this_host",
    "waiting",
    "write_status",
]
