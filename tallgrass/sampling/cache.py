"""Numba's cache on disk, mended: a file that was cut short must not stop every later run."""

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from pytensor.link.numba.cache import NUMBA_CACHE_PATH

from tallgrass.kernel import loglik_and_gradient
from tallgrass.kernel_sparse import sparse_loglik_and_gradient


def with_readable_cache[T](make: Callable[[], T]) -> T:
    """What ``make`` returns; where numba meets a file it cannot read, its cache is emptied first.

    Numba moves finished files into place, but a power cut or a full disk can still leave one that
    is cut short, and numba raises whenever it meets it.
    """
    try:
        return make()
    except Exception as error:
        if not _is_unreadable(error):
            raise
        empty_cache()
        return make()


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
