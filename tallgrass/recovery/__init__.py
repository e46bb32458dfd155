"""What a dead run left on this machine: found, finished with the draws it has, or discarded."""

from tallgrass.recovery.dead_runs import Remains, connect, discard, find, remains
from tallgrass.recovery.finishing import Recovered, finish

__all__ = ["Recovered", "Remains", "connect", "discard", "find", "finish", "remains"]
