"""Write votes as files in the tallgrass CSV layout (README.md), which is read back unchanged."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from tallgrass.rollcalls.votes import VoteMatrix

_CHAMBERS = {"house": "House", "senate": "Senate"}


def write_session(
    folder: Path, chambers: Mapping[str, VoteMatrix], *, gzip: bool = False
) -> list[Path]:
    """Write the chambers of one session into an existing folder, whose name becomes the session's.

    Reading the folder gives the same votes, with the same fingerprints.

    Parameters
    ----------
    folder : Path
        The folder, which exists.
    chambers : mapping of str to VoteMatrix
        By ``house`` and ``senate``.
    gzip : bool
        Whether the votes are compressed.

    Returns
    -------
    list of Path
        The files of legislators, roll calls and votes.

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    tables = {
        "legislators": pd.DataFrame(
            [
                {
                    **{key: value for key, value in asdict(member).items() if key != "columns"},
                    **dict(member.columns),
                    "chamber": _CHAMBERS[name],
                }
                for name, votes in chambers.items()
                for member in votes.legislators
            ]
        ).fillna(""),
        "rollcalls": pd.DataFrame(
            [
                {**asdict(rollcall), "chamber": _CHAMBERS[name]}
                for name, votes in chambers.items()
                for rollcall in votes.rollcalls
            ]
        ).rename(columns={"bill": "bill_number", "date": "vote_date", "title": "bill_title"}),
        "votes": pd.DataFrame(
            [
                (votes.vote_ids[j], slug, "Yea" if row[j] > 0 else "Nay")
                for votes in chambers.values()
                for slug, row in zip(votes.slugs, votes.cells, strict=True)
                for j in row.nonzero()[0]
            ],
            columns=["vote_id", "legislator_slug", "vote"],
        ),
    }
    session = folder.resolve().name
    paths = {part: folder / f"{session}_{part}.csv" for part in tables}
    if gzip:
        paths["votes"] = folder / f"{session}_votes.csv.gz"
    for part, table in tables.items():
        table.to_csv(paths[part], index=False)
    return list(paths.values())
