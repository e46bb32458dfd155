"""When answers were given: dates, or numbers that grow with time."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from tallgrass.errors import DataError
from tallgrass.items.sources.request import ResponseRequest, moment

Floats = NDArray[np.float64]

_FIRST_DAY, _LAST_DAY = 19_000_101, 29_991_231  # a number between is a day as 20260131
_MILLISECONDS = 1e11  # numbers above count milliseconds since 1970, below seconds


def within(piece: pd.DataFrame, request: ResponseRequest) -> pd.DataFrame:
    """The rows of the window and between the times; the times are dates (UTC) or numbers.

    Raises
    ------
    DataError
        When a time is neither.
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
        kept = pd.Series(True, index=piece.index)
        if since:
            kept &= dates >= pd.Timestamp(since, tz=None if since.tzinfo else "UTC")
        if until:
            kept &= dates < pd.Timestamp(until, tz=None if until.tzinfo else "UTC")
        piece, times = piece[kept], times[kept]
    return piece.assign(**{request.time: times}).reset_index(drop=True)


def ordered(values: pd.Series, name: str) -> pd.Series:
    """Times as UTC dates, or as numbers where all of them are; a missing one stays missing.

    Raises
    ------
    DataError
        When one is neither an ISO date nor a number.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return pd.to_datetime(values, utc=True)
    if is_numeric_dtype(values):
        return values.astype("float64")
    blank = values.isna() | (values.astype(str).str.strip() == "")
    given = values.where(~blank)
    numbers = pd.to_numeric(given, errors="coerce")
    if (numbers.notna() | blank).all() and not blank.all():
        return numbers.astype("float64")
    try:
        return pd.to_datetime(given, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        strange = given[pd.to_datetime(given, format="ISO8601", utc=True, errors="coerce").isna()]
        raise DataError(
            f"times in the column {name} that are neither ISO dates nor numbers",
            str(strange.dropna().iloc[0]),
            "write them as 2026-01-31T12:00:00, or name another time_column",
        ) from None


def joined(pieces: list[pd.Series], name: str) -> Floats:
    """The times of all pieces one after the other, as numbers; NaN, which sorts last, for none.

    Raises
    ------
    DataError
        When some are dates and some are numbers.
    """
    known = [one for one in pieces if one.notna().any()]
    if len({one.dtype.kind for one in known}) > 1:
        raise DataError(
            f"times in the column {name} of which some are dates and some are numbers",
            f"{known[0].dropna().iloc[0]}",
            "write all as 2026-01-31T12:00:00",
        )
    return np.concatenate([_number(one) for one in pieces])


def _number(times: pd.Series) -> Floats:
    """Dates as microseconds since 1970, which doubles hold exactly; NaN where there is none."""
    if times.dtype.kind != "M":
        return times.to_numpy(np.float64)
    moments = pd.to_datetime(times, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))


def _as_dates(times: pd.Series) -> pd.Series:
    """Numbers as dates: days written 20260131, else seconds or milliseconds since 1970."""
    if times.dtype.kind != "f":
        return times
    known = times.dropna()
    if len(known) and known.between(_FIRST_DAY, _LAST_DAY).all():
        days = times.map(lambda day: "" if pd.isna(day) else f"{day:.0f}")
        return pd.to_datetime(days, format="%Y%m%d", errors="coerce", utc=True)
    milliseconds = bool(len(known)) and float(known.abs().max()) > _MILLISECONDS
    if milliseconds:
        return pd.to_datetime(times, unit="ms", utc=True, errors="coerce")
    return pd.to_datetime(times, unit="s", utc=True, errors="coerce")
