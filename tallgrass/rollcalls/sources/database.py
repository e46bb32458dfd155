"""Votes in a database: a table, or a query with bound parameters, long or wide."""

import pandas as pd
import sqlalchemy as sa

from tallgrass.errors import DataError
from tallgrass.inputs.database import bound, connected, name_of, read_pieces, shown_url, table_of
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.vote_tables import ABOUT, column_called
from tallgrass.rollcalls.votes import VoteMatrix


def load(
    location: str,
    chamber: str,
    table: str = "votes",
    query: str = "",
    limits: Limits = DEFAULT_LIMITS,
) -> VoteMatrix:
    """One chamber of the votes in a database.

    Parameters
    ----------
    location : str
        The address, such as ``postgresql://user@host/name`` or ``sqlite:///votes.db``.
    chamber : str
        ``senate`` or ``house``; rows of another are left out where there is a column ``chamber``.
    table : str
        ``table`` or ``schema.table``, not used with a query.
    query : str
        SQL that returns the columns that :meth:`VoteMatrix.from_frame` takes. ``:chamber`` in it is
        a bound parameter: the rows are then those of the chamber.

    Raises
    ------
    DataError
        When the database cannot be reached, the query is wrong, or its rows are not votes.
    """
    shown = shown_url(location)
    with connected(location) as connection:
        statement: sa.Executable
        used: dict[str, str] = {}
        if query:
            statement, used = bound(query, {"chamber": chamber})
        else:
            source, columns = table_of(connection, table)
            statement = sa.select(*(source.c[name] for name in columns))
        pieces, n_read = [], 0
        for piece in read_pieces(connection, statement, used):
            n_read += len(piece)
            limits.check_table(shown, n_read, len(piece.columns))
            pieces.append(piece)
    if not pieces:
        raise DataError("no votes", "query" if query else table, "the table or query is empty")
    frame = pd.concat(pieces, ignore_index=True)
    column = column_called(map(str, frame.columns), ABOUT["chamber"])
    if column is not None and not used:
        named = frame.assign(chamber=frame[column].fillna("").astype(str).str.strip())
        frame = words.rollcalls_in(named, chamber, shown)
    return VoteMatrix.from_frame(frame, session=name_of(location), chamber=chamber)
