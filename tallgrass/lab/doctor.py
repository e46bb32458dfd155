"""What keeps a run from working on this machine, looked for piece by piece."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from tallgrass.errors import TallgrassError, first_line, shown
from tallgrass.escaping import masked
from tallgrass.lab import warm
from tallgrass.machine import available_memory, usable_cores
from tallgrass.rollcalls.sources import available_sessions
from tallgrass.settings import Settings
from tallgrass.tracking import address, store
from tallgrass.tracking.lifecycle.folders import state_dir

_GIB = 1024**3
_FEW_GIB = 1.0
_ROOT = Path(__file__).parents[2]  # of the checkout, where this is one
_COMPILERS = ("gcc", "g++", "clang", "c++")
_LISTED = 3  # names in one line


class Finding(NamedTuple):
    """One thing looked at.

    Parameters
    ----------
    about : str
        What was looked at, in a word or two.
    status : str
        ``ok``, ``note`` (works, and is worth knowing) or ``wrong`` (a run will fail).
    found : str
        What was seen.
    mend : str
        What to do about it; empty where nothing is to be done.
    """

    about: str
    status: Literal["ok", "note", "wrong"]
    found: str
    mend: str = ""


def examine(settings: Settings, sampling: bool = True) -> Iterator[Finding]:
    """Look at everything that a run needs, the quick things first.

    Parameters
    ----------
    settings : Settings
        Where store, data and state are.
    sampling : bool
        Whether a short run is made too, in a store of its own that is thrown away.

    Yields
    ------
    Finding
        One a thing; a check that fails in an unforeseen way is itself a finding.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("lock", _lock),
        ("compiler", _compiler),
        ("processor", _processor),
        ("threads", _threads),
        ("store", lambda: _store(settings)),
        ("state", lambda: _state(settings)),
        ("disk", _disk),
        ("data", lambda: _data(settings)),
    ]
    if sampling:
        checks.append(("sampling", _sampling))
    for about, check in checks:
        try:
            yield check()
        except TallgrassError as error:
            received = f": {shown(error.received)}" if error.received is not None else ""
            yield Finding(about, "wrong", masked(error.what) + received, error.mend)
        except Exception as error:  # what breaks a check breaks runs too
            yield Finding(about, "wrong", f"{type(error).__name__}: {first_line(error)}")


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    return Finding("Python", "ok", found)


def _packages() -> Finding:
    """Whether the versions installed are in the ranges that the package declares."""
    wrong, n = [], 0
    for line in requires("tallgrass") or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        n += 1
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} is not {requirement.specifier}")
    if wrong:
        mend = "install tallgrass again, in an environment of its own"
        return Finding("packages", "wrong", _some(wrong), mend)
    return Finding("packages", "ok", f"{n} in the ranges that were declared")


def _lock() -> Finding:
    """How the versions installed differ from those that were tested together."""
    path = _ROOT / "requirements.lock"
    if not path.is_file():
        return Finding("lock", "ok", "none here: this is an installed package, not a checkout")
    pins = [line.split("==") for line in path.read_text("utf-8").split()]
    other = []
    for name, pinned in pins:
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "missing"
        if installed != pinned:
            other.append(f"{name} {installed} (tested: {pinned})")
    if other:
        mend = "make clean run installs what was tested"
        return Finding("lock", "note", f"{len(other)} of {len(pins)} differ: {_some(other)}", mend)
    return Finding("lock", "ok", f"{len(pins)} packages as tested")


def _compiler() -> Finding:
    for name in _COMPILERS:
        if path := shutil.which(name):
            return Finding("compiler", "ok", f"{name} at {path}; models are compiled by Numba")
    found = "no C++ compiler; models are compiled by Numba, which needs none"
    mend = "a PyMC model of yours may need one for operations that Numba lacks: install g++"
    return Finding("compiler", "note", found, mend)


def _processor() -> Finding:
    found = f"{usable_cores()} cores, {available_memory() / _GIB:.1f} GiB of memory free"
    if usable_cores() == 1:
        return Finding("processor", "note", found, "chains run one after the other")
    return Finding("processor", "ok", found)


def _threads() -> Finding:
    import numpy  # noqa: F401  (its BLAS is what is looked at)
    from threadpoolctl import threadpool_info

    pools = [f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()]
    found = f"{', '.join(pools) or 'none'}; capped while chains run"
    return Finding("threads", "ok", found)


def _store(settings: Settings) -> Finding:
    if settings.tracking_uri:
        address.choose(settings.tracking_uri)
    uri = address.in_use()
    if uri.startswith("sqlite:///"):
        path = Path(uri.removeprefix("sqlite:///"))
        if not path.exists():  # connecting would make it
            if os.access(path.parent, os.W_OK):
                return Finding("store", "ok", f"{masked(uri)}: the first run makes it")
            mend = "choose another with --tracking-uri"
            return Finding("store", "wrong", f"{path.parent} cannot be written", mend)
    store.connect(settings.tracking_uri)
    return Finding("store", "ok", f"{masked(uri)} answers")


def _state(settings: Settings) -> Finding:
    folder = state_dir(settings.state_dir)
    return Finding("state", "ok", f"draws under way are kept in {folder}")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / _GIB
    found = f"{free:.1f} GiB free in {Path.cwd()}"
    if free < _FEW_GIB:
        return Finding("disk", "note", found, "a run takes 5 to 30 MB; tallgrass prune makes room")
    return Finding("disk", "ok", found)


def _data(settings: Settings) -> Finding:
    sessions = available_sessions(settings.data_dir)
    if not sessions:
        mend = "name them with --data-dir, or: tallgrass example kansas-like"
        return Finding("data", "note", f"no sessions in {settings.data_dir}", mend)
    return Finding("data", "ok", f"{settings.data_dir}: {_some(list(sessions))}")


def _sampling() -> Finding:
    began = time.perf_counter()
    warm.compile_one("flat")
    seconds = time.perf_counter() - began
    return Finding("sampling", "ok", f"a small model, from start to report, in {seconds:.0f} s")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
