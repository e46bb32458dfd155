"""One file with a row a legislator and a column a roll call, as R's pscl and wnominate keep them.

Columns that describe legislators are known by their names; every other column is a roll call of the
chamber that is asked for, unless a column ``chamber`` says whose row it is.
"""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

# What a column is called that describes legislators; the first of each kind counts.
NAMES = ("legislator", "name", "member", "slug", "bioname", "id", "")
ABOUT = {
    "party": ("party", "party_code", "partycode", "partei", "partido"),
    "district": ("district", "state", "state_abbrev", "cd"),
    "chamber": ("chamber", "house", "body"),
}
_OTHERS = ("icpsr", "icpsrstate", "lop", "region", "unnamed: 0")
_WORDS = {
    **dict.fromkeys(("yea", "yes", "aye", "y", "for", "si", "oui", "ja", "true"), 1),
    **dict.fromkeys(("nay", "no", "n", "against", "non", "nein", "false"), -1),
    **dict.fromkeys(
        ("", "na", "nan", "absent", "present", "abstain", "not voting", "nv", "a", "p", "x", "-"), 0
    ),
}
# Numbers mean one thing in a whole table: the narrowest of these that holds them all.
_NUMBERS = (
    {"1": 1, "0": -1},
    {"1": 1, "-1": -1, "0": 0},
    {str(code): 1 if code in (1, 2, 3) else -1 if code in (4, 5, 6) else 0 for code in range(10)},
)
_MOST_OF_HEADER = 1 << 20
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
    names = header.decode("utf-8-sig", "replace").strip().split(tables.separator_of(header))
    return len(names) > 2 and names[0].strip().strip('"').lower() in NAMES


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
    kinds = {kind: _first(columns, names) for kind, names in ABOUT.items()}
    if (column := kinds["chamber"]) is not None:
        table = words.rollcalls_in(table.assign(chamber=table[column]), chamber, path.stem)
    described = {columns[0], *filter(None, kinds.values())}
    rollcalls = [name for name in columns if name not in described and name.lower() not in _OTHERS]
    cells = _cells(table[rollcalls], label)
    members = [
        Legislator(
            slug=tables.slug_of(words.TITLES[chamber], row[columns[0]]),
            name=row[columns[0]],
            party=words.party_name(row[kinds["party"]]) if kinds["party"] else "",
            district=row[kinds["district"]] if kinds["district"] else "",
        )
        for row in tables.records(table)
    ]
    session = path.name.removesuffix(".gz").removesuffix(".csv")
    return VoteMatrix(
        cells, tuple(members), tuple(RollCall(name) for name in rollcalls), session, chamber
    )


def _first(columns: list[str], names: tuple[str, ...]) -> str | None:
    return next((column for column in columns[1:] if column.lower() in names), None)


def _cells(votes: pd.DataFrame, label: str) -> np.ndarray:
    """Votes as +1, -1 and 0 by words or by the codes that hold all numbers of the table."""
    texts = votes.apply(
        lambda column: column.str.strip().str.lower().str.replace(r"\.0$", "", regex=True)
    )
    present = set(pd.unique(texts.to_numpy(object).ravel()))
    numbers = {text for text in present if text.lstrip("-").isdigit()}
    codes = next((table for table in _NUMBERS if numbers <= set(table)), {})
    known = {**_WORDS, **codes}
    if unknown := sorted(present - set(known)):
        row, column = (int(where[0]) for where in np.nonzero((texts == unknown[0]).to_numpy()))
        raise DataError(
            f"{label}, row {row + 2}, column {votes.columns[column]}: unknown vote",
            unknown[0],
            "votes are 1 and 0, 1 and -1, the codes 1 to 9 of pscl, or words (yea, nay)",
        )
    return np.asarray(texts.map(known.__getitem__), np.int8)
