"""Numba's cache on disk, mended and kept private: it holds pickles, and pickles can run code."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from traceback import walk_tb
from typing import Any

from numba.core import caching
from numba.core.dispatcher import Dispatcher
from pytensor.link.numba.cache import NUMBA_CACHE_PATH

from tallgrass.errors import SamplingError, TallgrassError

_OURS = "tallgrass."  # modules whose compiled functions are ours


def with_readable_cache[T](make: Callable[[], T]) -> T:
    """What ``make`` returns; where numba meets a file it cannot read, its cache is emptied first.

    Numba moves finished files into place, but a power cut or a full disk can still leave one that
    is cut short, and numba raises whenever it meets it.

    Raises
    ------
    SamplingError
        When the cache is a folder of another user.
    """
    keep_private()
    try:
        return make()
    except Exception as error:
        if not _is_unreadable(error):
            raise
        empty_cache()
        return make()


@contextmanager
def mended_cache() -> Iterator[None]:
    """Where a stored function of our own cannot be read, empty the cache: the next run makes it.

    Raises
    ------
    SamplingError
        When that happened.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, TallgrassError) or not _is_unreadable(error):
            raise
        empty_cache()
        raise SamplingError(
            "stored machine code was cut short, as by a power cut or a full disk",
            mend="It has been removed: run the command again. Draws that were made are kept",
        ) from error


def keep_private(folder: Path = NUMBA_CACHE_PATH) -> None:
    """Have nobody but its owner write the cache, and nobody else have written it before.

    Whoever may write there has their code run by the next compilation. Windows keeps users apart
    by the folder that the cache is in by default.

    Raises
    ------
    SamplingError
        When the folder belongs to another user.
    """
    if not hasattr(os, "getuid"):
        return
    about, me = folder.stat(), os.getuid()
    if about.st_uid != me:
        raise SamplingError(
            "the folder of compiled code belongs to another user, whose code it could run",
            str(folder),
            "name one of your own: PYTENSOR_FLAGS=base_compiledir=$HOME/.pytensor",
        )
    if stat.S_IMODE(about.st_mode) != stat.S_IRWXU:
        folder.chmod(stat.S_IRWXU)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.stat(follow_symlinks=False).st_uid != me or entry.is_symlink():
                Path(entry.path).unlink(missing_ok=True)


def empty_cache() -> None:
    """Remove PyTensor's compiled functions from disk, and our own; they are made again."""
    for pattern in ("*.nbi", "*.nbc"):
        for path in NUMBA_CACHE_PATH.glob(pattern):
            path.unlink(missing_ok=True)
    # All of them: each has a file of its own, which is read when a function that calls it is made.
    ours = [module for name, module in sys.modules.items() if name.startswith(_OURS)]
    for function in (x for module in ours for x in vars(module).values()):
        if isinstance(function, Dispatcher):
            function._cache.flush()  # type: ignore[attr-defined]


def _is_unreadable(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is numba's over a pickle that is cut short."""
    seen: list[Any] = []
    while error is not None and error not in seen:
        if isinstance(error, (EOFError, UnpicklingError)) and _is_from_numba(error):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def _is_from_numba(error: BaseException) -> bool:
    # A worker that died ends in an EOFError too.
    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    return caching.__file__ in files
