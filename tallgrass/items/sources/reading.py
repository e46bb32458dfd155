"""Load responses from any source."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from tallgrass.inputs.database import shown_url
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.paths import is_database
from tallgrass.items.responses import Responses
from tallgrass.items.sources import database, files, simulated
from tallgrass.items.sources.cleaning import ResponseLog, assemble
from tallgrass.items.sources.request import ResponseRequest


@dataclass(frozen=True, eq=False)
class LoadedResponses:
    """Responses, their source (without passwords), and what was dropped."""

    responses: Responses
    location: str
    log: ResponseLog
    given: str = ""  # a copy as CSV of those that were given in memory
    covariates: pd.DataFrame | None = None  # user and what is known of them, one row a user


def load_responses(
    request: ResponseRequest,
    on_rows: Callable[[int], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LoadedResponses:
    """Read, check and clean responses.

    Parameters
    ----------
    on_rows : callable, optional
        Called after every piece with the number of rows read so far.
    limits : Limits
        The largest file, and the most rows from a database.

    Raises
    ------
    DataError
        When they cannot be read, are not answers, or too few remain.
    """
    if request.location == simulated.NAME:
        responses, _ = simulated.simulated_responses()
        log = ResponseLog(len(responses), 0, 0, request.duplicates, request.min_responses, (), 0)
        return LoadedResponses(responses, request.location, log)
    if is_database(request.location):
        chunks = database.read_chunks(request)
        location = shown_url(request.location)
    else:
        chunks = files.read_chunks(request, limits)
        location = request.location
    assembled = assemble(_watched(chunks, location, on_rows, limits), request)
    return LoadedResponses(
        assembled.responses, location, assembled.log, covariates=assembled.covariates
    )


def responses_of_frame(frame: pd.DataFrame, request: ResponseRequest) -> LoadedResponses:
    """Check and clean responses in memory, a long or wide table.

    Raises
    ------
    DataError
        As :func:`load_responses`.
    """
    named = frame.rename(columns=str)
    if request.user not in named and not isinstance(frame.index, pd.RangeIndex):
        named = named.rename_axis(index=request.user).reset_index()
    pieces = files.long_pieces(iter([named]), request)
    responses, log, covariates = assemble(pieces, request)
    copy = named.to_csv(index=False)
    return LoadedResponses(responses, request.location, log, copy, covariates)


def _watched(
    chunks: Iterator[pd.DataFrame],
    location: str,
    on_rows: Callable[[int], None] | None,
    limits: Limits,
) -> Iterator[pd.DataFrame]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        limits.check_table(location, total)
        if on_rows is not None:
            on_rows(total)
        yield chunk
