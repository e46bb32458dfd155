"""Files of a zip, read into memory within limits.

No path inside the zip is used as a path on this machine, and a link in the zip is a short text.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import Limits

# zipfile raises all of these for damaged bytes.
_DAMAGE = (
    BadZipFile,
    EOFError,
    LZMAError,
    struct.error,
    zlib.error,
    ArithmeticError,
    LookupError,
    RuntimeError,
    ValueError,
)


def names_in(path: Path, limits: Limits) -> list[str]:
    """The names of all files in a zip.

    Raises
    ------
    DataError
        When it is damaged or too large.
    """
    label = shown(path.name)
    with _reading(path, label, limits) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


def contents(path: Path, names: Sequence[str], limits: Limits) -> list[bytes]:
    """The files of these names, which are together within the limits.

    Raises
    ------
    DataError
        When the zip or a file is damaged, encrypted or too large.
    """
    label = shown(path.name)
    with _reading(path, label, limits) as archive:
        members = [archive.getinfo(name) for name in names]
        size = sum(member.file_size for member in members)
        limits.check_size(label, size)
        limits.check_expansion(label, path.stat().st_size, size)
        data = []
        for member in members:
            # zipfile stops at the declared size, which is checked above.
            with archive.open(member) as stream:
                data.append(stream.read())
    return data


@contextmanager
def _reading(path: Path, label: str, limits: Limits) -> Iterator[ZipFile]:
    try:
        limits.check_size(label, path.stat().st_size)
        with ZipFile(path) as archive:
            limits.check_files(label, len(archive.infolist()))
            yield archive
    except _DAMAGE as error:
        raise DataError(
            f"{label} is half-written, damaged or encrypted", str(error), "download it again"
        ) from None
    except OSError as error:
        raise DataError(f"{label} cannot be read", str(error), "check the path") from None
