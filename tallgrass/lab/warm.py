"""Compile the common models beforehand, so that no run has to wait for it.

Each is carried out once, as a run of few draws on simulated data in a store of its own that is
thrown away. So all that a run compiles is compiled with the types that runs have: the model, the
diagnostics, the fit checks, the figures' fonts.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tallgrass.errors import SamplingError, SpecError, nearest
from tallgrass.machine import usable_cores

_SHORT = ("--draws", "60", "--tune", "60", "--chains", "2", "--progress", "none")
_CALIBRATE = ("calibrate", "--responses", "simulated")
# The ones that are used most come first.
COMMANDS: dict[str, tuple[str, ...]] = {
    "hierarchical": ("run", "--session", "simulated", "--model", "hierarchical", *_SHORT),
    "flat": ("run", "--session", "simulated", "--model", "flat", *_SHORT),
    "joint": ("run", "--session", "simulated", "--model", "joint", *_SHORT),
    "two-dimensional": ("run", "--session", "simulated", "--dims", "2", *_SHORT),
    "dynamic": ("run", "--session", "simulated", "--model", "dynamic", *_SHORT),
    "nuts": (*_CALIBRATE, "--engine", "nuts", *_SHORT),
    "gibbs": (*_CALIBRATE, "--engine", "gibbs", *_SHORT),
    "map": (*_CALIBRATE, "--engine", "map"),
    "mml": (*_CALIBRATE, "--engine", "mml"),
}

logger = logging.getLogger(__name__)


def warm(
    names: Sequence[str] = (), report: Callable[[str, float], None] | None = None
) -> dict[str, float]:
    """Compile models, side by side on the cores of this machine.

    Parameters
    ----------
    names : sequence of str
        Keys of ``COMMANDS``; by default all of them.
    report : callable, optional
        Called with the name and the seconds of each one that is done.

    Returns
    -------
    dict of str to float
        Seconds that each took.

    Raises
    ------
    SpecError
        When a name is unknown.
    SamplingError
        When one of the runs failed.

    Examples
    --------
    >>> from tallgrass.lab.warm import warm
    >>> warm(["flat"])
    {'flat': 14.2}
    """
    for name in names:
        if name not in COMMANDS:
            raise SpecError("unknown model to compile", name, nearest(name, list(COMMANDS)))
    chosen = list(dict.fromkeys(names)) or list(COMMANDS)

    def carry_out(name: str) -> float:
        seconds = compile_one(name)
        if report is not None:
            report(name, seconds)
        return seconds

    with ThreadPoolExecutor(min(usable_cores(), len(chosen))) as pool:
        return dict(zip(chosen, pool.map(carry_out, chosen), strict=True))


def compile_one(name: str) -> float:
    """Seconds of one run in a process and a folder of its own."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tallgrass-warm-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tallgrass", *COMMANDS[name]],
            cwd=folder,
            env=_environment(Path(folder)),
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode not in (0, 3):  # 3: so few draws do not converge
        reason = done.stderr.strip().splitlines()[-1:]
        raise SamplingError(f"cannot compile the model {name}", "".join(reason) or None)
    return time.perf_counter() - began


def _environment(folder: Path) -> dict[str, str]:
    """The environment without what the user chose for real runs."""
    ours = ("TALLGRASS_", "MLFLOW_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "TALLGRASS_STATE_DIR": str(folder / "state"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "OMP_NUM_THREADS": "1",
    }
