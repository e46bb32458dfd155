"""Voteview CSV: ``<name>_votes``, ``_members`` and optionally ``_rollcalls`` (README.md).

Codes: https://voteview.com/articles/data_help_votes and data_help_parties.
"""

from pathlib import Path

import pandas as pd

from tallgrass.errors import DataError, shown
from tallgrass.inputs import tables
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.sources.files import SessionFiles
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

# 0 not a member, 1-3 yea (paired, announced), 4-6 nay, 7-8 present, 9 not voting
CAST_CODES = dict.fromkeys("123", 1) | dict.fromkeys("456", -1) | dict.fromkeys("0789", 0)
_PARTIES = {
    "1": "Federalist",
    "13": "Democratic-Republican",
    "22": "Adams",
    "29": "Whig",
    "100": "Democrat",
    "200": "Republican",
    "328": "Independent",
    "329": "Independent Democrat",
    "331": "Independent Republican",
    "340": "Populist",
    "370": "Progressive",
    "380": "Socialist",
    "537": "Farmer-Labor",
    "555": "Jackson",
}
_HEADER_BYTES = 4096


def matches(path: Path) -> bool:
    """Whether a folder or file belongs to one session with Voteview's members or votes file."""
    files = SessionFiles.of(path)
    if files is None:
        return False
    votes = files.find("votes")
    has_members = files.find_or_all("members") is not None
    return has_members or (votes is not None and _has_cast_codes(votes))


def load(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> VoteMatrix:
    """One chamber of one Congress, without the President, who is in every file."""
    files = SessionFiles.at(path)
    votes, members = _tables(files, limits)
    _one_congress(votes, shown(files.require("votes").name))
    congress = votes["congress"].iloc[0]
    return _matrix(files, votes, members, chamber, congress, files.name, limits)


def load_all(path: Path, chamber: str, limits: Limits = DEFAULT_LIMITS) -> dict[str, VoteMatrix]:
    """One chamber of every Congress of a file, by session.

    A session is called by the number of its Congress, or, if it is the only one, as the file is.

    Raises
    ------
    DataError
        As :func:`load`, and when no Congress has roll calls of the chamber.
    """
    files = SessionFiles.at(path)
    votes, members = _tables(files, limits)
    inside = words.rollcalls_in(votes, chamber, files.name)
    congresses = sorted(inside["congress"].unique(), key=int)
    if len(congresses) == 1 == votes["congress"].nunique():
        return {files.name: load(path, chamber, limits)}
    by_congress = dict(iter(votes.groupby("congress")))
    return {
        congress: _matrix(
            files, by_congress[congress], members, chamber, congress, congress, limits
        )
        for congress in congresses
    }


def nominate(path: Path, limits: Limits = DEFAULT_LIMITS) -> pd.DataFrame | None:
    """First-dimension NOMINATE scores of the members file, where it has them.

    Returns
    -------
    DataFrame or None
        Columns score, name, party, district, slug, icpsr; the last alone matches people.
    """
    files = SessionFiles.at(path)
    members = files.find_or_all("members")
    if members is None:
        return None
    table = tables.read_table(members, ("icpsr", "bioname"), ("nominate_dim1",), limits)
    table = _whole_numbers(table, ("icpsr",))
    scores = pd.DataFrame({"score": pd.to_numeric(table["nominate_dim1"], errors="coerce")})
    scores = scores.assign(name=table["bioname"], party="", district="", slug="")
    known = scores.assign(icpsr=table["icpsr"]).dropna(subset=["score"]).reset_index(drop=True)
    return known if len(known) else None


def _tables(files: SessionFiles, limits: Limits) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Votes and members of all chambers and Congresses."""
    votes_path = files.require("votes")
    members_path = files.find_or_all("members") or files.require("members")
    keys = ("congress", "chamber", "icpsr")
    votes = _whole_numbers(
        tables.read_table(votes_path, (*keys, "rollnumber", "cast_code"), (), limits),
        ("congress", "icpsr", "rollnumber", "cast_code"),
    )
    members = _whole_numbers(
        tables.read_table(
            members_path,
            (*keys, "bioname", "party_code"),
            ("state_abbrev", "district_code"),
            limits,
        ),
        ("congress", "icpsr", "party_code", "district_code"),
    )
    tables.require_filled(votes, (*keys, "rollnumber"), shown(votes_path.name))
    members_label = shown(members_path.name)
    tables.require_filled(members, keys, members_label)
    return votes, tables.one_row_each(members, keys, members_label)


def _matrix(
    files: SessionFiles,
    votes: pd.DataFrame,
    members: pd.DataFrame,
    chamber: str,
    congress: str,
    session: str,
    limits: Limits,
) -> VoteMatrix:
    """One chamber of one Congress, from its votes and the members of all."""
    votes_label = shown(files.require("votes").name)
    votes = votes.assign(cell=words.cells(votes, "cast_code", CAST_CODES, votes_label))
    votes = words.rollcalls_in(votes, chamber, session)
    of_congress = members["congress"] == congress
    inside = words.in_chamber(members["chamber"], chamber) & of_congress
    presidents = members.loc[members["chamber"].str.lower() == "president", "icpsr"]
    votes = votes[~votes["icpsr"].isin(presidents)]
    tables.require_known(votes, "icpsr", members.loc[inside, "icpsr"], votes_label)
    rows = tables.records(members[inside])
    slugs = {row["icpsr"]: _slug(row, chamber) for row in rows}
    rollcalls = _rollcalls(files.find_or_all("rollcalls"), chamber, congress, session, limits)
    ids = {number: _vote_id(chamber, congress, number) for number in votes["rollnumber"].unique()}
    return VoteMatrix.from_triples(
        zip(votes["icpsr"].map(slugs), votes["rollnumber"].map(ids), votes["cell"], strict=True),
        [_legislator(row, slugs[row["icpsr"]], chamber) for row in rows],
        rollcalls or [RollCall(vote_id) for vote_id in ids.values()],
        session,
        chamber,
    )


def _has_cast_codes(votes: Path) -> bool:
    try:
        with tables.open_bytes(votes) as stream:
            return b"cast_code" in stream.readline(_HEADER_BYTES)
    except DataError:
        return False  # the next loader raises the error of the file


def _whole_numbers(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Codes without a fraction: Voteview writes some as 14226.0."""
    plain = {c: table[c].str.replace(r"\.0+$", "", regex=True) for c in columns}
    return table.assign(**plain)


def _one_congress(votes: pd.DataFrame, label: str) -> None:
    congresses = votes["congress"].unique()
    if len(congresses) > 1:
        raise DataError(
            f"{label} holds more than one Congress",
            ", ".join(congresses),
            "roll numbers begin again in each: download one Congress",
        )


def _rollcalls(
    path: Path | None, chamber: str, congress: str, session: str, limits: Limits
) -> list[RollCall]:
    if path is None:
        return []
    label = shown(path.name)
    table = tables.read_table(
        path,
        ("congress", "chamber", "rollnumber"),
        ("date", "bill_number", "vote_question", "vote_desc", "dtl_desc"),
        limits,
    )
    table = _whole_numbers(table, ("congress", "rollnumber"))
    table = words.rollcalls_in(table[table["congress"] == congress], chamber, session)
    tables.require_unique(table, "rollnumber", label)
    rows = tables.records(table)
    return [_rollcall(row, _vote_id(chamber, congress, row["rollnumber"]), label) for row in rows]


def _rollcall(row: dict[str, str], vote_id: str, label: str) -> RollCall:
    question, title = row["vote_question"], row["dtl_desc"] or row["vote_desc"]
    return RollCall(
        vote_id=vote_id,
        bill=row["bill_number"],
        # The motion includes the title, because parties often vote alike on several amendments to
        # one bill, and those are no duplicates.
        motion=": ".join(part for part in (question, title) if part),
        vote_type=question,
        date=tables.iso_date(row["date"], f"{label} {vote_id}"),
        title=title,
    )


def _vote_id(chamber: str, congress: str, rollnumber: str) -> str:
    """Voteview's own id of a roll call, as in voteview.com/rollcall/RS1160001."""
    return f"R{chamber[0].upper()}{congress.zfill(3)}{rollnumber.zfill(4)}"


def _slug(row: dict[str, str], chamber: str) -> str:
    return tables.slug_of(words.TITLES[chamber], row["bioname"].partition(",")[0], row["icpsr"])


def _legislator(row: dict[str, str], slug: str, chamber: str) -> Legislator:
    party = _PARTIES.get(row["party_code"], row["party_code"] and f"Party {row['party_code']}")
    state, number = row["state_abbrev"], row["district_code"]
    district = f"{state}-{number}" if chamber == "house" else state
    return Legislator(slug, row["bioname"], party, district, (("state", state),))
