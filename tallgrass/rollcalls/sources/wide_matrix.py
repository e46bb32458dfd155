"""One file with a row a legislator and a column a roll call, as R's pscl and wnominate keep them.

A file with a row a vote, of a legislator on a roll call, is read as the same table in memory is.
Columns that describe legislators are known by their names; every other column is a roll call of the
chamber that is asked for, unless a column ``chamber`` says whose row it is.
"""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.vote_tables import (
    ABOUT,
    MEMBER,
    OTHERS,
    ROLLCALL,
    VOTE,
    coded,
    column_called,
    party_name,
)
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

NAMES = (*MEMBER, "")  # of the first column; R writes row names without one
_MOST_OF_HEADER = 1 << 20
_VOTES = re.compile(r"_votes\.csv(\.gz)?$").search  # of a session in other formats
_OF_A_SESSION = re.compile(r"_(rollcalls|legislators|members)\.csv(\.gz)?$")  # of other formats


def matches(path: Path) -> bool:
    """Whether the path is a CSV file of its own that names legislators in its first columns."""
    if not path.is_file() or not path.name.lower().endswith((".csv", ".csv.gz")):
        return False
    if _OF_A_SESSION.search(path.name):
        return False
    try:
        with tables.open_bytes(path) as stream:
            header = stream.readline(_MOST_OF_HEADER)
    except DataError:
        return False
    text = header.decode("utf-8-sig", "replace").strip()
    names = [n.strip().strip('"').lower() for n in text.split(tables.separator_of(header))]
    return len(names) > 2 and (names[0] in NAMES or (_is_long(names) and not _VOTES(path.name)))


def _is_long(names: list[str]) -> bool:
    """Whether there are columns of legislators, roll calls and votes."""
    return all(column_called(names, of) is not None for of in (MEMBER, ROLLCALL, VOTE))


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """The votes of one chamber.

    Raises
    ------
    DataError
        When the file is no such table, has a vote that is not known, or no row of the chamber.
    """
    label = shown(path.name)
    with tables.open_bytes(path, limits) as stream:
        data = stream.read()
    limits.check_header(label, data)
    with tables.reading_csv(label):
        header = pd.read_csv(
            BytesIO(data), nrows=0, sep=tables.separator_of(data), index_col=False,
            encoding="utf-8-sig",
        )  # fmt: skip
    columns = [str(name).strip() for name in header.columns]
    table = tables.parse_table(data, label, columns, (), limits)
    kinds = {
        kind: column_called(columns[0 if _is_long(columns) else 1 :], names)
        for kind, names in ABOUT.items()
        if kind != "name"
    }
    if (column := kinds["chamber"]) is not None:
        table = words.rollcalls_in(table.assign(chamber=table[column]), chamber, path.stem)
    session = path.name.removesuffix(".gz").removesuffix(".csv")
    if _is_long(columns):
        return VoteMatrix.from_frame(table, session=session, chamber=chamber)
    described = {columns[0], *filter(None, kinds.values())}
    rollcalls = [name for name in columns if name not in described and name.lower() not in OTHERS]
    cells = _cells(table[rollcalls], label)
    members = [
        Legislator(
            slug=tables.slug_of(words.TITLES[chamber], row[columns[0]]),
            name=row[columns[0]],
            party=party_name(row[kinds["party"]]) if kinds["party"] else "",
            district=row[kinds["district"]] if kinds["district"] else "",
        )
        for row in tables.records(table)
    ]
    return VoteMatrix(
        cells, tuple(members), tuple(RollCall(name) for name in rollcalls), session, chamber
    )


def _cells(votes: pd.DataFrame, label: str) -> NDArray[np.int8]:
    """Votes as +1, -1 and 0; a DataError names the place of one that is not known."""
    cells, unknown = coded(votes.to_numpy(object))
    if unknown.any():
        row, column = (int(where[0]) for where in np.nonzero(unknown))
        raise DataError(
            f"{label}, row {row + 2}, column {votes.columns[column]}: unknown vote",
            str(votes.iloc[row, column]),
            "votes are 1 and 0 (9 missing), 1 and -1, the codes of pscl (1 yea, 6 nay, 9 missing), "
            "or words (yea, nay)",
        )
    return cells
