"""A home for caches where the user has none: in containers a user often has no folder to write.

Numba, PyTensor, Matplotlib and ArviZ keep caches in the home folder, and some of them fail where it
cannot be written, or where the user has no entry in the password file. Such a user gets a private
folder among the temporary files, as ``HOME`` of this process and those that it starts.
"""

import logging
import os
import stat
import tempfile
from pathlib import Path

logger = logging.getLogger(__name__)


def ensure() -> None:
    """Set ``HOME`` to a folder that can be written, where it is none, and let HDF5 take no locks.

    Without a home the caches last as long as the temporary files. Traces are whole before they are
    read, and on file systems without locks HDF5 would refuse to read them.
    """
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
    if os.name != "posix" or _is_usable(_home()):
        return
    folder = _private_folder()
    os.environ["HOME"] = str(folder)
    logger.warning("the home folder cannot be written: caches are in %s", folder)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry in the password file
        return None


def _is_usable(home: Path | None) -> bool:
    if home is None or not home.is_dir():
        return False
    # Root may write anywhere by its permissions, but not into a read-only file system.
    try:
        tempfile.TemporaryFile(dir=home).close()
    except OSError:
        # The caches of a home that is full or read-only may be there, and named elsewhere.
        return False
    return True


def _private_folder() -> Path:
    """A folder that only this user can write: what lies in a cache is run as code."""
    user = os.getuid()
    folder = Path(tempfile.gettempdir(), f"tallgrass-home-{user}")
    try:
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        status = folder.lstat()
        if (
            stat.S_ISDIR(status.st_mode)
            and status.st_uid == user
            and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
        ):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="tallgrass-home-"))
