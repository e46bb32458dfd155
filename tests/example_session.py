"""Sessions in the tallgrass CSV layout: three representatives and a senator, or given votes."""

from pathlib import Path

import pandas as pd

from tallgrass.rollcalls.votes import VoteMatrix

VOTES = """vote_id,legislator_slug,vote
v1,rep_a,Yea
v1,rep_b,Nay
v1,rep_c,Absent and Not Voting
v2,rep_a,Nay
v2,rep_b,Present and Passing
v2,rep_c,Yea
s1,sen_x,Yea
"""
ROLLCALLS = """vote_id,chamber,bill_number,motion,vote_type,vote_datetime,bill_title
v1,House,HB 1,Final Action - Passed,Final Action,2025-01-20T00:00:00,"One, and more"
v2,House,HB 2,Final Action - Passed,Final Action,2025-01-21T09:30:00,Two
s1,Senate,SB 1,Final Action - Passed,Final Action,2025-01-22T00:00:00,Three
"""
LEGISLATORS = """name,full_name,slug,chamber,party,district
A,Ann A,rep_a,House,Democrat,1
B,Bob B,rep_b,House,Republican,2
C,Cy C,rep_c,House,Independent,3
X,Xi X,sen_x,Senate,Republican,1
"""


def write_votes(folder: Path, *chambers: VoteMatrix) -> str:
    """Chambers as a session in a new folder, which is named after it; returns the folder."""
    folder.mkdir()
    votes, rollcalls, members = [], [], []
    words = {1: "Yea", -1: "Nay", 0: "Absent and Not Voting"}
    for chamber in chambers:
        name = chamber.chamber.title()
        members += [(m.name, m.name, m.slug, name, m.party, 1) for m in chamber.legislators]
        rollcalls += [
            (r.vote_id, name, r.bill, "Final Action", "", "2025-01-20T00:00:00", "")
            for r in chamber.rollcalls
        ]
        votes += [
            (r.vote_id, m.slug, words[int(cell)])
            for m, row in zip(chamber.legislators, chamber.cells, strict=True)
            for r, cell in zip(chamber.rollcalls, row, strict=True)
        ]
    for table, rows, columns in (
        ("votes", votes, "vote_id legislator_slug vote"),
        (
            "rollcalls",
            rollcalls,
            "vote_id chamber bill_number motion vote_type vote_datetime bill_title",
        ),
        ("legislators", members, "name full_name slug chamber party district"),
    ):
        path = folder / f"{folder.name}_{table}.csv"
        pd.DataFrame(rows, columns=columns.split()).to_csv(path, index=False)
    return str(folder)
