"""Read CSV files as tables of text, within limits; errors name the file and the row."""

import csv
import gzip
import os
import re
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype
from pandas.errors import EmptyDataError, ParserError, ParserWarning

from tallgrass.errors import DataError, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, LimitedReader, Limits
from tallgrass.inputs.paths import opened

# A first line for Excel, before the header.
_OF_EXCEL = re.compile(rb'(\xef\xbb\xbf)?"?sep=."?\r?\n', re.IGNORECASE)
SEPARATORS = (",", ";", "\t", "|")
_EXACT = 2**53  # from here on a float does not hold every integer
_ROUNDED = r"\d([.,]\d+)?[eE]\+\d+"  # as R and spreadsheets write large numbers


@contextmanager
def open_bytes(path: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[IO[bytes]]:
    """A file opened for reading; a gzip file is unpacked, whatever its name.

    A first line ``sep=;``, by which Excel is told the separator, is left out.

    Raises
    ------
    DataError
        When it cannot be read, is half-written or exceeds the limits, also during a later read.
    """
    label = shown(path.name)
    try:
        with opened(path) as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            size = os.fstat(raw.fileno()).st_size
            packed = size if zipped else 0
            if not zipped:  # said at once, and not after a GiB was read
                limits.check_size(label, size)
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw
            reader = BufferedReader(LimitedReader(stream, label, limits, packed), 1 << 20)
            if first := _OF_EXCEL.match(reader.peek(16)):
                reader.read(first.end())
            yield reader
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{label} is half-written or damaged", str(error), "copy or download it again"
        ) from None
    except OSError as error:
        raise DataError(f"{label} cannot be read", error.strerror, "check the path") from None


def is_file(path: Path) -> bool:
    """Whether the path is a file; false for an impossible path, such as one that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def without_file(path: Path, what: str) -> str:
    """What is wrong where :func:`is_file` is false: nothing is there, or something else is.

    Examples
    --------
    >>> without_file(Path("/no/such.csv"), "responses")
    'no such file of responses'
    """
    try:
        there = path.exists()
    except (OSError, ValueError):
        there = False
    return (
        f"a folder, pipe or device, and no file of {what}" if there else f"no such file of {what}"
    )


def separator_of(data: bytes) -> str:
    """The separator of a CSV file by its header: comma, semicolon, tab or bar.

    A header in quotes may hold any of them, so it is counted as :mod:`csv` splits it.

    Examples
    --------
    >>> separator_of(b"user;q1;q2"), separator_of(b"user,item,response")
    (';', ',')
    """
    header = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0]
    line = header.decode("utf-8", "replace").rstrip("\r")

    def columns(separator: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=separator), []))
        except csv.Error:
            return 0

    return max(SEPARATORS, key=columns)  # the first of those with equally many


def parse_table(
    data: bytes,
    label: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    others: bool = False,
) -> pd.DataFrame:
    """CSV bytes (UTF-8, with or without a BOM) as a table of text, stripped of outer blanks.

    Parameters
    ----------
    data : bytes
        The whole file.
    label : str
        The name of the file in errors.
    required, optional : sequence of str
        The columns to return. A missing optional column is returned empty.
    limits : Limits
        The most rows and columns.
    others : bool
        Whether to return all other columns too, after these.

    Raises
    ------
    DataError
        When it is not text, not a table, too large, or lacks a required column.
    """
    if b"\0" in data:
        raise DataError(f"{label} is not text", "a NUL byte", "save it as CSV in UTF-8")
    limits.check_header(label, data)
    limits.check_table(label, data.count(b"\n"))
    with reading_csv(label):
        frame = pd.read_csv(
            BytesIO(data),
            sep=separator_of(data),
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            index_col=False,
        )
    frame.columns = frame.columns.str.strip()
    missing = [column for column in required if column not in frame.columns]
    if missing:
        raise DataError(
            f"{label} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            ", ".join(frame.columns),
            "add what is missing to the header and the rows",
        )
    columns = list(dict.fromkeys((*required, *optional)))
    require_one_each(frame, columns, label)
    if others:
        columns += [column for column in frame.columns if column not in columns]
    selected = frame.reindex(columns=columns, fill_value="")
    return pd.DataFrame({column: selected[column].str.strip() for column in columns})


@contextmanager
def reading_csv(label: str) -> Iterator[None]:
    """Turn pandas' errors and warnings about a CSV file into a DataError."""
    try:
        with warnings.catch_warnings():
            # pandas cuts rows that are longer than the header, and only warns
            warnings.simplefilter("error", ParserWarning)
            yield
    except UnicodeDecodeError as error:
        received = f"byte 0x{error.object[error.start]:02x}"
        raise DataError(f"{label} is not text", received, "save it as CSV in UTF-8") from None
    except EmptyDataError:
        raise DataError(f"{label} is empty", mend="copy or download it again") from None
    except (ParserError, ParserWarning) as error:
        received = str(error).splitlines()[0].removeprefix("Error tokenizing data. C error: ")
        raise DataError(
            f"{label} is not a whole CSV table", received, "look for a cut row or a lone quote"
        ) from None


def require_one_each(frame: pd.DataFrame, columns: Sequence[str], label: str) -> None:
    """A DataError for a column that occurs twice: pandas renames it, or only blanks differ."""
    for name in columns:
        if list(frame.columns).count(name) > 1 or f"{name}.1" in frame.columns:
            raise DataError(f"{label} has a column twice", name, "keep one of the two")


def records(table: pd.DataFrame) -> list[dict[str, str]]:
    """The rows of a table of text."""
    return [{str(column): text for column, text in row.items()} for row in table.to_dict("records")]


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    others: bool = False,
) -> pd.DataFrame:
    """A CSV file, plain or gzipped, as :func:`parse_table` returns it."""
    with open_bytes(path, limits) as stream:
        data = stream.read()
    return parse_table(data, shown(path.name), required, optional, limits, others)


def row_number(table: pd.DataFrame, position: int) -> int:
    """The row number as in a spreadsheet, where the header is row 1."""
    return int(table.index[position]) + 2


def require_filled(table: pd.DataFrame, columns: Sequence[str], label: str) -> None:
    """A DataError that names the first row where one of the columns is empty."""
    for column in columns:
        empty = (table[column] == "").to_numpy()
        if empty.any():
            row = row_number(table, int(empty.argmax()))
            raise DataError(f"{label}, row {row}: empty {column}", mend="fill it in")


def require_known(table: pd.DataFrame, column: str, known: pd.Series, label: str) -> None:
    """A DataError that names the first value of a column that is not among ``known``."""
    unknown = ~table[column].isin(known).to_numpy()
    if unknown.any():
        position = int(unknown.argmax())
        raise DataError(
            f"{label}, row {row_number(table, position)}: unknown {column}",
            table[column].iloc[position],
            "the file that describes them has no such row",
        )


def require_unique(table: pd.DataFrame, column: str, label: str) -> None:
    """A DataError that names the first value of a column that occurs twice."""
    repeated = table[column].duplicated().to_numpy()
    if repeated.any():
        position = int(repeated.argmax())
        raise DataError(
            f"{label}, row {row_number(table, position)}: duplicate rows of one {column}",
            table[column].iloc[position],
            "keep one of them",
        )


def one_row_each(table: pd.DataFrame, keys: Sequence[str], label: str) -> pd.DataFrame:
    """The table without repeated rows; rows with equal keys that differ are a DataError."""
    table = table.drop_duplicates()
    clash = table.duplicated(list(keys)).to_numpy()
    if clash.any():
        position = int(clash.argmax())
        row = records(table)[position]
        first = next(r for r in records(table) if all(r[key] == row[key] for key in keys))
        differ = ", ".join(f"{c} {first[c]!r} and {row[c]!r}" for c in row if first[c] != row[c])
        raise DataError(
            f"{label}, row {row_number(table, position)}: duplicate rows that disagree",
            f"{', '.join(row[key] for key in keys)}: {differ}",
            "keep one row, or give the two periods two names in all files",
        )
    return table


def iso_date(text: str, label: str) -> str:
    """A date as ISO 8601, empty when it is unknown; midnight is left out."""
    if not text or text.startswith("0000-00-00"):
        return ""
    try:
        date = datetime.strptime(text, "%m/%d/%Y") if "/" in text else datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{label}: unreadable date", text, "write it as 2025-03-20") from None
    return date.isoformat().removesuffix("T00:00:00")


def whole_names(names: "pd.Series[Any]", column: str) -> "pd.Series[Any]":
    """Whole numbers stored as floats become integers, so that the name is 12 and not 12.0.

    Raises
    ------
    DataError
        When one is so large that neighbouring ids are the same float.
    """
    if not is_float_dtype(names):
        return names
    if (large := names.abs() >= _EXACT).any():
        raise DataError(
            f"the column {column} holds ids as floats beyond 2^53, where neighbours are one number",
            f"{names[large].iloc[0]:.0f}",
            "store ids as integers or text",
        )
    if names.notna().all() and (names % 1 == 0).all():
        return names.astype(np.int64)
    return names


def refuse_rounded(names: "pd.Index[str]", column: str) -> None:
    """A DataError for a name that is a rounded large number, such as 1.2e+16."""
    rounded = names[names.str.fullmatch(_ROUNDED)]
    if any(float(name.replace(",", ".")) >= _EXACT for name in rounded):
        raise DataError(
            f"the column {column} holds ids that were rounded, so that neighbours are one name",
            rounded[0],
            "write them again as whole numbers or text (in R: format(id, scientific = FALSE))",
        )


def slug_of(*parts: str) -> str:
    """Parts of a name as lower-case ASCII letters and digits, joined by underscores."""
    folded = unicodedata.normalize("NFKD", " ".join(parts)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", folded.lower()).strip("_")
