"""A run as a process of this machine: slot, status, signals, and what it leaves when it dies."""

from tallgrass.tracking.lifecycle.folders import (
    DRAWS,
    SPOOL,
    Status,
    all_statuses,
    check_there,
    fate_of,
    prune,
    read_status,
    recoverable,
    remove,
    run_folder,
    state_dir,
    state_dir_if_any,
    waiting,
    write_status,
)
from tallgrass.tracking.lifecycle.life import Life, alive, live_metrics
from tallgrass.tracking.lifecycle.owner import Fate, Owner, identity, this_host, this_owner
from tallgrass.tracking.lifecycle.owning import fate, fate_of_tags, owned
from tallgrass.tracking.lifecycle.signals import asked_to_stop, graceful
from tallgrass.tracking.lifecycle.slots import Slot, slot
from tallgrass.tracking.lifecycle.stores import note_store, seen_stores

__all__ = [
    "DRAWS",
    "SPOOL",
    "Fate",
    "Life",
    "Owner",
    "Slot",
    "Status",
    "alive",
    "all_statuses",
    "asked_to_stop",
    "check_there",
    "fate",
    "fate_of",
    "fate_of_tags",
    "graceful",
    "identity",
    "live_metrics",
    "note_store",
    "owned",
    "prune",
    "read_status",
    "recoverable",
    "remove",
    "run_folder",
    "seen_stores",
    "slot",
    "state_dir",
    "state_dir_if_any",
    "this_host",
    "this_owner",
    "waiting",
    "write_status",
]
