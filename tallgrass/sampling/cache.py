"""Numba's cache on disk, mended and kept private: it holds pickles, and pickles can run code."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from pytensor.link.numba.cache import NUMBA_CACHE_PATH

from tallgrass.errors import SamplingError
from tallgrass.kernel import loglik_and_gradient
from tallgrass.kernel_sparse import sparse_loglik_and_gradient


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
    """Remove PyTensor's compiled functions from disk, and the kernels'; they are made again."""
    for pattern in ("*.nbi", "*.nbc"):
        for path in NUMBA_CACHE_PATH.glob(pattern):
            path.unlink(missing_ok=True)
    loglik_and_gradient._cache.flush()
    sparse_loglik_and_gradient._cache.flush()


def _is_unreadable(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is that of a pickle that is cut short."""
    seen: list[Any] = []
    while error is not None and error not in seen:
        if isinstance(error, (EOFError, UnpicklingError)):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False
