"""Tables of votes as people have them, long or wide -> one row for every vote, +1, -1 or 0."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError

# What columns are called; the first that is there counts.
MEMBER = ("legislator", "slug", "legislator_slug", "member", "name", "bioname", "id")
ROLLCALL = ("rollcall", "vote_id", "roll_call", "roll_call_id", "rollnumber")
VOTE = ("vote", "cast_code", "value")
ABOUT = {
    "name": ("name", "bioname"),
    "party": ("party", "party_code", "partycode", "partei", "partido"),
    "district": ("district", "state", "state_abbrev", "cd"),
    "chamber": ("chamber", "house", "body"),
}
OTHERS = ("icpsr", "icpsrstate", "lop", "region", "unnamed: 0")
WORDS = {
    **dict.fromkeys(("yea", "yes", "aye", "y", "for", "si", "oui", "ja", "true"), 1),
    **dict.fromkeys(("nay", "no", "n", "against", "non", "nein", "false"), -1),
    **dict.fromkeys(
        ("", "na", "nan", "none", "<na>", "absent", "present", "abstain", "not voting", "nv", "a",
         "p", "x", "-"), 0
    ),
}  # fmt: skip
_PARTIES = {
    "d": "Democrat",
    "democrat": "Democrat",
    "democratic": "Democrat",
    "r": "Republican",
    "republican": "Republican",
    "i": "Independent",
    "l": "Libertarian",
    "g": "Green",
    "n": "Nonpartisan",
}
# Numbers mean one thing in a whole table: the narrowest of these that holds them all.
NUMBERS = (
    {"1": 1, "0": -1},
    {"1": 1, "-1": -1, "0": 0},
    {str(code): 1 if code in (1, 2, 3) else -1 if code in (4, 5, 6) else 0 for code in range(10)},
)


def coded(
    values: NDArray[np.object_], vote_map: Mapping[object, int] | None = None
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Votes as +1, -1 and 0, and which of them are not known; any shape.

    Parameters
    ----------
    vote_map : mapping, optional
        The meaning of every word: 1, -1 or 0 (not observed). It replaces the known words, and a
        word that it lacks is not known.

    Raises
    ------
    DataError
        When the map has another value than 1, -1 and 0.

    Examples
    --------
    >>> coded(np.array(["Yea", "no", None], object))[0]
    array([ 1, -1,  0], dtype=int8)
    """
    given = pd.Series(values.ravel(), dtype=object)
    texts = given.where(given.notna(), "").astype(str).str.strip().str.lower()
    texts = texts.str.replace(r"(?<=\d)\.0$", "", regex=True)
    present = set(texts.unique())
    if vote_map is None:
        numbers = {text for text in present if text.lstrip("-").isdigit()}
        known = {**WORDS, **next((table for table in NUMBERS if numbers <= set(table)), {})}
    else:
        known = {str(word).strip().lower(): value for word, value in vote_map.items()}
        if wrong := [value for value in known.values() if value not in (1, -1, 0)]:
            raise DataError("vote_map: a vote is 1, -1, or 0 for not observed", wrong[0])
        known = {"": 0} | known  # an empty cell is no vote, unless the map says what it is
    cells = texts.map(known)
    unknown = np.asarray(cells.isna(), bool).reshape(values.shape)
    return np.asarray(cells.fillna(0), np.int8).reshape(values.shape), unknown


def long_votes(
    frame: pd.DataFrame, vote_map: Mapping[object, int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The votes, and what the table says about legislators.

    Parameters
    ----------
    frame : DataFrame
        Long: a legislator, a roll call and a vote in every row. Or wide: a row a legislator, whose
        name is the index or a column, and a column a roll call.

    Returns
    -------
    DataFrame
        slug, vote_id (text) and cell (+1, -1, 0).
    DataFrame
        slug and, where the table has them, name, party, district, chamber; one row a legislator.

    Raises
    ------
    DataError
        When it is neither, a vote is not known, or a legislator has two rows of a wide table.
    """
    columns = {str(name).strip(): name for name in frame.columns}
    names = {kind: column_called(columns, of) for kind, of in ABOUT.items()}
    rollcall, vote = column_called(columns, ROLLCALL), column_called(columns, VOTE)
    member = column_called(columns, MEMBER)
    if rollcall and vote and member:
        cells, unknown = coded(frame[columns[vote]].to_numpy(object), vote_map)
        _refuse(unknown, frame[columns[vote]].to_numpy(object), "the votes")
        votes = pd.DataFrame(
            {
                "slug": frame[columns[member]].astype(str).str.strip(),
                "vote_id": frame[columns[rollcall]].astype(str).str.strip(),
                "cell": cells,
            }
        )
        return votes, _about(frame, columns, names, votes["slug"]).drop_duplicates("slug")
    if member is None and isinstance(frame.index, pd.RangeIndex):
        raise DataError(
            "a table of votes without legislators",
            ", ".join(list(columns)[:10]),
            f"name them in the index or in a column {MEMBER[0]}",
        )
    index = frame[columns[member]] if member else pd.Series(frame.index, frame.index)
    slugs = index.astype(str).str.strip()
    if slugs.duplicated().any():
        twice = slugs[slugs.duplicated()].iloc[0]
        raise DataError("a legislator has two rows", twice, "each row is a legislator")
    described = {member, *names.values()}
    chosen = [c for c in columns if c not in described and c.lower() not in OTHERS]
    values = frame[[columns[c] for c in chosen]].to_numpy(object)
    cells, unknown = coded(values, vote_map)
    _refuse(unknown, values, "the votes")
    votes = pd.DataFrame(
        {
            "slug": np.repeat(slugs.to_numpy(object), len(chosen)),
            "vote_id": np.tile(np.array(chosen, object), len(slugs)),
            "cell": cells.ravel(),
        }
    )
    return votes, _about(frame, columns, names, slugs)


def party_name(text: str) -> str:
    """The party's full name; unknown names stay as they are."""
    return _PARTIES.get(text.lower(), text)


def column_called(columns: Iterable[str], names: Sequence[str]) -> str | None:
    """The column that is called by one of these names, in any case."""
    by_name = {column.lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _about(
    frame: pd.DataFrame,
    columns: Mapping[str, object],
    names: Mapping[str, str | None],
    slugs: "pd.Series[str]",
) -> pd.DataFrame:
    about = {"slug": slugs.to_numpy(object)}
    for kind, column in names.items():
        if column is not None:
            about[kind] = frame[columns[column]].fillna("").astype(str).to_numpy(object)
    return pd.DataFrame(about)


def _refuse(unknown: NDArray[np.bool_], values: NDArray[np.object_], where: str) -> None:
    if unknown.any():
        raise DataError(
            f"{int(unknown.sum())} of {where} are not known, the first",
            str(values[unknown][0]),
            "say what it means with vote_map={'word': 1, -1 or 0}",
        )
