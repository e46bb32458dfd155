"""Which parameters and settings the help of a command lists: those that the command uses.

Every command takes every setting, because one ``.env`` serves them all; the help of ``tallgrass
runs`` need not list how chains are sampled.
"""

from collections.abc import Iterable

from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

_ALL = frozenset(Settings.model_fields)
_LIMITS = frozenset(name for name in _ALL if name.startswith("limit_"))
_THRESHOLDS = frozenset(name for name in _ALL if name.startswith("threshold_"))
_STORE = frozenset({"tracking_uri", "state_dir"})  # where no store is, others are named from there
_OF_ITEMS = _ALL - {"data_dir"} - {name for name in _THRESHOLDS if "abs_r" in name}

SETTINGS: dict[str, frozenset[str]] = {
    "runs": _STORE | {"experiment"},
    "compare": _STORE | _THRESHOLDS | _LIMITS,
    "show": _STORE,
    "calibrate": _OF_ITEMS,
    "monthly": _OF_ITEMS,
    "score": _LIMITS | {"tracking_uri", "progress"},
    "log": _STORE | _THRESHOLDS | {"experiment", "trace_precision", "deliver_seconds"},
    "promote": _STORE,
    "moved": _STORE,
    "monitor": frozenset({"state_dir"}),
    "prune": _STORE | {"experiment"},
    "recover": _ALL - {"max_concurrent", "when_busy", "progress"},
    "simulate": frozenset({"progress"}),
    "example": frozenset(),
    "doctor": frozenset({"data_dir", "tracking_uri", "state_dir"}),
    "bench": _LIMITS | {"data_dir"},
    "warm": frozenset(),
    "ui": _STORE | {"experiment"},
}
"""By command the settings that it uses; one that is not named here uses all."""


def unused(command: str) -> set[str]:
    """The settings and parameters that the help of a command leaves out.

    Examples
    --------
    >>> "draws" in unused("run"), "threshold_rhat" in unused("monitor")
    (False, True)
    """
    left_out = set(_ALL - SETTINGS.get(command, _ALL))
    if command == "dims":
        left_out |= {"dims", *_beginning(("dynamic", "joint"))}
    return left_out


def _beginning(words: tuple[str, ...]) -> Iterable[str]:
    """Parameters of a run that only other models have, by how their description begins."""
    fields = RunSpec.model_fields.items()
    return (name for name, field in fields if (field.description or "").startswith(words))
