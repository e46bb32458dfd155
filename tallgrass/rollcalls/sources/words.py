"""The words of sources for chambers, parties and votes."""

from collections.abc import Iterator, Mapping

import pandas as pd

from tallgrass.errors import DataError, SpecError, nearest
from tallgrass.inputs.tables import row_number

CHAMBERS = ("senate", "house")
TITLES = {"senate": "sen", "house": "rep"}  # prefixes of slugs
_OTHER_NAMES = {
    **dict.fromkeys(("assembly", "lower", "h", "house of representatives"), "house"),
    **dict.fromkeys(("legislature", "unicameral", "upper", "s"), "senate"),
}


def cells(votes: pd.DataFrame, column: str, words: Mapping[str, int], label: str) -> list[int]:
    """Vote words as +1, -1 and 0; the keys of ``words`` are in lower case.

    Raises
    ------
    DataError
        On an unknown word, with its row and the known words.
    """
    codes = votes[column].str.lower().map(words)
    unknown = codes.isna().to_numpy()
    if unknown.any():
        position = int(unknown.argmax())
        raise DataError(
            f"{label}, row {row_number(votes, position)}: unknown vote word",
            votes[column].iloc[position],
            "known: " + ", ".join(words),
        )
    return [int(code) for code in codes]


def triples(
    votes: pd.DataFrame, legislator: str, rollcall: str, vote: str
) -> Iterator[tuple[str, str, int]]:
    """The columns of a legislator, a roll call and a vote, row by row."""
    # pandas gives one text after the other in a tenth of a second a hundred thousand.
    slugs, vote_ids = (votes[column].to_numpy(object) for column in (legislator, rollcall))
    return zip(slugs, vote_ids, votes[vote].to_numpy(), strict=True)


def check_chamber(chamber: str) -> None:
    """A SpecError unless the chamber is ``senate`` or ``house``."""
    if chamber not in CHAMBERS:
        raise SpecError("unknown chamber", chamber, nearest(chamber, list(CHAMBERS)))


def in_chamber(words: pd.Series, chamber: str) -> pd.Series:
    """Which chamber words of a source mean ``chamber``; a state assembly is a house."""
    return words.str.lower().replace(_OTHER_NAMES) == chamber


def rollcalls_in(rollcalls: pd.DataFrame, chamber: str, session: str) -> pd.DataFrame:
    """The roll calls of one chamber; if there are none, a DataError names the other chambers."""
    selected = rollcalls[in_chamber(rollcalls["chamber"], chamber)]
    if selected.empty:
        received = ", ".join(sorted(set(rollcalls["chamber"]))) or "no roll calls at all"
        raise DataError(f"no roll calls of the {chamber} in {session}", received)
    return selected
