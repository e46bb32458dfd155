"""Limits on the size of inputs, so that a small hostile file cannot fill memory or disk."""

import io
import re
from dataclasses import dataclass
from typing import IO, Any

from tallgrass.errors import DataError

_MIB = 1024**2
_SMALL = 16 * _MIB  # unpacked, this size does no harm, whatever the expansion


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest input that is read. The settings ``limit_*`` change each limit.

    Parameters
    ----------
    input_mib : int
        MiB of one input, unpacked: a CSV file, the tables of a zip together, a Parquet file.
    expansion : int
        How many times larger an archive may become when it is unpacked (beyond 16 MiB).
    files : int
        Files in a zip.
    rows, columns : int
        Of one table.
    """

    input_mib: int = 1024
    expansion: int = 200
    files: int = 10_000
    rows: int = 100_000_000
    columns: int = 20_000

    def check_size(self, label: str, size: int) -> None:
        """A DataError when an input of ``size`` bytes is too large."""
        if size > self.input_mib * _MIB:
            raise _too_much(label, f"{size:,} bytes", f"{self.input_mib:,} MiB", "input_mib")

    def check_expansion(self, label: str, packed: int, unpacked: int) -> None:
        """A DataError when ``packed`` bytes expand too much."""
        if unpacked > max(_SMALL, self.expansion * packed):
            received = f"{packed:,} bytes that become {unpacked:,} or more"
            raise _too_much(label, received, f"{self.expansion:,} times as many", "expansion")

    def check_files(self, label: str, count: int) -> None:
        """A DataError when an archive holds too many files."""
        if count > self.files:
            raise _too_much(label, f"{count:,} files", f"{self.files:,}", "files")

    def check_table(self, label: str, rows: int, columns: int = 0) -> None:
        """A DataError when a table has too many rows or columns."""
        if rows > self.rows:
            raise _too_much(label, f"{rows:,} rows or more", f"{self.rows:,}", "rows")
        if columns > self.columns:
            raise _too_much(label, f"{columns:,} columns", f"{self.columns:,}", "columns")

    def check_header(self, label: str, head: bytes) -> None:
        """A DataError when the first line of a CSV file names too many columns."""
        line = re.split(b"[\r\n]", head, maxsplit=1)[0]
        self.check_table(label, 0, max(map(line.count, (b",", b";", b"\t", b"|"))) + 1)


DEFAULT_LIMITS = Limits()


class LimitedReader(io.RawIOBase):
    """A stream of bytes that raises a DataError when its input exceeds the limits.

    Parameters
    ----------
    stream : file object
        The unpacked input.
    label : str
        The name of the input in errors.
    limits : Limits
        The largest allowed input.
    packed : int
        Bytes of the file on disk when it is unpacked while reading, else 0.
    """

    def __init__(self, stream: IO[bytes], label: str, limits: Limits, packed: int = 0) -> None:
        super().__init__()
        self._stream, self._label, self._limits = stream, label, limits
        self._packed, self._size = packed, 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, wholly or in part, and check the size so far."""
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._size += len(block)
        self._limits.check_size(self._label, self._size)
        if self._packed:
            self._limits.check_expansion(self._label, self._packed, self._size)
        return len(block)


def _too_much(label: str, received: str, most: str, setting: str) -> DataError:
    mend = f"at most {most}; if you trust where it is from, raise the setting limit_{setting}"
    return DataError(f"{label} is too large", received, mend)
