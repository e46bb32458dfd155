"""Times of answers: dates, or numbers that grow with time."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from tallgrass.errors import DataError
from tallgrass.items.sources.request import ResponseRequest, moment

Floats = NDArray[np.float64]

_FIRST_DAY, _LAST_DAY = 19_000_101, 29_991_231  # a number in this range is a day, as 20260131
_MILLISECONDS = 1e11  # larger numbers are milliseconds since 1970, smaller ones seconds


def within(piece: pd.DataFrame, request: ResponseRequest) -> pd.DataFrame:
    """The rows in the window and between the times; times become UTC dates or numbers.

    Raises
    ------
    DataError
        When a time is neither a date nor a number.
    """
    if request.window:
        labels = piece[request.window_column].astype(str).str.strip()
        piece = piece[labels == request.window.strip()]
    if request.time not in piece or not len(piece):
        return piece.reset_index(drop=True)
    since, until = moment(request.since, "since"), moment(request.until, "until")
    times = ordered(piece[request.time], request.time)
    if since or until:
        dates = _as_dates(times)
        inside = pd.Series(True, index=piece.index)
        if since:
            inside &= dates >= pd.Timestamp(since, tz=None if since.tzinfo else "UTC")
        if until:
            inside &= dates < pd.Timestamp(until, tz=None if until.tzinfo else "UTC")
        piece, times = piece[inside], times[inside]
    return piece.assign(**{request.time: times}).reset_index(drop=True)


def ordered(values: pd.Series, name: str) -> pd.Series:
    """Times as numbers if all are numbers, else as UTC dates; a missing time stays missing.

    Raises
    ------
    DataError
        When a time is neither an ISO date nor a number.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return pd.to_datetime(values, utc=True)
    if is_numeric_dtype(values):
        return values.astype("float64")
    blank = values.isna() | (values.astype(str).str.strip() == "")
    texts = values.where(~blank)
    numbers = pd.to_numeric(texts, errors="coerce")
    if (numbers.notna() | blank).all() and not blank.all():
        return numbers.astype("float64")
    try:
        return pd.to_datetime(texts, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        invalid = texts[pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce").isna()]
        raise DataError(
            f"times in the column {name} that are neither ISO dates nor numbers",
            str(invalid.dropna().iloc[0]),
            "write them as 2026-01-31T12:00:00, or name another time_column",
        ) from None


def joined(pieces: list[pd.Series], name: str) -> Floats:
    """The times of all pieces in sequence, as numbers; NaN, which sorts last, if missing.

    Raises
    ------
    DataError
        When some are dates and some are numbers.
    """
    dated = [piece for piece in pieces if piece.notna().any()]
    if len({piece.dtype.kind for piece in dated}) > 1:
        raise DataError(
            f"times in the column {name} of which some are dates and some are numbers",
            f"{dated[0].dropna().iloc[0]}",
            "write all as 2026-01-31T12:00:00",
        )
    return np.concatenate([_number(piece) for piece in pieces])


def _number(times: pd.Series) -> Floats:
    """Dates as microseconds since 1970, which doubles represent exactly; NaN if missing."""
    if times.dtype.kind != "M":
        return times.to_numpy(np.float64)
    moments = pd.to_datetime(times, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))


def _as_dates(times: pd.Series) -> pd.Series:
    """Numbers as dates: days written 20260131, else seconds or milliseconds since 1970."""
    if times.dtype.kind != "f":
        return times
    present = times.dropna()
    if len(present) and present.between(_FIRST_DAY, _LAST_DAY).all():
        days = times.map(lambda day: "" if pd.isna(day) else f"{day:.0f}")
        return pd.to_datetime(days, format="%Y%m%d", errors="coerce", utc=True)
    milliseconds = bool(len(present)) and float(present.abs().max()) > _MILLISECONDS
    if milliseconds:
        return pd.to_datetime(times, unit="ms", utc=True, errors="coerce")
    return pd.to_datetime(times, unit="s", utc=True, errors="coerce")
