"""Tables of votes as people have them, long or wide -> one row for every vote, +1, -1 or 0."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inputs.tables import refuse_rounded, whole_names

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
OF_ROLLCALL = {
    "bill": ("bill", "bill_number"),
    "motion": ("motion", "motion_text", "question", "vote_question"),
    "vote_type": ("vote_type",),
    "date": ("date", "vote_date", "vote_datetime"),
    "title": ("title", "bill_title"),
}
OTHERS = ("icpsr", "icpsrstate", "lop", "region", "unnamed: 0")
WORDS = {
    **{f"{kind} {word}": value for kind in ("paired", "announced")
       for word, value in (("yea", 1), ("yes", 1), ("nay", -1), ("no", -1))},
    **dict.fromkeys(("yea", "yeas", "yes", "aye", "y", "for", "si", "oui", "ja", "true"), 1),
    **dict.fromkeys(("nay", "nays", "no", "n", "against", "non", "nein", "false"), -1),
    **dict.fromkeys(
        ("", "na", "nan", "none", "<na>", "absent", "present", "abstain", "abstained",
         "abstention", "excused", "paired", "not voting", "did not vote", "no vote", "nv", "a", "e",
         "p", "x", "-", "."), 0
    ),
}  # fmt: skip
# First words of a party's name, without points: Dem., Democratic-Farmer-Labor, Republican Party.
_PARTIES = {
    **dict.fromkeys(("d", "dem", "dems", "democrat", "democrats", "democratic", "dfl"), "Democrat"),
    **dict.fromkeys(("r", "rep", "reps", "republican", "republicans", "gop"), "Republican"),
    **dict.fromkeys(("i", "ind", "independent", "independents"), "Independent"),
    **dict.fromkeys(("l", "lib", "libertarian"), "Libertarian"),
    **dict.fromkeys(("g", "green"), "Green"),
    **dict.fromkeys(("n", "np", "nonpartisan"), "Nonpartisan"),
    "100": "Democrat",  # Voteview's codes
    "200": "Republican",
    "328": "Independent",
}
# What may follow the first word without making it another party, or the letters of a state: D-TX.
_OF_A_NAME = re.compile(r"party|caucus|farmer|labor|npl|nonpartisan|league|[a-z]{2}")
# Numbers mean one thing in a whole table: the narrowest of these that holds them all.
NUMBERS = (
    {"1": 1, "0": -1},
    {"1": 1, "-1": -1, "0": 0},
    {"1": 1, "0": -1, "7": 0, "8": 0, "9": 0},
)
# Of Voteview and pscl: 1 to 3 yea, 4 to 6 nay. 1 to 4 without a 6 may be other codes (LegiScan's).
CODES = {
    str(code): 1 if code in (1, 2, 3) else -1 if code in (4, 5, 6) else 0 for code in range(10)
}


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
    texts = texts.str.replace(r"(?<=\d)[.,]0$", "", regex=True)
    present = set(texts.unique())
    if vote_map is None:
        numbers = {text for text in present if text.lstrip("-").isdigit()}
        tables = (*NUMBERS, CODES) if "6" in numbers else NUMBERS
        known = {**WORDS, **next((table for table in tables if numbers <= set(table)), {})}
    else:
        known = {str(word).strip().lower(): value for word, value in vote_map.items()}
        if wrong := [value for value in known.values() if value not in (1, -1, 0)]:
            raise DataError("vote_map: a vote is 1, -1, or 0 for not observed", wrong[0])
        known = {"": 0} | known  # an empty cell is no vote, unless the map says what it is
    cells = texts.map(known)
    unknown = np.asarray(cells.isna(), bool).reshape(values.shape)
    return np.asarray(cells.fillna(0), np.int8).reshape(values.shape), unknown


class LongVotes(NamedTuple):
    """The votes of a table, and what it says about legislators and roll calls.

    Parameters
    ----------
    votes : DataFrame
        slug, vote_id (text) and cell (+1, -1, 0).
    legislators : DataFrame
        slug and, where the table has them, name, party, district, chamber; one row a legislator.
    rollcalls : DataFrame
        vote_id and, where the table has them, bill, motion, vote_type, date, title; one row a roll
        call.
    """

    votes: pd.DataFrame
    legislators: pd.DataFrame
    rollcalls: pd.DataFrame


def long_votes(frame: pd.DataFrame, vote_map: Mapping[object, int] | None = None) -> LongVotes:
    """The votes of a long or wide table.

    Parameters
    ----------
    frame : DataFrame
        Long: a legislator, a roll call and a vote in every row. Or wide: a row a legislator, whose
        name is the index or a column, and a column a roll call.

    Raises
    ------
    DataError
        When it is neither, a vote is not known, a name is missing, a legislator has two rows of a
        wide table, or a legislator or roll call is described in two ways.
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
                "slug": _names(frame[columns[member]], member),
                "vote_id": _names(frame[columns[rollcall]], rollcall),
                "cell": cells,
            }
        )
        of_rollcall = {kind: column_called(columns, of) for kind, of in OF_ROLLCALL.items()}
        people = _about(frame, columns, names, slug=votes["slug"])
        calls = _about(frame, columns, of_rollcall, vote_id=votes["vote_id"])
        return LongVotes(
            votes, _one_each(people, "slug", "legislator"), _one_each(calls, "vote_id", "roll call")
        )
    if member is None and isinstance(frame.index, pd.RangeIndex):
        raise DataError(
            "a table of votes without legislators",
            ", ".join(list(columns)[:10]),
            f"name them in the index or in a column {MEMBER[0]}",
        )
    index = frame[columns[member]] if member else pd.Series(frame.index, frame.index)
    slugs = _names(index, member or "index")
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
    about = _about(frame, columns, names, slug=slugs)
    return LongVotes(votes, about, pd.DataFrame({"vote_id": np.array(chosen, object)}))


def party_name(text: str) -> str:
    """The party's full name; unknown names stay as they are.

    Examples
    --------
    >>> [party_name(text) for text in ("Dem.", "(R)", "Democratic-Farmer-Labor", "Whig")]
    ['Democrat', 'Republican', 'Democrat', 'Whig']
    """
    plain = re.sub(r"(?<=\d)\.0$", "", text.strip().lower())
    first, *rest = re.sub(r"[^a-z0-9]+", " ", plain).split() or [""]
    name = _PARTIES.get(first)
    return name if name is not None and all(map(_OF_A_NAME.fullmatch, rest)) else text


def column_called(columns: Iterable[str], names: Sequence[str]) -> str | None:
    """The column that is called by one of these names, in any case."""
    by_name = {column.lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _about(
    frame: pd.DataFrame,
    columns: Mapping[str, object],
    names: Mapping[str, str | None],
    **key: "pd.Series[str]",
) -> pd.DataFrame:
    about = {name: values.to_numpy(object) for name, values in key.items()}
    for kind, column in names.items():
        if column is not None:
            about[kind] = frame[columns[column]].fillna("").astype(str).to_numpy(object)
    return pd.DataFrame(about)


def _names(values: "pd.Series[Any]", column: str) -> "pd.Series[str]":
    """Names of legislators or roll calls as text, none of them empty."""
    texts = whole_names(values, column).astype(str).str.strip()
    if (empty := (values.isna() | (texts == "")).to_numpy(bool)).any():
        raise DataError(
            f"{int(empty.sum())} votes without a name in the column {column}",
            f"row {int(empty.argmax()) + 1}",
            "every vote needs a legislator and a roll call",
        )
    refuse_rounded(pd.Index(texts.unique()), column)
    return texts


def _one_each(table: pd.DataFrame, key: str, kind: str) -> pd.DataFrame:
    """One row each; a DataError names the first that is described in two ways."""
    table = table.drop_duplicates(ignore_index=True)
    twice = table[key].duplicated()
    if twice.any():
        name = table[key][twice].iloc[0]
        rows = table[table[key] == name]
        differ = [
            f"{column} {' and '.join(map(repr, rows[column].unique()[:2]))}"
            for column in table.columns
            if len(rows[column].unique()) > 1
        ]
        raise DataError(
            f"a {kind} is described in two ways",
            f"{name}: {', '.join(differ)}",
            "describe it alike in every row, or give the two periods two names",
        )
    return table


def _refuse(unknown: NDArray[np.bool_], values: NDArray[np.object_], where: str) -> None:
    if unknown.any():
        raise DataError(
            f"{int(unknown.sum())} of {where} are not known, the first",
            str(values[unknown][0]),
            "say what it means with vote_map={'word': 1, -1 or 0}",
        )
