"""Votes that this process has read, kept as long as their files stay as they are.

An experiment makes many runs on the same votes, and each reads them; a VoteMatrix never changes.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tallgrass.inputs.limits import Limits
from tallgrass.rollcalls.votes import VoteMatrix

_MOST = 8  # chambers
_UNSURE_NS = 2_000_000_000  # some file systems tell the time of a change to two seconds

_kept: dict[object, VoteMatrix] = {}


def kept(
    paths: Iterable[Path], chamber: str, limits: Limits, read: Callable[[], VoteMatrix]
) -> VoteMatrix:
    """The votes that ``read`` gives, of these files; read once.

    A file is another one where its path, size, time of change or place on the disk is. Files that
    have changed a moment ago are read every time: the next change could not be told from the last.
    """
    states = [_state(path) for path in paths]
    now_ns = time.time_ns()
    if any(state is None or now_ns - state[-1] < _UNSURE_NS for state in states):
        return read()
    key = (tuple(states), chamber, limits)
    votes = _kept.pop(key, None)
    if votes is None:
        votes = read()
    _kept[key] = votes  # the one used last is at the end
    while len(_kept) > _MOST:
        _kept.pop(next(iter(_kept)), None)
    return votes


def _state(path: Path) -> tuple[str, int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:  # whoever reads it says what is wrong
        return None
    changed_ns = max(found.st_mtime_ns, found.st_ctime_ns)
    return str(path), found.st_dev, found.st_ino, found.st_size, changed_ns
