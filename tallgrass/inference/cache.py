"""Numba's cache on disk, kept readable and private: it holds pickles, and pickles can run code."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pickle import UnpicklingError
from traceback import walk_tb
from typing import Any

import numba
from numba.extending import is_jitted
from pytensor.link.numba.cache import NUMBA_CACHE_PATH

from tallgrass.errors import SamplingError, TallgrassError

_OURS = "tallgrass."  # how names of modules begin whose compiled functions are ours
_CODE_FILES = ("*.nbi", "*.nbc")  # numba's index of a function, and its machine code
_NUMBA = Path(numba.__file__).parent


def with_readable_cache[T](make: Callable[[], T]) -> T:
    """Call ``make``; where numba cannot read a stored file, empty its cache and call it again.

    Numba moves finished files into place, but a power cut or a full disk can still leave a file
    that is cut short. Numba raises an error whenever it reads such a file.

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
    """Where a stored function of our own cannot be read, empty the cache for the next run.

    Raises
    ------
    SamplingError
        When a stored function could not be read.
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
    """Let only the owner write the cache, and remove what others have written before.

    The next compilation runs the code that it finds there, whoever wrote it. On Windows the folder
    where the cache is by default is private to the user.

    Raises
    ------
    SamplingError
        When the folder belongs to another user.
    """
    if not hasattr(os, "getuid"):
        return
    status, user = folder.stat(), os.getuid()
    if status.st_uid != user:
        raise SamplingError(
            "the folder of compiled code belongs to another user, whose code it could run",
            str(folder),
            "name one of your own: PYTENSOR_FLAGS=base_compiledir=$HOME/.pytensor",
        )
    if stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
        folder.chmod(stat.S_IRWXU)
    with os.scandir(folder) as entries:
        for entry in entries:
            # Another run moves files that it has written meanwhile.
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_uid != user or entry.is_symlink():
                    Path(entry.path).unlink(missing_ok=True)


def empty_cache() -> None:
    """Remove PyTensor's compiled functions from disk, and our own; they are compiled again."""
    # Each function of ours has its own file. Numba reads it also when it compiles a function that
    # calls ours, so that all of them are removed.
    modules = [module for name, module in sys.modules.items() if name.startswith(_OURS)]
    jitted = [x for module in modules for x in vars(module).values() if is_jitted(x)]
    places = [function.stats.cache_path for function in jitted]  # None where it is not stored
    for folder in {NUMBA_CACHE_PATH, *(Path(place) for place in places if place)}:
        for pattern in _CODE_FILES:
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)


def _is_unreadable(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is numba's about a stored file.

    The file is cut short, or names a class that was renamed since it was written.
    """
    seen: list[Any] = []
    while error is not None and error not in seen:
        if isinstance(error, (EOFError, UnpicklingError)) and _is_from_numba(error):
            return True
        if isinstance(error, (AttributeError, ImportError)) and _is_from_numba(error, "caching.py"):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def _is_from_numba(error: BaseException, name: str = "") -> bool:
    """Whether an error was raised in numba, or in its file of this name."""
    # A worker process that died causes an EOFError too, outside of numba.
    files = [Path(frame.f_code.co_filename) for frame, _ in walk_tb(error.__traceback__)]
    return any(_NUMBA in file.parents and name in ("", file.name) for file in files)
